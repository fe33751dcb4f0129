"""Read a .tflite file with OpenVINO's TFLite reader, cut as in the Ovfile.

    read_tflite(request, source, asked) -> Read

OpenVINO translates every operation of the file, also those that a cut removes, and stops at the first one it lacks.
Then TensorFlow cuts the part out of the file (`tflite_cut.py`, in a worker of its own), and OpenVINO reads that part.
The same is done with files that fill only one of the two fields for an operation's code, if OpenVINO reads the other.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from ovmake.contracts.codec import encode_object
from ovmake.contracts.params.helping import SeverParams
from ovmake.contracts.params.model import ConvertParams
from ovmake.contracts.values import JsonObject
from ovmake.diagnostics import did_you_mean
from ovmake.errors import ActionError
from ovmake.sources.cutting import Cut, cut_of, whole
from ovmake.sources.layers import Layers
from ovmake.sources.tflite_graph import TfliteGraph, ops_of_tflite
from ovmake.workers.conversion.frontend import DIRECT, Read, convert_between, convert_file, suffixed
from ovmake.workers.conversion.naming import name_by_cut
from ovmake.workers.conversion.refusing_tflite import refused, unread
from ovmake.workers.ipc.helper_worker import ask_tensorflow
from ovmake.workers.ipc.protocol import Request, warning

SEVERED = f"{DIRECT}, of the part that TensorFlow cut out of the file"
REWRITTEN = f"{DIRECT}, of the file rewritten by TensorFlow"


def read_tflite(request: Request, source: Path, asked: ConvertParams) -> Read:
    """Return the model of a .tflite file, or of the part that the Ovfile cuts out of it.

    Raises:
        ActionError: it cannot be read or converted, or the cut names an unknown tensor.
    """
    try:
        flat = ops_of_tflite(source.read_bytes(), f"`{source.name}`")
    except ActionError as error:
        raise unread(error, source, asked.source.allowed) from error
    told = _check_signature(asked.source.chosen_signature, source, flat)
    cut = whole(flat.inputs, flat.outputs)
    if asked.model.cut:
        cut = cut_of(Layers(flat.ops, inputs=flat.inputs, outputs=flat.outputs), asked.model.cut)
    cut = cut.spelt(flat.spelling)
    try:
        found = _read(source, cut, is_cut=bool(asked.model.cut))
    except ActionError as error:
        refusal = refused(error, flat)
        if error.code != "cannot-convert" or not (asked.model.cut or flat.half_numbered):
            raise refusal from error
        found = _severed(request, source, asked, (cut, flat), refusal)
    return replace(found, told=told)


def _check_signature(asked: str | None, source: Path, flat: TfliteGraph) -> JsonObject:
    """Return a warning if the file has signatures besides that of its first graph, which is the one that is read.

    Raises:
        ActionError: the Ovfile names a signature of another graph, or an unknown one.
    """
    listed = ", ".join(f"`{name}`" for name in flat.signatures) or "none"
    if asked is not None and asked not in flat.signatures:
        message = f"`{source.name}` has no signature `{asked}`; it has {listed}"
        hint = did_you_mean(asked, list(flat.signatures))
        raise ActionError("unknown-signature", message, setting="signature", help=hint)
    main = [name for name, graph in flat.signatures.items() if graph == 0]
    if asked is not None and asked not in main:
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


def _read(source: Path, cut: Cut, *, is_cut: bool) -> Read:
    with suffixed(source, ".tflite") as path:
        if is_cut:
            model = convert_between("tflite", path, source.name, cut)
        else:
            model = convert_file("tflite", path, source.name)
            name_by_cut(model, cut)
    return Read(model=model, way=DIRECT, tensors=cut.tensors, given=cut.given)


def _severed(
    request: Request, source: Path, asked: ConvertParams, part_of: tuple[Cut, TfliteGraph], refusal: ActionError
) -> Read:
    """Return the model of the part that TensorFlow cuts out of the file.

    Raises:
        ActionError: TensorFlow cannot cut it, or OpenVINO refuses that part too.
    """
    cut, flat = part_of
    beside = next((Path(output).parent for output in request.outputs.values()), None)
    params = SeverParams(
        inputs=tuple(tensor for _, tensor in cut.inputs),
        outputs=tuple(tensor for _, tensor in cut.outputs),
        allow_ops=asked.source.allow_ops,
    )
    with tempfile.TemporaryDirectory(prefix="ovmake-", dir=beside) as folder:
        part = Path(folder, "part.tflite")
        cutting = Request(
            id=1,
            kind="sever",
            params=encode_object(params),
            inputs={"source": str(source)},
            outputs={"part": str(part)},
            log=request.log,
        )  # fmt: skip
        response = ask_tensorflow(cutting)
        if response is None or not response.ok:
            said = () if response is None else (f"TensorFlow cannot cut it: {response.message}",)
            notes = (*refusal.notes, *said)
            raise ActionError(refusal.code, refusal.message, setting="source", help=refusal.help, notes=notes)
        try:
            model = convert_file("tflite", part, source.name)
        except ActionError as error:
            raise refused(error, flat) from error
    name_by_cut(model, cut)
    way = SEVERED if asked.model.cut else REWRITTEN
    return Read(model=model, way=way, tensors=cut.tensors, given=cut.given)
