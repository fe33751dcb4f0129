"""Read a source with OpenVINO, cut where the Ovfile says: any kind of source to an `ov.Model` with the user's names.

    read(request) -> Read

Four ways in, by what the request holds:

    graph + names     what *freeze* made of the source: inputs and outputs are tensors of the graph, by name
    saved-model       OpenVINO's reader finds the signature itself
    frozen-graph      inputs are the Placeholders, outputs what nothing consumes
    tflite            `reading_tflite.py`

Where OpenVINO cannot read a SavedModel or a frozen graph, TensorFlow freezes it (in a worker of its own) and what comes
of it is read in the first way; `way` says so.

OpenVINO's side of it is `frontend.py`.
"""

from __future__ import annotations

import contextlib
import json
import re
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ovmake.contracts.codec import encode_object
from ovmake.contracts.params.model import ConvertParams, CutParams
from ovmake.contracts.params.source import SourceParams
from ovmake.errors import ActionError
from ovmake.sources.cutting import cut_of, whole
from ovmake.sources.integrity import stateful
from ovmake.sources.integrity.fetched import check_fetched
from ovmake.sources.integrity.unfrozen import handles_of, not_frozen, variables_of
from ovmake.sources.layers import Layers, ops_of_graph
from ovmake.sources.protobuf import ProtobufError
from ovmake.sources.recognise import recognise, unknown, with_kind
from ovmake.sources.screening.screen import screen
from ovmake.workers.conversion import ir
from ovmake.workers.conversion.frontend import DIRECT, Read, convert_between, convert_file, suffixed
from ovmake.workers.conversion.naming import SIGNATURE, TAGS, name_by_signature
from ovmake.workers.conversion.reading_tflite import read_lite
from ovmake.workers.ipc.helper_worker import ask_tensorflow
from ovmake.workers.ipc.protocol import Request, Response

# What OpenVINO says of a variable without a value names an operation that makes, reads or sets it.
_OF_VARIABLES = re.compile(r"variable|varhandle|resource", re.IGNORECASE)


def read(request: Request, asked: ConvertParams) -> Read:
    """Return the model of the request's source, as it is asked for.

    Raises:
        ActionError: it cannot be read or converted, does more than compute, or the cut names what is not there.
    """
    if "graph" in request.inputs:
        return _read_frozen(asked.model.cut, Path(request.inputs["graph"]), Path(request.inputs["names"]))
    source = Path(request.inputs["source"])
    kind = asked.source.kind
    check_fetched(source)
    try:
        found = _read_directly(request, source, asked)
    except ActionError as error:
        if error.code != "cannot-convert":
            raise
        refusal = with_kind(error, source, kind)
        if kind == "frozen-graph":
            _check_frozen(source, refusal)
        if kind == "tflite" or recognise(source).kind not in {"", kind}:
            raise refusal from error
        return _frozen_by_tensorflow(request, asked, refusal)
    # OpenVINO runs nothing of it. TensorFlow will, unless it did so for a model that computes the same: what may not
    # run is refused here, so that no verdict depends on what was built before.
    screen(source, kind, asked.source.allowed)
    if kind == "saved-model":
        stateful.refuse(source, stateful.of_signature(source, SIGNATURE, TAGS))
    return found


def _read_directly(request: Request, source: Path, asked: ConvertParams) -> Read:
    kind = asked.source.kind
    if kind == "saved-model":
        if not source.is_dir():
            found = recognise(source)
            if not found.kind:
                raise unknown(source, found)
            raise ActionError("cannot-convert", f"`{source.name}` is no folder", setting="source")
        model = convert_file("tf", source, source.name)
        name_by_signature(model, source)
        return Read(model=model, way=DIRECT)
    if kind == "frozen-graph":
        return _read_graph(source, asked.model.cut)
    if kind == "tflite":
        return read_lite(request, source, asked)
    raise unknown(source, recognise(source))


def _read_graph(source: Path, asked: CutParams) -> Read:
    """A frozen .pb: ends and beginnings are the reader's guess, unless the Ovfile cuts it."""
    if not asked:
        with suffixed(source, ".pb") as path:
            model = convert_file("tf", path, source.name)
        handles = handles_of(source.read_bytes())
        if any(name in port.get_names() for name in map("{}:0".format, handles) for port in model.inputs):
            raise not_frozen(source, handles)
        ir.drop_echoes(model)
        ir.name_ports(model)
        return Read(model=model, way=DIRECT)
    cut = cut_of(Layers(ops_of_graph(source.read_bytes())), asked)
    with suffixed(source, ".pb") as path:
        model = convert_between("tf", path, source.name, cut)
    return Read(model=model, way=DIRECT, tensors=cut.tensors, given=cut.given)


