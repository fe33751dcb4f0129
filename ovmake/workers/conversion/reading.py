"""Read a source of any kind with OpenVINO, cut as in the Ovfile, as an `ov.Model` with the user's names.

    read(request) -> Read

There are four ways, by the inputs of the request:

    graph + names     the result of *freeze*: inputs and outputs are tensors of the graph, by name
    saved-model       OpenVINO's reader finds the signature itself
    frozen-graph      inputs are the Placeholders, outputs the tensors without a consumer
    tflite            `reading_tflite.py`

If OpenVINO cannot read a SavedModel or a frozen graph, TensorFlow freezes it in a worker of its own, and the result is
read in the first way; `way` states this.

`frontend.py` calls OpenVINO.
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
from ovmake.workers.conversion.reading_tflite import read_tflite
from ovmake.workers.ipc.helper_worker import ask_tensorflow
from ovmake.workers.ipc.protocol import Request, Response

# OpenVINO's message about a variable without a value names an operation that makes, reads or sets it.
_OF_VARIABLES = re.compile(r"variable|varhandle|resource", re.IGNORECASE)


def read(request: Request, asked: ConvertParams) -> Read:
    """Return the model of the request's source, as it is asked for.

    Raises:
        ActionError: it cannot be read or converted, has side effects, or the cut names an unknown tensor.
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
    # OpenVINO does not run it. TensorFlow will, unless it already did for a model that computes the same. So the source
    # is screened here, and no verdict depends on earlier builds.
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
            raise ActionError("cannot-convert", f"`{source.name}` is not a folder", setting="source")
        model = convert_file("tf", source, source.name)
        name_by_signature(model, source)
        return Read(model=model, way=DIRECT)
    if kind == "frozen-graph":
        return _read_graph(source, asked.model.cut)
    if kind == "tflite":
        return read_tflite(request, source, asked)
    raise unknown(source, recognise(source))


def _read_graph(source: Path, asked: CutParams) -> Read:
    """Read a frozen .pb. The reader guesses inputs and outputs, unless the Ovfile cuts it."""
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
    """Explain OpenVINO's refusal of a graph with variables.

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
    """Return the error for a lookup table that OpenVINO refuses, mostly one of strings."""
    lookup = error.message.split("`")[1]
    message = f"OpenVINO cannot convert the lookup table of `{lookup}`"
    hint = "cut the table off (`cut.inputs`), and look up its values before the IR; devices do not support strings"
    return ActionError("unsupported-source", message, setting="source", help=hint, notes=(refusal.message,))


# TensorFlow's help


# TensorFlow's errors about the Ovfile instead of the source; and errors that come before TensorFlow is asked.
_AS_IT_IS = {"unknown-signature", "unknown-tags", "op-refused", "stateful-source"}


def _frozen_by_tensorflow(request: Request, asked: ConvertParams, refusal: ActionError) -> Read:
    """Return the source as frozen by TensorFlow.

    Raises:
        ActionError: that fails too. TensorFlow's message about a damaged source often tells the user what to do, so it
            is added to OpenVINO's.
    """
    with frozen_by_tensorflow(request, asked.source) as (outputs, response):
        if response is None or not response.ok:
            raise _refused_twice(refusal, response)
        try:
            found = _read_frozen(asked.model.cut, Path(outputs["graph"]), Path(outputs["names"]))
        except ActionError as error:
            if error.code == "unsupported-source":
                raise _table_refused(error, refusal) from error
            if (
                error.code != "cannot-convert"
            ):  # a name in the Ovfile's cut, where the frozen graph gives the better error
                raise
            raise refusal from error
    return replace(found, way=f"{found.way}, because {refusal.message}")


@contextlib.contextmanager
def frozen_by_tensorflow(request: Request, source: SourceParams) -> Iterator[tuple[dict[str, str], Response | None]]:
    """Have TensorFlow freeze the request's source; yield the paths of `graph` and `names`, and the answer.

    The answer is None if there is no TensorFlow worker. The files are beside the outputs, because they are as large as
    the model. If a build is killed, the next one removes them.
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
    notes = (*refusal.notes, f"TensorFlow cannot freeze it either: {response.message}", *response.notes)
    hint = response.help or refusal.help
    if "No module named 'tensorflow'" in response.message:
        hint = 'TensorFlow may be able to load it: `pip install "ovmake[cpu]"`'
    return ActionError(refusal.code, refusal.message, setting=refusal.setting, notes=notes, help=hint)
