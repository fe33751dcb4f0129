"""Call OpenVINO's frontend directly: convert a file to an `ov.Model`, whole or between two sets of tensors.

    convert_file("tf", path, "m.pb") -> model
    convert_between("tf", path, "m.pb", cut) -> model        with the cut's names
    with suffixed(path, ".pb") as path: ...                  OpenVINO's readers require the suffix

`ov.convert_model` tries all frameworks in turn. For a broken file its message is "Cannot recognize input model.",
without the cause. It also cannot use names of inner tensors.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from openvino import Model, PartialShape, Type
from openvino.frontend import FrontEndManager, InputModel, Place

from ovmake.contracts.values import JsonObject
from ovmake.errors import ActionError, message_of
from ovmake.sources.cutting import Cut
from ovmake.sources.dataflow import declared_types, ops_of_graph
from ovmake.workers.conversion.inner_inputs import begin_at
from ovmake.workers.conversion.naming import name_by_cut

# TensorFlow's DataTypes -> OpenVINO's types.
_TYPES = {
    1: Type.f32, 2: Type.f64, 3: Type.i32, 4: Type.u8, 5: Type.i16, 6: Type.i8, 9: Type.i64, 10: Type.boolean,
    14: Type.bf16, 17: Type.u16, 19: Type.f16, 22: Type.u32, 23: Type.u64,
}  # fmt: skip
_MISSING = re.compile(r"No conversion rule found for operations?: ((?:[\w>]+, )*[\w>]+)")
DIRECT = "by OpenVINO's own reader"


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A model that was read.

    `tensors` maps names of inputs to tensors of the source, `given` names of outputs, if the two differ. `told` is a
    warning about the source, as a fact.
    """

    model: Model
    way: str
    tensors: Mapping[str, str] = field(default_factory=dict)
    given: Mapping[str, str] = field(default_factory=dict)
    told: JsonObject = field(default_factory=dict)


def convert_file(
    framework: str, path: Path, shown: str, prepare: Callable[[InputModel], None] = lambda _: None
) -> Model:
    """Convert a file. `prepare` may change the frontend's model first."""
    frontend = FrontEndManager().load_by_framework(framework)
    try:
        loaded = frontend.load(str(path))
        prepare(loaded)
        return frontend.convert(loaded)
    except ActionError:
        raise
    except Exception as error:
        # Without this machine's paths: the record may state why a source was frozen.
        words = message_of(error).replace(str(path.absolute()), shown).replace(str(path), shown)
        raise _refusal(shown, words) from error


def _refusal(shown: str, words: str) -> ActionError:
    """Return the error for OpenVINO's message. If it names operations without a rule, the error names these."""
    missing = _MISSING.search(words)
    if missing is None:
        return ActionError("cannot-convert", f"OpenVINO cannot convert `{shown}`: {words}", setting="source")
    named = [f"`{name}`" for name in missing[1].split(", ")]
    what = f"operation {named[0]}" if len(named) == 1 else f"operations {', '.join(named)}"
    message = f"OpenVINO cannot convert `{shown}`: it has no rule for the {what}"
    hint = "cut the model before it or after it, with `cut`; `ovmake inspect` lists the layers"
    return ActionError("cannot-convert", message, setting="source", help=hint, notes=(f"OpenVINO: {words}",))


