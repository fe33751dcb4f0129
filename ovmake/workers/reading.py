"""Read a source with OpenVINO, cut where the Ovfile says: any kind of source to an `ov.Model` with the user's names.

    read(request) -> Read

Four ways in, by what the request holds:

    graph + names     what *freeze* made of the source: inputs and outputs are tensors of the graph, by name
    saved-model       OpenVINO's reader finds the signature itself
    frozen-graph      inputs are the Placeholders, outputs what nothing consumes
    tflite            OpenVINO's reader for TFLite

Where OpenVINO cannot read a SavedModel or a frozen graph, TensorFlow freezes it (in a worker of its own) and what comes
of it is read in the first way; `way` says so.

The frontend is driven directly instead of through `ov.convert_model`: that one tries all frameworks in turn, and when a
file is broken says "Cannot recognize input model." in place of what was wrong with it. And it knows no inner names.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from openvino.frontend import FrontEndManager

from ovmake.workers import ir
from ovmake.workers.cutting import Cut, cut_of, whole
from ovmake.workers.fetched import check_fetched
from ovmake.workers.flat import ops_of_tflite
from ovmake.workers.layers import Layers, ops_of_graph
from ovmake.workers.naming import name_by_cut, name_by_signature
from ovmake.workers.protocol import ActionError, Request, Response, message_of
from ovmake.workers.recognise import recognise, unknown, with_kind
from ovmake.workers.screening import allowed_of, screen
from ovmake.workers.severing import begin_at
from ovmake.workers.sibling import ask_tensorflow
from ovmake.workers.unfrozen import handles_of, not_frozen, variables_of
from ovmake.workers.wire import WireError

DIRECT = "by OpenVINO's own reader"

# What OpenVINO says of a variable without a value names an operation that makes, reads or sets it.
_OF_VARIABLES = re.compile(r"variable|varhandle|resource", re.IGNORECASE)
_MISSING = re.compile(r"No conversion rule found for operations?: ((?:[\w>]+, )*[\w>]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A model as it was read.

    `tensors` gives the source's tensor for the name of an input, `given` for that of an output, where it is another.
    """

    model: Any
    way: str
    tensors: Mapping[str, str] = field(default_factory=dict)
    given: Mapping[str, str] = field(default_factory=dict)


def read(request: Request) -> Read:
    """Return the model of the request's source.

    Raises:
        ActionError: it cannot be read or converted, does more than compute, or the cut names what is not there.
    """
    if "graph" in request.inputs:
        return _read_frozen(request, Path(request.inputs["graph"]), Path(request.inputs["names"]))
    source = Path(request.inputs["source"])
    kind = str(request.params.get("kind", "saved-model"))
    check_fetched(source)
    try:
        found = _read_directly(request, source, kind)
    except ActionError as error:
        if error.code != "cannot-convert":
            raise
        refusal = with_kind(error, source, kind)
        if kind == "frozen-graph":
            _check_frozen(source, refusal)
        if kind == "tflite" or recognise(source).kind not in {"", kind}:
            raise refusal from error
        return _frozen_by_tensorflow(request, refusal)
    # OpenVINO runs nothing of it. TensorFlow will, unless it did so for a model that computes the same: what may not
    # run is refused here, so that no verdict depends on what was built before.
    screen(source, kind, allowed_of(request))
    return found


def _read_directly(request: Request, source: Path, kind: str) -> Read:
    if kind == "saved-model":
        if not source.is_dir():
            found = recognise(source)
            if not found.kind:
                raise unknown(source, found)
            raise ActionError("cannot-convert", f"`{source.name}` is no folder", setting="source")
        model = _convert("tf", source, source.name)
        name_by_signature(model, source)
        return Read(model=model, way=DIRECT)
    if kind == "frozen-graph":
        return _read_graph(request, source)
    if kind == "tflite":
        return _read_tflite(request, source)
    raise unknown(source, recognise(source))


def _read_graph(request: Request, source: Path) -> Read:
    """A frozen .pb: ends and beginnings are the reader's guess, unless the Ovfile cuts it."""
    if not wants_cut(request):
        with suffixed(source, ".pb") as path:
            model = _convert("tf", path, source.name)
        handles = handles_of(source.read_bytes())
        if any(name in port.get_names() for name in map("{}:0".format, handles) for port in model.inputs):
            raise not_frozen(source, handles)
        ir.drop_echoes(model)
        ir.name_ports(model)
        return Read(model=model, way=DIRECT)
    cut = cut_of(Layers(ops_of_graph(source.read_bytes())), request)
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
    except WireError:
        return
    if variables and _OF_VARIABLES.search(refusal.message):
        raise not_frozen(source, variables, (refusal.message,)) from refusal


