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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov

from ovmake.errors import ActionError, message_of
from ovmake.workers.evaluation.differences import Difference
from ovmake.workers.evaluation.metrics import Metric, Tally, drop_interval, metric_of
from ovmake.workers.evaluation.outputs import Reading, rows
from ovmake.workers.inputs.feeding_plan import FeedingPlan
from ovmake.workers.inputs.interface import Interface, Tensor
from ovmake.workers.inputs.preparing import Array
from ovmake.workers.inputs.samples import Feed, Samples, take
from ovmake.workers.ipc.protocol import Request

# What a number of an output's type is rounded by, as a share of it: more than FP32 is held to.
RESOLUTION = {"f16": 2.0**-11, "bf16": 2.0**-8}
# An IR with a cosine below this on the first samples is asked the same again.
FAR = 0.99
# Of the bootstrap.
SEED = 0
# So many samples tell whether another way to run an IR keeps its promise; a large set takes no longer for it.
ENOUGH = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What an IR is compared with, and on what.

    `facts` and `plan` are the reference's, `expected` is the file of its outputs, `truth` of those in higher precision.
    """

    interface: Interface
    samples: Samples
    facts: Mapping[str, Any]
    expected: str
    truth: str
    plan: FeedingPlan
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
            truth=request.inputs["truth"],
            plan=FeedingPlan.of(request),
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
        return {"answer": self.reference.blind, "score": float(blind[0]), "hint": self.reference.hint, **ends}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A feed that was compared: outputs of both sides [samples, ...], and the tallies so far, None without a metric.

    `asking` is what gave the IR's.
    """

    feed: Feed
    expected: Mapping[str, Array]
    actual: Mapping[str, Array]
    tallies: Tallies | None
    asking: Asking


Look = Callable[[Seen], bool]
Figures = dict[str, object]


def compile_model(model: ov.Model, device: str, properties: Mapping[str, str]) -> ov.CompiledModel:
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
    """Return the figures of two ways to run one IR, over the same samples, read once. `look` sees the first way.

    The other way sees ENOUGH samples of a large set, in feeds spread over it; and all of them where it is worse there.
    """
    first, second = Execution.of(subject, compiled), Execution.of(subject, other)
    second.stride = max(1, math.ceil(subject.samples.count / ENOUGH))
    _run(subject, [first, second], subject.samples.feeds(), look)
    if second.stride > 1 and second.drop > max(first.drop, 0.0):
        second = Execution.of(subject, other)  # a few samples of some are no drop of all
        _run(subject, [second], subject.samples.feeds(), lambda _: False)
    return [execution.figures(interval=True) for execution in (first, second)]


@dataclass(slots=True, kw_only=True)
class Execution:
    """One way to run an IR, and what was seen of it so far beside TensorFlow, and beside the truth where there is one.

    Of every `stride` feeds it sees the first. `unsteady` are the outputs that it gave otherwise when it was asked the
    same again.
    """

    subject: Subject
    asking: Asking
    differences: Mapping[str, Difference]
    beside: Mapping[str, Difference]
    tallies: Tallies | None
    stride: int = 1
    count: int = 0
    unsteady: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, subject: Subject, compiled: ov.CompiledModel) -> Execution:
        """Return one that has seen nothing."""
        scales, varying = subject.facts["scales"], subject.facts["varying"]
        names = [tensor.name for tensor in subject.interface.outputs]
        true = names if "truth" in subject.facts else []
        return cls(
            subject=subject,
            asking=Asking.of(subject, compiled),
            differences={name: Difference(scale=scales[name], varies=name in varying) for name in names},
            beside={name: Difference(scale=scales[name], varies=True) for name in true},
            tallies=Tallies.of(subject.metric) if subject.metric else None,
        )

    def add(
        self, feed: Feed, expected: Mapping[str, Array], true: Mapping[str, Array], actual: Mapping[str, Array]
    ) -> None:
        """Count a feed."""
        for output, apart in self.differences.items():
            apart.add(expected[output], actual[output])
        for output, apart in self.beside.items():
            apart.add(true[output], actual[output])
        if self.tallies is not None:
            self.tallies.reference.add(expected, feed.labels, expected)
            self.tallies.candidate.add(actual, feed.labels, expected)
        if not self.count and _is_far(self.differences):
            self.unsteady = self._unsteady(feed, actual)
        self.count += feed.count

    def _unsteady(self, feed: Feed, actual: Mapping[str, Array]) -> list[str]:
        """Return the outputs that the IR gives otherwise when it is asked the same again.

        OpenVINO's first inference of an `If` with a dynamic batch may hand out memory that nothing was written to.
        """
        again = self.asking.answers(feed)
        return [name for name, array in actual.items() if not np.array_equal(array, again[name], equal_nan=True)]

    @property
    def drop(self) -> float:
        """By how much the metric is worse than TensorFlow's so far; 0 without one, infinite if it is no number."""
        if self.tallies is None:
            return 0.0
        drop = self.tallies.reference.score() - self.tallies.candidate.score()
        drop = drop if self.tallies.metric.higher_is_better else -drop
        return math.inf if math.isnan(drop) else drop

    def figures(self, *, interval: bool) -> Figures:
        """Return `samples`, `outputs` and `metric` of an evaluation."""
        figures: Figures = {
            "samples": self.count,
            "outputs": [
                _output(self.subject, tensor, self.differences[tensor.name], self.beside.get(tensor.name))
                for tensor in self.subject.interface.outputs
            ],
        }
        if self.unsteady:
            figures["unsteady"] = self.unsteady
        return figures | ({"metric": self.tallies.figures(interval=interval)} if self.tallies else {})