def convert_between(framework: str, path: Path, shown: str, cut: Cut, taps: Sequence[str] = ()) -> Model:
    """Convert the part of a graph between two sets of tensors, and name its inputs and outputs as in `cut`.

    `taps` are further tensors in between that become outputs, after those of the cut.

    Raises:
        ActionError: OpenVINO cannot convert it, or does not know one of the tensors; or it needs a lookup table
            (`unsupported-source`).
    """
    inner = list(dict.fromkeys(tensor for name, tensor in cut.inputs if name not in cut.originals))
    if framework == "tflite" and inner:
        model = _convert_and_sever(path, shown, [tensor for _, tensor in cut.outputs] + list(taps), inner)
        name_by_cut(model, cut)
        return model
    shapes = _inner_shapes(framework, path, shown, inner)

    def override(loaded: InputModel) -> None:
        places = {tensor: _place(loaded, tensor) for _, tensor in (*cut.inputs, *cut.outputs)}
        # Outputs first: overriding inputs removes everything before them, which then cannot be an output.
        tapped = [_place(loaded, tensor) for tensor in taps]
        loaded.override_all_outputs([places[tensor] for _, tensor in cut.outputs] + tapped)
        # The source's own inputs are not overridden: an unused one would lose its shape.
        if inner:
            loaded.override_all_inputs([places[tensor] for _, tensor in cut.inputs])
        for tensor, (shape, kind) in shapes.items():
            loaded.set_partial_shape(places[tensor], shape)
            loaded.set_element_type(places[tensor], kind)

    try:
        model = convert_file(framework, path, shown, override)
    except ActionError as error:
        if "LookupTable" not in error.message:
            raise
        raise _no_tables(path, error) from error
    _drop_inputs(model, {tensor for _, tensor in cut.inputs})
    name_by_cut(model, cut)
    return model


def _no_tables(graph: Path, error: ActionError) -> ActionError:
    first = next((op.name for op in ops_of_graph(graph.read_bytes()) if op.type.startswith("LookupTable")), "a table")
    message = f"the model has a lookup table (`{first}`), which a frozen graph cannot contain"
    hint = (
        "use an uncut SavedModel with the signature `serving_default` (`model.export(folder)` in Keras): OpenVINO "
        "converts its tables of numbers; or cut the table off (`cut.inputs`)"
    )
    return ActionError("unsupported-source", message, setting="source", help=hint, notes=(error.message,))


def _drop_inputs(model: Model, wanted: set[str]) -> None:
    """Remove the inputs that only removed outputs needed."""
    for port in model.inputs:
        if not wanted & set(port.get_names()) and not port.get_target_inputs():
            model.remove_parameter(port.get_node())


def _convert_and_sever(path: Path, shown: str, outputs: Sequence[str], inner: Sequence[str]) -> Model:
    """Cut a .tflite model at inner inputs, which its reader cannot do: see inner_inputs.py."""

    def override(loaded: InputModel) -> None:
        loaded.override_all_outputs([_place(loaded, tensor) for tensor in (*outputs, *inner)])

    return begin_at(convert_file("tflite", path, shown, override), inner, keep=len(outputs))


def _inner_shapes(framework: str, path: Path, shown: str, inner: Sequence[str]) -> dict[str, tuple[PartialShape, Type]]:
    """Return shape and type of the inner tensors that become inputs, by converting the part before them."""
    if not inner:
        return {}

    def override(loaded: InputModel) -> None:
        loaded.override_all_outputs([_place(loaded, tensor) for tensor in inner])

    try:
        before = convert_file(framework, path, shown, override)
    except ActionError:
        # OpenVINO may be unable to convert the removed part. Then the graph itself states the type.
        said = (
            declared_types(path.read_bytes(), {tensor.partition(":")[0] for tensor in inner})
            if framework == "tf"
            else {}
        )
        kinds = {tensor: _TYPES.get(said.get(tensor.partition(":")[0], 0)) for tensor in inner}
        return {tensor: (PartialShape.dynamic(), kind) for tensor, kind in kinds.items() if kind is not None}
    found = {}
    for port in before.outputs:
        for tensor in inner:
            if tensor in port.get_names():
                found[tensor] = (port.get_partial_shape(), port.get_element_type())
    return found


def _place(loaded: InputModel, tensor: str) -> Place:
    place = loaded.get_place_by_tensor_name(tensor)
    if place is None:
        message = f"OpenVINO's reader does not know the tensor `{tensor}`"
        raise ActionError("unknown-layer", message, setting="cut", help="cut at a layer beside it: `ovmake inspect`")
    return place


@contextlib.contextmanager
def suffixed(path: Path, suffix: str) -> Iterator[Path]:
    """Give a file, which is named after its role, the suffix that OpenVINO's readers require."""
    if path.suffix == suffix:
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder) / f"model{suffix}"
        os.symlink(path.absolute(), link)  # noqa: PTH211 - one call either way
        yield link
