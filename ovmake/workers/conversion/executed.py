"""The precision in which the runtime executes each layer of an IR, which can differ from the requested one.

    layers(compiled, model) -> (ExecutedLayer(name="convolution.8", type="Convolution", precision="i8"), ...)
    counts(layers) -> {"f32": 2, "i8": 8}
    weights(model) -> {"f32": 1712, "u8": 147712}        bytes, by type of element as the IR stores them
    not_executed(asked, counts) -> "bf16 is not available on this machine: ..." | ""
    insist(params, layers)                               raises that as an error
    moves("Reorder") -> True                             whether a type of layer only moves data

The precision is the end of the kernel's name (`brgconv_avx512_f32`, `jit_avx512_I8`). `runtimePrecision` is that of
the weights: it calls the f32 convolution of an FP16 IR "f16". A layer of the runtime often is several fused operations
of the IR; it has the name of the first one. Layers that only move data are left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ovmake.contracts.files.executed import ExecutedLayer
from ovmake.errors import ActionError
from ovmake.workers.conversion import ir

if TYPE_CHECKING:
    import openvino as ov

# Types of the CPU plugin. Layers that it inserts (mostly Reorder) have no operation in the IR.
_MOVES = {
    *("Broadcast", "Concatenation", "Const", "Convert", "Gather", "Input", "Output", "Pad", "Reorder", "Reshape"),
    *("ShapeOf", "Split", "StridedSlice", "Tile", "Transpose"),
}
_UNKNOWN = "unknown"


def layers(compiled: ov.CompiledModel, model: ov.Model) -> tuple[ExecutedLayer, ...]:
    """Return the computing layers of a compiled model, in its order; `model` is the model before compilation.

    Empty if the device does not report them: only the CPU plugin names its kernels.
    """
    try:
        runtime = compiled.get_runtime_model()
    except RuntimeError:
        return ()
    known = {operation.get_friendly_name() for operation in model.get_ops()}
    found = [_layer(node, known) for node in runtime.get_ordered_ops()]
    return tuple(layer for layer in found if layer is not None)


def _layer(node: ov.Node, known: set[str]) -> ExecutedLayer | None:
    details = node.get_rt_info()
    kind, kernel, origins = (_detail(details, name) for name in ("layerType", "primitiveType", "originalLayersNames"))
    if not kernel or not origins or kernel.startswith(_UNKNOWN) or moves(kind):
        return None
    # The plugin generates names such as `Multiply_4110`, which differ in every process.
    names = [name for name in origins.split(",") if name in known]
    stems = [name.rpartition("_")[0] or name for name in origins.split(",")]
    return ExecutedLayer(
        name=names[0] if names else ", ".join(dict.fromkeys(stems)),
        type=kind,
        precision=precision_of(kernel),
    )


def precision_of(kernel: str) -> str:
    """Return the precision that a kernel computes in: `i8` for `jit_avx512_I8`."""
    return kernel.rpartition("_")[2].lower()


def _detail(details: ov.RTMap, name: str) -> str:
    return str(details[name].astype(str)) if name in details else ""


def moves(kind: str) -> bool:
    """Whether a layer of this type only moves or converts data."""
    return kind in _MOVES


def counts(layers: Iterable[ExecutedLayer]) -> dict[str, int]:
    """Return the number of layers by precision."""
    return dict(sorted(Counter(layer.precision for layer in layers).items()))


def weights(model: ov.Model) -> dict[str, int]:
    """Return the bytes of an IR's constants by element type: a 4-bit weight takes half a byte."""
    found: Counter[str] = Counter()
    for operation in model.get_ops():
        if operation.get_type_name() == "Constant":
            found[operation.get_element_type().to_string()] += operation.get_byte_size()
    return dict(sorted(found.items()))


def not_executed(asked: str, counts: Mapping[str, int]) -> str:
    """Return why no layer was computed in the target's precision, "" if some layer was.

    "" also if the device does not report what it executes, and for a target in f32: if all of its layers compute in
    integers, none is in f32.
    """
    if asked == ir.EXECUTE_IN or asked in counts or not counts:
        return ""
    ran = " and ".join(counts)
    return f"{asked} is not available on this machine: the target requests it, but the runtime executed {ran}"


def insist(asked: str, layers: Iterable[ExecutedLayer]) -> None:
    """Refuse to time or to analyse a model that is not executed in the target's precision.

    Raises:
        ActionError: no layer is computed in that precision.
    """
    if why := not_executed(asked, counts(layers)):
        raise ActionError("not-executed", why, help="run this on a processor that has it")