def _run(subject: Subject, executions: Sequence[Execution], feeds: Iterable[Feed], look: Look) -> None:
    """Run the feeds in each way, until the first has been seen enough of."""
    first, *others = executions
    with Reading(subject.expected) as stored, Reading(subject.truth) as truth:
        for place, feed in enumerate(feeds):
            actual = first.asking.answers(feed)
            expected = {name: stored.take(name, len(array)) for name, array in actual.items()}
            true = {name: truth.take(name, len(actual[name])) for name in first.beside}
            first.add(feed, expected, true, actual)
            for other in others:
                if place % other.stride == 0:
                    other.add(feed, expected, true, other.asking.answers(feed))
            seen = Seen(feed=feed, expected=expected, actual=actual, tallies=first.tallies, asking=first.asking)
            if look(seen):
                return
        _check_all_taken(stored, first.differences)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """A compiled model that is asked feed by feed."""

    subject: Subject
    ports: Sequence[ov.ConstOutput]
    request: ov.InferRequest

    @classmethod
    def of(cls, subject: Subject, compiled: ov.CompiledModel) -> Asking:
        """Return one of a model whose outputs are the interface's, in its order."""
        ports = [compiled.output(index) for index in range(len(subject.interface.outputs))]
        return cls(subject=subject, ports=ports, request=compiled.create_infer_request())

    def answers(self, feed: Feed) -> dict[str, Array]:
        """Return what it gives for a feed, [samples, ...] by output."""
        interface, whole = self.subject.interface, self.subject.plan.whole
        try:
            results = self.request.infer(by_place(interface, feed.inputs), share_inputs=True)
        except RuntimeError as error:
            message = f"OpenVINO cannot run the IR on these samples, TensorFlow can: {message_of(error)}"
            made_up = "they were made up: name a dataset under `accuracy`, or `value` for an input of one value"
            hint = made_up if self.subject.samples.origin == "noise" else ""
            raise ActionError("openvino-cannot-run", message, setting="accuracy.dataset", help=hint) from error
        return {
            tensor.name: rows(
                _plain(results[port], port), tensor, count=feed.count, fed=feed.fed, whole=tensor.name in whole
            )
            for tensor, port in zip(interface.outputs, self.ports, strict=True)
        }


def _is_far(differences: Mapping[str, Difference]) -> bool:
    """Whether some output is so far from TensorFlow's that the IR is asked once more."""
    every = [apart.figures() for apart in differences.values()]
    return any(known["nan_mismatch"] or (1.0 if known["cosine"] is None else known["cosine"]) < FAR for known in every)


def _check_all_taken(stored: Reading, outputs: Iterable[str]) -> None:
    for output in outputs:
        if left := stored.left(output):
            raise ActionError("output-shape", f"TensorFlow gave {left} rows of `{output}` more than the IR")


def _output(subject: Subject, tensor: Tensor, difference: Difference, beside: Difference | None) -> dict[str, object]:
    facts, name = subject.facts, tensor.name
    found = {"name": name, **difference.figures(), **_own(facts, name), **_resolution(facts, tensor)}
    if beside is None:
        return found
    near, apart = beside.figures(), facts["apart"].get(name) or {"max_abs": None, "cosine": None}
    return {
        **found,
        "truth": facts["truth"],
        "truth_max_abs": near["max_abs"],
        "truth_cosine": near["cosine"],
        "own_truth_max_abs": apart["max_abs"],
        "own_truth_cosine": apart["cosine"],
    }


def _resolution(facts: Mapping[str, Any], tensor: Tensor) -> dict[str, object]:
    """Return what an output is rounded by: as a number of its type, or of the half precision inside."""
    inside = facts["computes_in"]
    kinds = [kind for kind in (tensor.type, inside) if kind in RESOLUTION]
    if not kinds:
        return {}
    named = {"computes_in": inside} if inside in kinds else {}
    return {"resolution": max(RESOLUTION[kind] for kind in kinds), **named}


def _own(facts: Mapping[str, Any], name: str) -> dict[str, object]:
    """Return how far TensorFlow is from itself: a comparison cannot ask for more. See `original.again`."""
    own, quantum = facts["own"].get(name), facts["quanta"].get(name)
    if own is None:
        return {}
    apart = {"own_max_abs": own["max_abs"], "own_cosine": own["cosine"], "own_moved": own["moved"]}
    drawn = {"random": True} if own["random"] else {}
    return {**apart, **drawn, **({"quantum": quantum} if facts["in_integers"] or quantum else {})}


def by_place(interface: Interface, inputs: Mapping[str, Array]) -> dict[int, Array]:
    """Return a feed as OpenVINO takes it: where an output is an input handed through, a name stands for both."""
    return {index: inputs[tensor.name] for index, tensor in enumerate(interface.inputs)}


def _plain(array: Array, port: ov.ConstOutput) -> Array:
    """Return bfloat16 as float32. OpenVINO hands its bits out as a float16, which is another number."""
    if port.get_element_type() != ov.Type.bf16:
        return array
    return np.asarray((array.view(np.uint16).astype(np.uint32) << 16).view(np.float32))
