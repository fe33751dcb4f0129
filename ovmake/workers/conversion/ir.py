"""OpenVINO IRs: read, make canonical, write, count. Every OpenVINO action uses this module.

An IR is *canonical* if the same model and the same OpenVINO give the same bytes, in any process and at any time. The
converter breaks this in two ways: it names operations by a process-wide counter (`Transpose_42699`), and it stores the
absolute path of the source. So generated names are replaced by their position, `transpose.17`, and the path is removed.
Names from the model ("block_1/expand") stay: users know them, and they never change.
"""

from __future__ import annotations

import re
from pathlib import Path

import openvino as ov

from ovmake.contracts.files.interface import Tensor
from ovmake.workers.ipc.protocol import ask_for_room

# The default precision of floating point in execution. Without it, a CPU with AVX512-BF16 or AMX would run an FP32 IR
# in bf16.
EXECUTE_IN = "f32"
COMPILE_PROPERTIES = {"INFERENCE_PRECISION_HINT": EXECUTE_IN}

GENERATED = re.compile(r"([A-Z][A-Za-z0-9]*)_\d+")
NOT_COUNTED = {"Constant", "Parameter", "Result"}


def read(xml: str, weights: str) -> ov.Model:
    """Return the model of an IR's two files, at any paths."""
    return ov.Core().read_model(xml, weights)


def compile_properties(execute_in: str) -> dict[str, str]:
    """Return how the IR of a target is compiled, to be verified and to be measured: in which precision."""
    return {**COMPILE_PROPERTIES, "INFERENCE_PRECISION_HINT": execute_in}


def write(model: ov.Model, xml: str, weights: str) -> None:
    """Make the model canonical and write its two files."""
    make_canonical(model)
    # `serialize` requires the suffix; ovmake's files are named after their role.
    try:
        ov.serialize(model, f"{xml}.xml", f"{weights}.bin")
    except RuntimeError as error:
        # Its only message for a full disk is "basic_ios::clear: iostream error", and it removes its files.
        size = sum(operation.data.nbytes for operation in model.get_ops() if operation.get_type_name() == "Constant")
        ask_for_room(weights, size, error)
        raise
    Path(f"{xml}.xml").replace(xml)
    Path(f"{weights}.bin").replace(weights)


def make_canonical(model: ov.Model) -> None:
    """Replace generated and duplicate names, and remove information about this machine.

    NNCF and accuracy control identify operations by name.
    """
    operations = model.get_ordered_ops()
    taken = {operation.get_friendly_name() for operation in operations}
    seen: set[str] = set()
    for place, operation in enumerate(operations):
        name = operation.get_friendly_name()
        if operation.get_type_name() in {"Parameter", "Result"}:
            continue
        if GENERATED.fullmatch(name):
            operation.set_friendly_name(_free(f"{operation.get_type_name().lower()}.{place}", taken))
        elif name in seen:
            operation.set_friendly_name(_free(name, taken))
        seen.add(name)
    if "conversion_parameters" in model.rt_info:
        del model.rt_info["conversion_parameters"]


def _free(name: str, taken: set[str]) -> str:
    """Return the name, with a letter if it is in use: INT8 starts from an IR that already has positions as names."""
    candidate, turn = name, 0
    while candidate in taken:
        turn += 1
        candidate = f"{name}.{turn}"
    taken.add(candidate)
    return candidate


def user_name(name: str) -> str:
    """Return a tensor's name for an Ovfile: without the `:0` of frozen graphs."""
    return name.removesuffix(":0")


def name_ports(model: ov.Model) -> None:
    """Give inputs and outputs their names without `:0` as additional names; for inputs it becomes the friendly name.

    Outputs keep theirs: the operation that makes `scores:0` is called `scores`, and a duplicate becomes `scores_1`.
    """
    for port in [*model.inputs, *model.outputs]:
        node = port.get_node()
        name = user_name(node.get_friendly_name())
        others = {found for other in [*model.inputs, *model.outputs] if other != port for found in other.get_names()}
        if name not in others:
            port.get_tensor().add_names({name})
            if node.get_type_name() == "Parameter":
                node.set_friendly_name(name)


def drop_echoes(model: ov.Model) -> None:
    """Remove the outputs that the frontend makes from a frozen graph's unused inputs: `idle:0_1` from `idle:0`."""
    for port in model.outputs:
        node = port.get_node()
        source = node.input_value(0).get_node()
        echo = re.escape(source.get_friendly_name()) + r"_\d+"
        if source.get_type_name() == "Parameter" and re.fullmatch(echo, node.get_friendly_name()):
            model.remove_result(node)


def tensors(ports: list[ov.Output]) -> tuple[Tensor, ...]:
    """Return names, shapes and types of a model's inputs or outputs."""
    return tuple(
        Tensor(
            name=user_name(port.get_node().get_friendly_name()),
            shape=dimensions(port.get_partial_shape()),
            type=port.get_element_type().to_string(),
            bounds=bounds(port.get_partial_shape()),
        )
        for port in ports
    )


def bounds(shape: ov.PartialShape) -> tuple[tuple[int, int], ...]:
    """Return the smallest and largest size of each dimension (-1: no limit), if some dimension is bounded."""
    if shape.rank.is_dynamic:
        return ()
    found = tuple((int(dimension.get_min_length()), int(dimension.get_max_length())) for dimension in shape)
    bounded = any(d.is_dynamic and (low > 0 or high > 0) for d, (low, high) in zip(shape, found, strict=True))
    return found if bounded else ()


def dimensions(shape: ov.PartialShape) -> tuple[int, ...]:
    """Return a partial shape with -1 for dynamic dimensions."""
    if shape.rank.is_dynamic:
        return (-1,)
    return tuple(-1 if dimension.is_dynamic else dimension.get_length() for dimension in shape)


def operations(model: ov.Model) -> int:
    """Return the number of operations that are not constants, inputs or outputs."""
    return sum(operation.get_type_name() not in NOT_COUNTED for operation in model.get_ops())
