"""An IR beside TensorFlow, a feed at a time: differences of outputs, and the metric of both.

    compare(subject, compiled, look=...) -> figures      what an evaluation holds of it: `outputs`, `metric`
    compare_both(subject, compiled, other, look) -> figures of both, two ways to run one IR

`look` sees every feed, and may end the comparison early: a search for layers to give back does, once a model cannot
keep its promise any more. Figures of a part of the samples are then all there is.

One pass over the samples, and no more than a feed of either side in memory, so that a set of any size fits.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov

from ovmake.workers.differences import Difference
from ovmake.workers.interface import Interface, Tensor
from ovmake.workers.metrics import Metric, Tally, drop_interval, metric_of
from ovmake.workers.outputs import Reading, rows
from ovmake.workers.preparing import Array
from ovmake.workers.protocol import ActionError, Request, message_of
from ovmake.workers.samples import Feed, Samples, take

# What a number of an output's type is rounded by, as a share of it: more than FP32 is held to.
RESOLUTION = {"f16": 2.0**-11, "bf16": 2.0**-8}
# Of the bootstrap.
SEED = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What an IR is compared with, and on what. `facts` are the reference's, `expected` is the file of its outputs."""

    interface: Interface
    samples: Samples
    facts: Mapping[str, Any]
    expected: str
    metric: Metric | None

    @classmethod
    def of(cls, request: Request) -> Subject:
        """Return what a request of *evaluate* or *control* speaks of.

        Raises:
            ActionError: TensorFlow was asked for other samples, because a loader did not yield the same again.
        """
        interface = Interface.read(request.inputs["interface"])
        name = request.params.get("accuracy.metric")
        samples, facts = take(request, interface), json.loads(Path(request.inputs["facts"]).read_bytes())
        if samples.yielded is not None and "yielded" in facts:
            samples.yielded.check(facts["yielded"], "dataset")
        return cls(
            interface=interface,
            samples=samples,
            facts=facts,
            expected=request.inputs["expected"],
            metric=metric_of(name, request) if isinstance(name, str) else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tallies:
    """A metric counted twice: TensorFlow's answers and the IR's."""

    metric: Metric
    reference: Tally
    candidate: Tally

    @classmethod
    def of(cls, metric: Metric) -> Tallies:
        """Return empty tallies."""
        return cls(metric=metric, reference=metric.tally(), candidate=metric.tally())

    def figures(self, *, interval: bool) -> dict[str, object]:
        """Return the evaluation's `metric`. A score that is not finite is null."""
        reference, candidate = self.reference.score(), self.candidate.score()
        held = drop_interval(self.reference, self.candidate, seed=SEED) if interval else None
        return {
            "name": self.metric.name,
            "unit": self.metric.unit,
            "higher_is_better": self.metric.higher_is_better,
            "reference": reference if math.isfinite(reference) else None,
            "candidate": candidate if math.isfinite(candidate) else None,
            "step": self.reference.step,
            "interval": held.to_json() if held else None,
            "score_intervals": {"tensorflow": held.reference, "openvino": held.candidate} if held else None,
            "chance": self._chance(held.above_chance) if held else None,
        }

    def _chance(self, above: tuple[float, float] | None) -> dict[str, object] | None:
        """Return what answers without looking score, and where TensorFlow's gain over them lies."""
        blind = self.reference.by_chance(np.ones((1, self.reference.count)))
        if blind is None or above is None or not all(map(math.isfinite, (*blind, *above))):
            return None
        ends = dict(zip(("above_low", "above_high"), above, strict=True))
        return {"answer": self.reference.blind, "score": float(blind[0]), **ends}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A feed that was compared: outputs of both sides [samples, ...], and the tallies so far, None without a metric."""

    feed: Feed
    expected: Mapping[str, Array]
    actual: Mapping[str, Array]
    tallies: Tallies | None


Look = Callable[[Seen], bool]
Figures = dict[str, object]


def compile_model(model: Any, device: str, properties: Mapping[str, str]) -> ov.CompiledModel:
    """Return the model compiled for a device.

    Raises:
        ActionError: OpenVINO cannot.
    """
    core = ov.Core()
    try:
        return core.compile_model(model, device, dict(properties))
    except Exception as error:
        listed = ", ".join(f"`{name}`" for name in core.available_devices)
        message = f"OpenVINO cannot compile the IR for device `{device}`: {message_of(error)}"
        hint = f"devices of this machine: {listed}"
        raise ActionError("cannot-compile", message, setting="device", help=hint) from error


def compare(
    subject: Subject,
    compiled: ov.CompiledModel,
    *,
    feeds: Iterable[Feed] | None = None,
    look: Look = lambda _: False,
    interval: bool = True,
) -> Figures:
    """Return `samples`, `outputs` and `metric` of an evaluation. `look` returns whether it has seen enough.

    `feeds` are the subject's samples, if somebody has them in memory; `interval`: the drop's is worth its time.
    """
    execution = Execution.of(subject, compiled)
    _run(subject, [execution], feeds or subject.samples.feeds(), look)
    return execution.figures(interval=interval)


def compare_both(subject: Subject, compiled: ov.CompiledModel, other: ov.CompiledModel, look: Look) -> list[Figures]:
    """Return the figures of two ways to run one IR, over the same samples, read once. `look` sees the first way."""
    executions = [Execution.of(subject, one) for one in (compiled, other)]
    _run(subject, executions, subject.samples.feeds(), look)
    return [execution.figures(interval=True) for execution in executions]


@dataclass(slots=True, kw_only=True)
class Execution:
    """One way to run an IR, and what was seen of it so far beside TensorFlow."""

    subject: Subject
    ports: list[Any]
    request: Any
    differences: Mapping[str, Difference]
    tallies: Tallies | None
    count: int = 0

    @classmethod
    def of(cls, subject: Subject, compiled: ov.CompiledModel) -> Execution:
        """Return one that has seen nothing."""
        outputs, scales = subject.interface.outputs, subject.facts["scales"]
        return cls(
            subject=subject,
            ports=[compiled.output(index) for index in range(len(outputs))],
            request=compiled.create_infer_request(),
            differences={tensor.name: Difference(scale=scales[tensor.name]) for tensor in outputs},
            tallies=Tallies.of(subject.metric) if subject.metric else None,
        )

    def infer(self, feed: Feed) -> dict[str, Array]:
        """Return the IR's outputs [samples, ...]."""
        return answers(self.request, self.ports, self.subject.interface, feed)

    def add(self, feed: Feed, expected: Mapping[str, Array], actual: Mapping[str, Array]) -> None:
        """Count a feed."""
        for output, apart in self.differences.items():
            apart.add(expected[output], actual[output])
        if self.tallies is not None:
            self.tallies.reference.add(expected, feed.labels, expected)
            self.tallies.candidate.add(actual, feed.labels, expected)
        self.count += feed.count

    def figures(self, *, interval: bool) -> Figures:
        """Return `samples`, `outputs` and `metric` of an evaluation."""
        outputs = self.subject.interface.outputs
        figures: Figures = {
            "samples": self.count,
            "outputs": [_output(self.subject, tensor, self.differences[tensor.name]) for tensor in outputs],
        }
        return figures | ({"metric": self.tallies.figures(interval=interval)} if self.tallies else {})


def _run(subject: Subject, executions: Sequence[Execution], feeds: Iterable[Feed], look: Look) -> None:
    """Run the feeds in each way, until the first has been seen enough of."""
    first = executions[0]
    with Reading(subject.expected) as stored:
        for feed in feeds:
            several = [execution.infer(feed) for execution in executions]
            expected = {name: stored.take(name, len(array)) for name, array in several[0].items()}
            for execution, actual in zip(executions, several, strict=True):
                execution.add(feed, expected, actual)
            if look(Seen(feed=feed, expected=expected, actual=several[0], tallies=first.tallies)):
                return
        _check_all_taken(stored, first.differences)


def answers(request: Any, ports: Sequence[Any], interface: Interface, feed: Feed) -> dict[str, Array]:
    """Return what an IR gives for a feed, [samples, ...] by output; `ports` are its outputs."""
    results = request.infer(by_place(interface, feed.inputs), share_inputs=True)
    return {
        tensor.name: rows(_plain(results[port], port), tensor, count=feed.count, fed=feed.fed)
        for tensor, port in zip(interface.outputs, ports, strict=True)
    }


def _check_all_taken(stored: Reading, outputs: Iterable[str]) -> None:
    for output in outputs:
        if left := stored.left(output):
            raise ActionError("output-shape", f"TensorFlow gave {left} rows of `{output}` more than the IR")


def _output(subject: Subject, tensor: Tensor, difference: Difference) -> dict[str, object]:
    resolution = {"resolution": RESOLUTION[tensor.type]} if tensor.type in RESOLUTION else {}
    return {"name": tensor.name, **difference.figures(), **_own(subject.facts, tensor.name), **resolution}


def _own(facts: Mapping[str, Any], name: str) -> dict[str, object]:
    """Return how far TensorFlow is from itself: a comparison cannot ask for more. See `original.again`."""
    own = facts["own"].get(name)
    if own is None:
        return {}
    apart = {"own_max_abs": own["max_abs"], "own_cosine": own["cosine"]}
    return {**apart, "quantum": facts["quanta"].get(name)} if facts["in_integers"] else apart


def by_place(interface: Interface, inputs: Mapping[str, Array]) -> dict[int, Array]:
    """Return a feed as OpenVINO takes it: where an output is an input handed through, a name stands for both."""
    return {index: inputs[tensor.name] for index, tensor in enumerate(interface.inputs)}


def _plain(array: Array, port: Any) -> Array:
    """Return bfloat16 as float32. OpenVINO hands its bits out as a float16, which is another number."""
    if port.get_element_type() != ov.Type.bf16:
        return array
    return np.asarray((array.view(np.uint16).astype(np.uint32) << 16).view(np.float32))