def _read_tflite(request: Request, source: Path) -> Read:
    flat = ops_of_tflite(source.read_bytes(), f"`{source.name}`")
    with suffixed(source, ".tflite") as path:
        if wants_cut(request):
            cut = cut_of(Layers(flat.ops, inputs=flat.inputs, outputs=flat.outputs), request).spelt(flat.spelling)
            model = convert_between("tflite", path, source.name, cut)
        else:
            cut = whole(flat.inputs, flat.outputs).spelt(flat.spelling)
            model = _convert("tflite", path, source.name)
            name_by_cut(model, cut)
    return Read(model=model, way=DIRECT, tensors=cut.tensors, given=cut.given)


def _read_frozen(request: Request, graph: Path, names: Path) -> Read:
    described = json.loads(names.read_bytes())
    inputs, outputs = described["inputs"], described["outputs"]
    ends = whole(inputs, outputs)
    if wants_cut(request):
        layers = Layers(ops_of_graph(graph.read_bytes()), inputs=inputs, outputs=outputs)
        ends = cut_of(layers, request)
    with suffixed(graph, ".pb") as path:
        model = convert_between("tf", path, "the frozen graph", ends)
    way = f"frozen by TensorFlow ({described['way']})"
    return Read(model=model, way=way, tensors=ends.tensors, given=ends.given)


def wants_cut(request: Request) -> bool:
    """Whether the Ovfile cuts the source."""
    return bool(request.params.get("cut.inputs") or request.params.get("cut.outputs"))


# the frontend


def _convert(framework: str, path: Path, shown: str, prepare: Callable[[Any], None] = lambda _: None) -> Any:
    """Convert a file. `prepare` may change the frontend's model first."""
    frontend = FrontEndManager().load_by_framework(framework)
    try:
        loaded = frontend.load(str(path))
        prepare(loaded)
        return frontend.convert(loaded)
    except ActionError:
        raise
    except Exception as error:
        # Without the machine's paths: the record may say why a source was frozen.
        words = message_of(error).replace(str(path.absolute()), shown).replace(str(path), shown)
        raise _refusal(shown, words) from error


def _refusal(shown: str, words: str) -> ActionError:
    """Return the error for what OpenVINO says. Operations that it lacks are what one looks for in its words."""
    missing = _MISSING.search(words)
    if missing is None:
        return ActionError("cannot-convert", f"OpenVINO cannot convert `{shown}`: {words}", setting="source")
    named = [f"`{name}`" for name in missing[1].split(", ")]
    what = f"operation {named[0]}" if len(named) == 1 else f"operations {', '.join(named)}"
    message = f"OpenVINO cannot convert `{shown}`: it has no rule for the {what}"
    hint = "cut the model before it or after it, with `cut`; `ovmake inspect` lists the layers"
    return ActionError("cannot-convert", message, setting="source", help=hint, notes=(f"OpenVINO: {words}",))


def convert_between(framework: str, path: Path, shown: str, cut: Cut, taps: Sequence[str] = ()) -> Any:
    """Convert the part of a graph between two sets of tensors, and give its ports the names that go with them.

    `taps` are tensors between them that become outputs too, after the cut's.

    Raises:
        ActionError: OpenVINO cannot convert it, or does not know one of the tensors.
    """
    inner = list(dict.fromkeys(tensor for name, tensor in cut.inputs if name not in cut.originals))
    if framework == "tflite" and inner:
        model = _convert_and_sever(path, shown, [tensor for _, tensor in cut.outputs] + list(taps), inner)
        name_by_cut(model, cut)
        return model
    shapes = _inner_shapes(framework, path, shown, inner)

    def override(loaded: Any) -> None:
        places = {tensor: _place(loaded, tensor) for _, tensor in (*cut.inputs, *cut.outputs)}
        # Outputs first: once inputs are overridden, what is before them is gone and cannot be an output.
        tapped = [_place(loaded, tensor) for tensor in taps]
        loaded.override_all_outputs([places[tensor] for _, tensor in cut.outputs] + tapped)
        # The source's own inputs are left alone: overridden, one that nothing uses would come out without a shape.
        if inner:
            loaded.override_all_inputs([places[tensor] for _, tensor in cut.inputs])
        for tensor, (shape, kind) in shapes.items():
            loaded.set_partial_shape(places[tensor], shape)
            loaded.set_element_type(places[tensor], kind)

    model = _convert(framework, path, shown, override)
    _drop_inputs(model, {tensor for _, tensor in cut.inputs})
    name_by_cut(model, cut)
    return model


