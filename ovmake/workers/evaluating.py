"""evaluate: run an IR on the samples that the reference saw; figures against TensorFlow's.

evaluation = {
    "format": 3, "samples": 5000,
    "metric": {"name": "accuracy", "unit": "share", "higher_is_better": true,    where the Ovfile asks for one
               "reference": 0.918, "candidate": 0.9138, "step": 0.0002,
               "interval": {"low", "high", "level", "replicates"}},              of the drop, see metrics/bootstrap.py
    "outputs": [{"name", "scale", "max_abs", "mean_abs", "cosine", ...}],        see differences.Difference
    "not_measured": "TensorFlow cannot run …",                                   then without metric and outputs
    "operations": {"tensorflow": 61, "openvino": 31},
    "executed": {"f32": 20}, "layers": [{"name", "type", "precision"}], "weights": {"f32": 594736},
    "compile_properties": {...},
}

One pass over the samples, a feed at a time on both sides, so that a set of any size fits.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov

from ovmake.workers import executed, ir
from ovmake.workers.differences import Difference
from ovmake.workers.interface import Interface
from ovmake.workers.metrics import Metric, Tally, drop_interval, metric_of
from ovmake.workers.outputs import Reading, rows
from ovmake.workers.preparing import Array
from ovmake.workers.protocol import ActionError, Request, message_of
from ovmake.workers.samples import Samples, take

# What a number of an output's type is rounded by, as a share of it: more than FP32 is held to.
RESOLUTION = {"f16": 2.0**-11, "bf16": 2.0**-8}
# Of the bootstrap.
SEED = 0


def evaluate(request: Request) -> dict[str, object]:
    """Compare; write `evaluation`."""
    interface = Interface.read(request.inputs["interface"])
    samples = take(request, interface)
    model = ir.read(request.inputs["xml"], request.inputs["bin"])
    properties = ir.compile_properties(request.params)
    compiled = _compile(model, str(request.params.get("device", "CPU")), properties)
    layers = executed.layers(compiled, model)
    facts = json.loads(Path(request.inputs["facts"]).read_bytes())
    evaluation: dict[str, object] = {
        "format": 3,
        "samples": samples.count,
        "outputs": [],
        "operations": {"tensorflow": facts.get("operations"), "openvino": ir.operations(model)},
        "executed": executed.counts(layers),
        "layers": layers,
        "weights": executed.weights(model),
        "compile_properties": properties,
    }
    if not_measured := facts.get("not_measured") or _not_executed(request, executed.counts(layers)):
        evaluation["not_measured"] = not_measured
    else:
        compared = _compared(request, compiled, interface, samples, facts["scales"])
        evaluation["outputs"] = [
            {
                "name": tensor.name,
                **compared.differences[tensor.name].figures(),
                **_own(facts, tensor.name),
                **({"resolution": RESOLUTION[tensor.type]} if tensor.type in RESOLUTION else {}),
            }
            for tensor in interface.outputs
        ]
        if compared.metric is not None:
            evaluation["metric"] = compared.metric
    Path(request.outputs["evaluation"]).write_text(json.dumps(evaluation, indent=1, allow_nan=False) + "\n")
    return {}


def _own(facts: dict[str, Any], name: str) -> dict[str, object]:
    """Return how far TensorFlow is from itself: a comparison cannot ask for more. See `original.again`."""
    own = facts["own"].get(name)
    if own is None:
        return {}
    apart = {"own_max_abs": own["max_abs"], "own_cosine": own["cosine"]}
    return {**apart, "quantum": facts["quanta"].get(name)} if facts["in_integers"] else apart


def _not_executed(request: Request, counts: dict[str, int]) -> str:
    """Return why figures of this machine say nothing about the target's precision, "" if they do."""
    asked = request.params.get("execute-in")
    return executed.not_executed(str(asked), counts) if asked else ""


def _compile(model: Any, device: str, properties: dict[str, str]) -> ov.CompiledModel:
    core = ov.Core()
    try:
        return core.compile_model(model, device, properties)
    except Exception as error:
        listed = ", ".join(f"`{name}`" for name in core.available_devices)
        message = f"OpenVINO cannot compile the IR for device `{device}`: {message_of(error)}"
        hint = f"devices of this machine: {listed}"
        raise ActionError("cannot-compile", message, setting="device", help=hint) from error


@dataclass(slots=True, kw_only=True)
class _Compared:
    """What came of one pass over the samples."""

    differences: dict[str, Difference]
    metric: dict[str, object] | None = None


def _compared(
    request: Request, compiled: ov.CompiledModel, interface: Interface, samples: Samples, scales: Mapping[str, float]
) -> _Compared:
    """Run the IR on all samples, each beside what TensorFlow gave for it."""
    name = request.params.get("accuracy.metric")
    tallies = _Tallies.of(metric_of(name, request)) if isinstance(name, str) else None
    differences = {tensor.name: Difference(scale=scales[tensor.name]) for tensor in interface.outputs}
    with Reading(request.inputs["expected"]) as stored:
        for actual, labels in _run(compiled, interface, samples):
            expected = {name: stored.take(name, len(array)) for name, array in actual.items()}
            for output, apart in differences.items():
                apart.add(expected[output], actual[output])
            if tallies is not None:
                tallies.reference.add(expected, labels, expected)
                tallies.candidate.add(actual, labels, expected)
        for output in differences:
            if left := stored.left(output):
                message = f"TensorFlow gave {left} rows of `{output}` more than the IR"
                raise ActionError("output-shape", message)
    return _Compared(differences=differences, metric=tallies.figures() if tallies else None)


def _run(
    compiled: ov.CompiledModel, interface: Interface, samples: Samples
) -> Iterator[tuple[dict[str, Array], Array | None]]:
    """Yield the IR's outputs [samples, ...] and the labels, feed by feed."""
    ports = {index: compiled.output(index) for index in range(len(interface.outputs))}
    # By place: where an output is an input handed through, OpenVINO's tensor has one name for both.
    places = {tensor.name: index for index, tensor in enumerate(interface.inputs)}
    asked = compiled.create_infer_request()
    for feed in samples.feeds():
        results = asked.infer({places[name]: array for name, array in feed.inputs.items()}, share_inputs=True)
        actual = {
            tensor.name: rows(_plain(results[ports[index]], ports[index]), tensor, count=feed.count, fed=feed.fed)
            for index, tensor in enumerate(interface.outputs)
        }
        yield actual, feed.labels


def _plain(array: Array, port: Any) -> Array:
    """Return bfloat16 as float32. OpenVINO hands its bits out as a float16, which is another number."""
    if port.get_element_type() != ov.Type.bf16:
        return array
    return np.asarray((array.view(np.uint16).astype(np.uint32) << 16).view(np.float32))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tallies:
    """A metric counted twice: TensorFlow's answers and the IR's."""

    metric: Metric
    reference: Tally
    candidate: Tally

    @classmethod
    def of(cls, metric: Metric) -> _Tallies:
        """Return empty tallies."""
        return cls(metric=metric, reference=metric.tally(), candidate=metric.tally())

    def figures(self) -> dict[str, object]:
        """Return the evaluation's `metric`. A score that is not finite is null."""
        reference, candidate = self.reference.score(), self.candidate.score()
        interval = drop_interval(self.reference, self.candidate, seed=SEED)
        return {
            "name": self.metric.name,
            "unit": self.metric.unit,
            "higher_is_better": self.metric.higher_is_better,
            "reference": reference if math.isfinite(reference) else None,
            "candidate": candidate if math.isfinite(candidate) else None,
            "step": self.reference.step,
            "interval": interval.to_json() if interval else None,
        }
