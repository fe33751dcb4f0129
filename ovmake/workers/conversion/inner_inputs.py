"""Let a converted model begin at inner tensors: for a reader that cannot.

    model = begin_at(model, ["conv/Relu"], keep=1)

OpenVINO's reader of TFLite translates all operations, whatever the inputs are to be, and then misses the inputs that
were left out ("Unknown tensor name: serving_default_image:0"). So the whole is converted, with these tensors as its
last outputs, and severed there.
"""

from __future__ import annotations

from collections.abc import Sequence

import openvino as ov

from ovmake.errors import ActionError


def begin_at(model: ov.Model, tensors: Sequence[str], *, keep: int) -> ov.Model:
    """Return the model of its first `keep` outputs, with `tensors` as inputs. Inputs that it does not need are gone.

    Raises:
        ActionError: a tensor is none of the outputs.
    """
    parameters = [_sever(model, tensor) for tensor in tensors]
    results = model.get_results()[:keep]
    needed = _parameters(results)
    return ov.Model(results, [node for node in [*model.get_parameters(), *parameters] if node in needed])


def _sever(model: ov.Model, tensor: str) -> ov.op.Parameter:
    port = next((port for port in model.outputs if tensor in port.get_names()), None)
    if port is None:
        message = f"OpenVINO's reader lost the tensor `{tensor}` on the way"
        raise ActionError("cannot-cut", message, setting="cut.inputs", help="begin at another layer")
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
    """Return the Parameters that lead to these results."""
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