def _drop_inputs(model: Any, wanted: set[str]) -> None:
    """Remove the inputs that lead to cut-away outputs only."""
    for port in model.inputs:
        if not wanted & set(port.get_names()) and not port.get_target_inputs():
            model.remove_parameter(port.get_node())


def _convert_and_sever(path: Path, shown: str, outputs: Sequence[str], inner: Sequence[str]) -> Any:
    """Do for a .tflite what its reader cannot: see severing.py."""

    def override(loaded: Any) -> None:
        loaded.override_all_outputs([_place(loaded, tensor) for tensor in (*outputs, *inner)])

    return begin_at(_convert("tflite", path, shown, override), inner, keep=len(outputs))


def _inner_shapes(framework: str, path: Path, shown: str, inner: Sequence[str]) -> dict[str, tuple[Any, Any]]:
    """Return shape and type of the inner tensors that become inputs, by converting what leads up to them."""
    if not inner:
        return {}

    def override(loaded: Any) -> None:
        loaded.override_all_outputs([_place(loaded, tensor) for tensor in inner])

    try:
        before = _convert(framework, path, shown, override)
    except ActionError:
        return {}  # what is cut away may well be what OpenVINO cannot convert
    found = {}
    for port in before.outputs:
        for tensor in inner:
            if tensor in port.get_names():
                found[tensor] = (port.get_partial_shape(), port.get_element_type())
    return found


def _place(loaded: Any, tensor: str) -> Any:
    place = loaded.get_place_by_tensor_name(tensor)
    if place is None:
        message = f"OpenVINO's reader does not know the tensor `{tensor}`"
        raise ActionError("unknown-layer", message, setting="cut", help="cut at a layer beside it: `ovmake inspect`")
    return place


@contextlib.contextmanager
def suffixed(path: Path, suffix: str) -> Iterator[Path]:
    """Give a file that is named by its role the suffix that OpenVINO's readers go by."""
    if path.suffix == suffix:
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder) / f"model{suffix}"
        os.symlink(path.absolute(), link)  # noqa: PTH211 - one call either way
        yield link


# TensorFlow's help


# What TensorFlow says of the Ovfile, and not of the source; and what is said before TensorFlow is asked.
_AS_IT_IS = {"unknown-signature", "unknown-tags", "op-refused"}


def _frozen_by_tensorflow(request: Request, refusal: ActionError) -> Read:
    """Return the source as TensorFlow freezes it.

    Raises:
        ActionError: that does not help either. What TensorFlow says of a damaged source is often what tells the user
            what to do: it stands beside OpenVINO's words.
    """
    with frozen_by_tensorflow(request) as (outputs, response):
        if response is None or not response.ok:
            raise _refused_twice(refusal, response)
        try:
            found = _read_frozen(request, Path(outputs["graph"]), Path(outputs["names"]))
        except ActionError as error:
            if error.code != "cannot-convert":  # a name in the Ovfile's cut, which the frozen graph knows better
                raise
            raise refusal from error
    return replace(found, way=f"{found.way}, because {refusal.message}")


@contextlib.contextmanager
def frozen_by_tensorflow(request: Request) -> Iterator[tuple[dict[str, str], Response | None]]:
    """Have TensorFlow freeze the request's source; yield where `graph` and `names` are, and what it answered.

    The answer is None if there is no TensorFlow worker. The files lie beside the outputs, as they are as large as the
    model: what a killed build leaves there, the next one removes.
    """
    beside = next((Path(output).parent for output in request.outputs.values()), None)
    known = {
        name: request.params[name] for name in ("kind", "signature", "tags", "allow-ops") if name in request.params
    }
    with tempfile.TemporaryDirectory(prefix="ovmake-", dir=beside) as folder:
        outputs = {"graph": f"{folder}/frozen.pb", "names": f"{folder}/names.json"}
        asked = Request(id=1, kind="freeze", params=known, inputs=request.inputs, outputs=outputs, log=request.log)
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
