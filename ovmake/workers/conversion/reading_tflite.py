"""Read a .tflite file with OpenVINO's TFLite reader, cut as in the Ovfile.

    read_lite(request, source) -> Read

OpenVINO translates every operation of the file, also those that a cut removes, and stops at the first one it lacks.
Then TensorFlow cuts the part out of the file (`tflite_cut.py`, in a worker of its own), and OpenVINO reads that part.
The same is done with files that fill only one of the two fields for an operation's code, if OpenVINO reads the other.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ovmake.diagnostics import did_you_mean
from ovmake.errors import ActionError
from ovmake.sources.cutting import Cut, cut_of, wants_cut, whole
from ovmake.sources.layers import Layers
from ovmake.sources.screening.screen import allowed_of
from ovmake.sources.tflite_graph import TfliteGraph, ops_of_tflite
from ovmake.workers.conversion.frontend import DIRECT, Read, convert_between, convert_file, suffixed
from ovmake.workers.conversion.naming import name_by_cut
from ovmake.workers.conversion.refusing_tflite import refused, unread
from ovmake.workers.ipc.helper_worker import ask_tensorflow
from ovmake.workers.ipc.protocol import Request, warning

SEVERED = f"{DIRECT}, of the part that TensorFlow cut out of the file"
REWRITTEN = f"{DIRECT}, of the file rewritten by TensorFlow"


def read_lite(request: Request, source: Path) -> Read:
    """Return the model of a .tflite file, or of the part that the Ovfile cuts out of it.

    Raises:
        ActionError: it cannot be read or converted, or the cut names an unknown tensor.
    """
    try:
        flat = ops_of_tflite(source.read_bytes(), f"`{source.name}`")
    except ActionError as error:
        raise unread(error, source, allowed_of(request)) from error
    told = _check_signature(request, source, flat)
    cut = whole(flat.inputs, flat.outputs)
    if wants_cut(request):
        cut = cut_of(Layers(flat.ops, inputs=flat.inputs, outputs=flat.outputs), request)
    cut = cut.spelt(flat.spelling)
    try:
        found = _read(request, source, cut)
    except ActionError as error:
        refusal = refused(error, flat)
        if error.code != "cannot-convert" or not (wants_cut(request) or flat.half_numbered):
            raise refusal from error
        found = _severed(request, source, cut, flat, refusal)
    return replace(found, told=told)


def _check_signature(request: Request, source: Path, flat: TfliteGraph) -> Mapping[str, object]:
    """Return a warning if the file has signatures besides that of its first graph, which is the one that is read.

    Raises:
        ActionError: the Ovfile names a signature of another graph, or an unknown one.
    """
    asked = request.params.get("signature")
    listed = ", ".join(f"`{name}`" for name in flat.signatures) or "none"
    if isinstance(asked, str) and asked not in flat.signatures:
        message = f"`{source.name}` has no signature `{asked}`; it has {listed}"
        hint = did_you_mean(asked, list(flat.signatures))
        raise ActionError("unknown-signature", message, setting="signature", help=hint)
    main = [name for name, graph in flat.signatures.items() if graph == 0]
    if isinstance(asked, str) and asked not in main:
        message = (
            f"the signature `{asked}` is not of the first graph in `{source.name}`, and OpenVINO reads only that graph"
        )
        hint = f"convert `{asked}` into a .tflite file of its own, or use the SavedModel that it comes from"
        raise ActionError("unknown-signature", message, setting="signature", help=hint)
    others = [name for name in flat.signatures if name not in main]
    if asked is not None or not others:
        return {}
    of = f"that of `{main[0]}`" if main else "without a signature"
    message = f"`{source.name}` has the signatures {listed}; the IR is of its first graph, {of}"
    hint = f'if this is intended, set `signature = "{main[0]}"`' if main else ""
    return warning("other-signatures", message, hint=hint, setting="source")


def _read(request: Request, source: Path, cut: Cut) -> Read:
    with suffixed(source, ".tflite") as path:
        if wants_cut(request):
            model = convert_between("tflite", path, source.name, cut)
        else:
            model = convert_file("tflite", path, source.name)
            name_by_cut(model, cut)
    return Read(model=model, way=DIRECT, tensors=cut.tensors, given=cut.given)


def _severed(request: Request, source: Path, cut: Cut, flat: TfliteGraph, refusal: ActionError) -> Read:
    """Return the model of the part that TensorFlow cuts out of the file.

    Raises:
        ActionError: TensorFlow cannot cut it, or OpenVINO refuses that part too.
    """
    beside = next((Path(output).parent for output in request.outputs.values()), None)
    params = {name: request.params[name] for name in ("allow-ops",) if name in request.params}
    params |= {"inputs": [tensor for _, tensor in cut.inputs], "outputs": [tensor for _, tensor in cut.outputs]}
    with tempfile.TemporaryDirectory(prefix="ovmake-", dir=beside) as folder:
        part = Path(folder, "part.tflite")
        asked = Request(
            id=1, kind="sever", params=params, inputs={"source": str(source)}, outputs={"part": str(part)},
            log=request.log,
        )  # fmt: skip
        response = ask_tensorflow(asked)
        if response is None or not response.ok:
            said = () if response is None else (f"TensorFlow cannot cut it: {response.message}",)
            notes = (*refusal.notes, *said)
            raise ActionError(refusal.code, refusal.message, setting="source", help=refusal.help, notes=notes)
        try:
            model = convert_file("tflite", part, source.name)
        except ActionError as error:
            raise refused(error, flat) from error
    name_by_cut(model, cut)
    way = SEVERED if wants_cut(request) else REWRITTEN
    return Read(model=model, way=way, tensors=cut.tensors, given=cut.given)
