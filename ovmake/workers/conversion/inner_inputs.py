"""Make inner tensors the inputs of a converted model, for a reader that cannot do it itself.

    model = begin_at(model, ["conv/Relu"], keep=1)

OpenVINO's TFLite reader translates all operations, also those before the new inputs, and then fails on the original
inputs that are missing ("Unknown tensor name: serving_default_image:0"). So the whole model is converted, with these
tensors as its last outputs, and is then cut there.
"""

from __future__ import annotations

from collections.abc import Sequence

import openvino as ov

from ovmake.errors import ActionError


def begin_at(model: ov.Model, tensors: Sequence[str], *, keep: int) -> ov.Model:
    """Return the model with its first `keep` outputs and with `tensors` as inputs. Unneeded inputs are removed.

    Raises:
        ActionError: a tensor is not an output.
    """
    parameters = [_sever(model, tensor) for tensor in tensors]
    results = model.get_results()[:keep]
    needed = _parameters(results)
    return ov.Model(results, [node for node in [*model.get_parameters(), *parameters] if node in needed])


def _sever(model: ov.Model, tensor: str) -> ov.op.Parameter:
    port = next((port for port in model.outputs if tensor in port.get_names()), None)
    if port is None:
        message = f"OpenVINO's reader lost the tensor `{tensor}`"
        raise ActionError("cannot-cut", message, setting="cut.inputs", help="begin at a different layer")
    source = port.get_node().input(0).get_source_output()
    parameter = ov.opset13.parameter(source.get_partial_shape(), source.get_element_type())
    takers = list(source.get_target_inputs())
    names = set(source.get_names())
    source.get_tensor().set_names(set())
    parameter.output(0).get_tensor().set_names(names)
    for taker in takers:
        taker.replace_source_output(parameter.output(0))
    return parameter


def _parameters(results: Sequence[ov.Node]) -> list[ov.Node]:
    """Return the Parameters that these results depend on."""
    found: list[ov.Node] = []
    seen: set[str] = set()
    pending = list(results)
    while pending:
        node = pending.pop()
        if node.get_name() in seen:
            continue
        seen.add(node.get_name())
        if node.get_type_name() == "Parameter":
            found.append(node)
        pending += [value.get_node() for value in node.input_values()]
    return found
