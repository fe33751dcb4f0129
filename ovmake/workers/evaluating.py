"""evaluate: run an IR on the samples that the reference saw; figures against TensorFlow's.

evaluation = {
    "format": 1, "samples": 5000,
    "metric": {"name": "accuracy", "reference": 0.918, "candidate": 0.9138},     where there are labels
    "outputs": [{"name", "scale", "max_abs", "mean_abs", "cosine", ...}],        see differences.difference
    "not_measured": "TensorFlow cannot run …",                                   then without metric and outputs
    "operations": {"tensorflow": 61, "openvino": 31},
    "executed": {"f32": 20}, "compile_properties": {...},
}
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov

from ovmake.workers import ir
from ovmake.workers.differences import difference
from ovmake.workers.interface import Interface
from ovmake.workers.metrics import Metric, drop_interval, metric_of
from ovmake.workers.preparing import Array
from ovmake.workers.protocol import ActionError, Request, message_of
from ovmake.workers.samples import Collected, Samples, take

# Of the bootstrap.
SEED = 0
# What a number of an output's type is rounded by, as a share of it: more than FP32 is held to.
RESOLUTION = {"f16": 2.0**-11, "bf16": 2.0**-8}


def evaluate(request: Request) -> dict[str, object]:
    """Compare; write `evaluation`."""
    interface = Interface.read(request.inputs["interface"])
    samples = take(request, interface)
    model = ir.read(request.inputs["xml"], request.inputs["bin"])
    compiled = _compile(model, str(request.params.get("device", "CPU")))
    facts = json.loads(Path(request.inputs["facts"]).read_bytes())
    evaluation: dict[str, object] = {
        "format": 3,
        "samples": samples.count,
        "outputs": [],
        "operations": {"tensorflow": facts.get("operations"), "openvino": ir.operations(model)},
        "executed": ir.executed_precisions(compiled),
        "compile_properties": ir.COMPILE_PROPERTIES,
    }
    if "not_measured" in facts:
        evaluation["not_measured"] = facts["not_measured"]
    else:
        actual, expected = _run(compiled, interface, samples), _expected(request, interface)
        evaluation["outputs"] = [
            {
                "name": tensor.name,
                **difference(expected[tensor.name], actual[tensor.name]),
                **_own(facts, tensor.name),
                **({"resolution": RESOLUTION[tensor.type]} if tensor.type in RESOLUTION else {}),
            }
            for tensor in interface.outputs
        ]
        metric = request.params.get("accuracy.metric")
        if isinstance(metric, str):
            evaluation["metric"] = _metric(metric_of(metric, request), expected, actual, samples)
    Path(request.outputs["evaluation"]).write_text(json.dumps(evaluation, indent=1) + "\n")
    return {}


def _own(facts: dict[str, Any], name: str) -> dict[str, object]:
    """Return how far TensorFlow is from itself: a comparison cannot ask for more. See `original.again`."""
    own = facts["own"].get(name)
    if own is None:
        return {}
    apart = {"own_max_abs": own["max_abs"], "own_cosine": own["cosine"]}
    return {**apart, "quantum": facts["quanta"].get(name)} if facts["in_integers"] else apart


def _compile(model: Any, device: str) -> ov.CompiledModel:
    core = ov.Core()
    try:
        return core.compile_model(model, device, ir.COMPILE_PROPERTIES)
    except Exception as error:
        listed = ", ".join(f"`{name}`" for name in core.available_devices)
        message = f"OpenVINO cannot compile the IR for device `{device}`: {message_of(error)}"
        hint = f"devices of this machine: {listed}"
        raise ActionError("cannot-compile", message, setting="device", help=hint) from error


def _run(compiled: ov.CompiledModel, interface: Interface, samples: Samples) -> dict[str, Array]:
    collected = Collected(interface.outputs)
    ports = {tensor.name: compiled.output(index) for index, tensor in enumerate(interface.outputs)}
    # By place: where an output is an input handed through, OpenVINO's tensor has one name for both.
    places = {tensor.name: index for index, tensor in enumerate(interface.inputs)}
    asked = compiled.create_infer_request()
    for feed, count in samples.feeds():
        results = asked.infer({places[name]: array for name, array in feed.items()}, share_inputs=True)
        collected.add({name: _plain(results[port], port) for name, port in ports.items()}, count, samples.fed(feed))
    return collected.arrays()


def _plain(array: Array, port: Any) -> Array:
    """Return bfloat16 as float32. OpenVINO hands its bits out as a float16, which is another number."""
    if port.get_element_type() != ov.Type.bf16:
        return array
    return np.asarray((array.view(np.uint16).astype(np.uint32) << 16).view(np.float32))


def _expected(request: Request, interface: Interface) -> dict[str, Array]:
    with np.load(request.inputs["expected"], allow_pickle=False) as stored:
        return {tensor.name: stored[f"output_{index}"] for index, tensor in enumerate(interface.outputs)}


def _metric(
    metric: Metric,
    expected: dict[str, Array],
    actual: dict[str, Array],
    samples: Samples,
) -> dict[str, object]:
    reference, candidate = metric.tally(), metric.tally()
    reference.add(expected, samples.labels, expected)
    candidate.add(actual, samples.labels, expected)
    interval = drop_interval(reference, candidate, seed=SEED)
    return {
        "name": metric.name,
        "unit": metric.unit,
        "higher_is_better": metric.higher_is_better,
        "reference": reference.score(),
        "candidate": candidate.score(),
        **({"interval": interval.to_json()} if interval else {}),
    }