def _check_frozen(source: Path, refusal: ActionError) -> None:
    """Say what a graph of variables is, where that is why OpenVINO refuses it.

    Raises:
        ActionError: it was not frozen.
    """
    try:
        variables = variables_of(source.read_bytes())
    except ProtobufError:
        return
    if variables and _OF_VARIABLES.search(refusal.message):
        raise not_frozen(source, variables, (refusal.message,)) from refusal


def _read_frozen(cut: CutParams, graph: Path, names: Path) -> Read:
    described = json.loads(names.read_bytes())
    inputs, outputs = described["inputs"], described["outputs"]
    ends = whole(inputs, outputs)
    if cut:
        layers = Layers(ops_of_graph(graph.read_bytes()), inputs=inputs, outputs=outputs)
        ends = cut_of(layers, cut)
    with suffixed(graph, ".pb") as path:
        model = convert_between("tf", path, "the frozen graph", ends)
    way = f"frozen by TensorFlow ({described['way']})"
    return Read(model=model, way=way, tensors=ends.tensors, given=ends.given)


def _table_refused(error: ActionError, refusal: ActionError) -> ActionError:
    """Return the error for a table that OpenVINO does not take, of a SavedModel or a graph: of strings, mostly."""
    lookup = error.message.split("`")[1]
    message = f"OpenVINO cannot convert the table that `{lookup}` looks values up in"
    hint = "cut the table off (`cut.inputs`), and look its values up before the IR; no device takes strings"
    return ActionError("unsupported-source", message, setting="source", help=hint, notes=(refusal.message,))


# TensorFlow's help


# What TensorFlow says of the Ovfile, and not of the source; and what is said before TensorFlow is asked.
_AS_IT_IS = {"unknown-signature", "unknown-tags", "op-refused", "stateful-source"}


def _frozen_by_tensorflow(request: Request, asked: ConvertParams, refusal: ActionError) -> Read:
    """Return the source as TensorFlow freezes it.

    Raises:
        ActionError: that does not help either. What TensorFlow says of a damaged source is often what tells the user
            what to do: it stands beside OpenVINO's words.
    """
    with frozen_by_tensorflow(request, asked.source) as (outputs, response):
        if response is None or not response.ok:
            raise _refused_twice(refusal, response)
        try:
            found = _read_frozen(asked.model.cut, Path(outputs["graph"]), Path(outputs["names"]))
        except ActionError as error:
            if error.code == "unsupported-source":
                raise _table_refused(error, refusal) from error
            if error.code != "cannot-convert":  # a name in the Ovfile's cut, which the frozen graph knows better
                raise
            raise refusal from error
    return replace(found, way=f"{found.way}, because {refusal.message}")


@contextlib.contextmanager
def frozen_by_tensorflow(request: Request, source: SourceParams) -> Iterator[tuple[dict[str, str], Response | None]]:
    """Have TensorFlow freeze the request's source; yield where `graph` and `names` are, and what it answered.

    The answer is None if there is no TensorFlow worker. The files lie beside the outputs, as they are as large as the
    model: what a killed build leaves there, the next one removes.
    """
    beside = next((Path(output).parent for output in request.outputs.values()), None)
    with tempfile.TemporaryDirectory(prefix="ovmake-", dir=beside) as folder:
        outputs = {"graph": f"{folder}/frozen.pb", "names": f"{folder}/names.json"}
        asked = Request(
            id=1, kind="freeze", params=encode_object(source), inputs=request.inputs, outputs=outputs, log=request.log
        )
        yield outputs, ask_tensorflow(asked)


def _refused_twice(refusal: ActionError, response: Response | None) -> ActionError:
    if response is None:
        return refusal
    if response.code in _AS_IT_IS:
        return ActionError(
            response.code, response.message, help=response.help, notes=response.notes, setting=response.setting
        )
    notes = (*refusal.notes, f"TensorFlow, asked to freeze it: {response.message}", *response.notes)
    hint = response.help or refusal.help
    if "No module named 'tensorflow'" in response.message:
        hint = 'TensorFlow may be able to load it: `pip install "ovmake[cpu]"`'
    return ActionError(refusal.code, refusal.message, setting=refusal.setting, notes=notes, help=hint)
