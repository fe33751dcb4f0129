"""What the runtime makes of an IR: which layer is computed in which precision, which is not always what was asked for.

    layers(compiled, model) -> (ExecutedLayer(name="convolution.8", type="Convolution", precision="i8"), ...)
    counts(layers) -> {"f32": 2, "i8": 8}
    weights(model) -> {"f32": 1712, "u8": 147712}        bytes, by type of element as the IR stores them
    not_executed(params, counts) -> "bf16 is not available on this machine: ..." | ""
    insist(params, layers)                               raises that
    moves("Reorder") -> True                             whether a type of layer only moves data

The precision is the end of the kernel's name (`brgconv_avx512_f32`, `jit_avx512_I8`). Not `runtimePrecision`: that is
the weights', and calls the f32 convolution of an FP16 IR "f16". A layer of the runtime is often several operations of
the IR, fused; it goes by the first of them. What only moves data is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from ovmake.contracts.executed import ExecutedLayer
from ovmake.errors import ActionError

# As the CPU's plugin calls them. Those that it puts in itself (Reorder, mostly) come from no operation of the IR.
_MOVES = {
    *("Broadcast", "Concatenation", "Const", "Convert", "Gather", "Input", "Output", "Pad", "Reorder", "Reshape"),
    *("ShapeOf", "Split", "StridedSlice", "Tile", "Transpose"),
}
_UNKNOWN = "unknown"


def layers(compiled: Any, model: Any) -> tuple[ExecutedLayer, ...]:
    """Return what computes in a compiled model, in its order; `model` is what was compiled.

    Nothing where the device does not tell: only the CPU's plugin names its kernels.
    """
    try:
        runtime = compiled.get_runtime_model()
    except RuntimeError:
        return ()
    known = {operation.get_friendly_name() for operation in model.get_ops()}
    found = [_layer(node, known) for node in runtime.get_ordered_ops()]
    return tuple(layer for layer in found if layer is not None)


def _layer(node: Any, known: set[str]) -> ExecutedLayer | None:
    details = node.get_rt_info()
    kind, kernel, origins = (_detail(details, name) for name in ("layerType", "primitiveType", "originalLayersNames"))
    if not kernel or not origins or kernel.startswith(_UNKNOWN) or moves(kind):
        return None
    # Of the plugin's own making are names such as `Multiply_4110`, which are others in every process.
    names = [name for name in origins.split(",") if name in known]
    stems = [name.rpartition("_")[0] or name for name in origins.split(",")]
    return ExecutedLayer(
        name=names[0] if names else ", ".join(dict.fromkeys(stems)),
        type=kind,
        precision=kernel.rpartition("_")[2].lower(),
    )


def _detail(details: Any, name: str) -> str:
    return str(details[name].astype(str)) if name in details else ""


def moves(kind: str) -> bool:
    """Whether a layer of this type computes nothing, and only moves or converts data."""
    return kind in _MOVES


def counts(layers: Iterable[ExecutedLayer]) -> dict[str, int]:
    """Return how many layers are computed in which precision."""
    return dict(sorted(Counter(layer.precision for layer in layers).items()))


def weights(model: Any) -> dict[str, int]:
    """Return how many bytes of an IR's constants are of which element type: a weight in 4 bits is half a byte."""
    found: Counter[str] = Counter()
    for operation in model.get_ops():
        if operation.get_type_name() == "Constant":
            found[operation.get_element_type().to_string()] += operation.get_byte_size()
    return dict(sorted(found.items()))


def not_executed(params: Mapping[str, object], counts: Mapping[str, int]) -> str:
    """Return why figures say nothing about the precision that the target asks for, "" if some layer was computed in it.

    A device that does not tell what it executes is believed, and so is a target that asks for nothing.
    """
    asked = params.get("execute-in")
    if asked is None or asked in counts or not counts:
        return ""
    ran = " and ".join(counts)
    return f"{asked} is not available on this machine: it was asked for, and the runtime executed {ran}"


def insist(params: Mapping[str, object], layers: Iterable[ExecutedLayer]) -> None:
    """Refuse to time or to take apart what is not executed as the target asks: it would be another program's figures.

    Raises:
        ActionError: no layer is computed in that precision.
    """
    if why := not_executed(params, counts(layers)):
        raise ActionError("not-executed", why, help="run this on a processor that has it")
