"""Compare an IR with TensorFlow, one feed at a time: differences of the outputs, and the metric of both.

    compare(subject, compiled, on_feed=...) -> Figures      what an evaluation holds of it
    compare_both(subject, compiled, other, on_feed) -> figures of both, two ways to run one IR

`look` is called with every feed, and may end the comparison early. Accuracy control does so once a model cannot meet
its accuracy requirement any more; the figures then cover a part of the samples.

There is one pass over the samples, with one feed of each side in memory, so a dataset of any size fits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

import numpy as np
import openvino as ov

from ovmake.contracts.codec import load
from ovmake.contracts.files.evaluation import Chance, Figures, OutputFigures, ScoreIntervals
from ovmake.contracts.files.evaluation import Metric as MetricFigures
from ovmake.contracts.files.interface import Interface, Tensor
from ovmake.contracts.files.reference import ReferenceFacts
from ovmake.contracts.params.evaluation import EvaluateParams
from ovmake.errors import ActionError, message_of
from ovmake.workers.evaluation.differences import Difference
from ovmake.workers.evaluation.metrics import Metric, Tally, drop_interval, metric_of
from ovmake.workers.evaluation.outputs import Reading, rows
from ovmake.workers.inputs.feeding_plan import FeedingPlan
from ovmake.workers.inputs.preparing import Array
from ovmake.workers.inputs.samples import Feed, Samples, take
from ovmake.workers.ipc.protocol import Request

# The relative rounding unit of output types coarser than FP32.
RESOLUTION = {"f16": 2.0**-11, "bf16": 2.0**-8}
# An IR with a cosine below this on the first samples is run again on the same samples.
FAR = 0.99
# Of the bootstrap.
SEED = 0
# The number of samples that decide whether a second way to run an IR meets its requirement; a large set has no more.
ENOUGH = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The reference of a comparison, and its samples.

    `facts` and `plan` are the reference's. `expected` is the file of its outputs, `truth` of those in higher precision.
    """

    interface: Interface
    samples: Samples
    facts: ReferenceFacts
    expected: str
    truth: str
    plan: FeedingPlan
    metric: Metric | None

    @classmethod
    def of(cls, request: Request, asked: EvaluateParams) -> Subject:
        """Return what a request of *evaluate* or *control* speaks of, and asks for.

        Raises:
            ActionError: TensorFlow ran on different samples, because a loader yielded different ones.
        """
        interface = Interface.read(request.inputs["interface"])
        samples, facts = (
            take(request, interface, asked.samples),
            load(ReferenceFacts, request.inputs["facts"], "facts of reference"),
        )
        if samples.yielded is not None and facts.yielded is not None:
            samples.yielded.check(facts.yielded, "dataset")
        return cls(
            interface=interface,
            samples=samples,
            facts=facts,
            expected=request.inputs["expected"],
            truth=request.inputs["truth"],
            plan=FeedingPlan.of(request),
            metric=metric_of(asked.metric, request) if asked.metric else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tallies:
    """The metric's two tallies: of TensorFlow's answers and of the IR's."""

    metric: Metric
    reference: Tally
    candidate: Tally

    @classmethod
    def of(cls, metric: Metric) -> Tallies:
        """Return empty tallies."""
        return cls(metric=metric, reference=metric.tally(), candidate=metric.tally())

    def figures(self, *, interval: bool) -> MetricFigures:
        """Return the evaluation's `metric`. A score that is not finite is None."""
        reference, candidate = self.reference.score(), self.candidate.score()
        held = drop_interval(self.reference, self.candidate, seed=SEED) if interval else None
        return MetricFigures(
            name=self.metric.name,
            unit=self.metric.unit,
            higher_is_better=self.metric.higher_is_better,
            reference=reference if math.isfinite(reference) else None,
            candidate=candidate if math.isfinite(candidate) else None,
            step=self.reference.step,
            interval=held.drop if held else None,
            score_intervals=ScoreIntervals(tensorflow=held.reference, openvino=held.candidate) if held else None,
            chance=self._chance(held.above_chance) if held else None,
        )

    def _chance(self, above: tuple[float, float] | None) -> Chance | None:
        """Return the chance level of the metric, and the interval of TensorFlow's gain over it."""
        blind = self.reference.by_chance(np.ones((1, self.reference.count)))
        if blind is None or above is None or not all(map(math.isfinite, (*blind, *above))):
            return None
        low, high = above
        return Chance(
            answer=self.reference.blind,
            score=float(blind[0]),
            hint=self.reference.hint,
            above_low=low,
            above_high=high,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedFeed:
    """A compared feed: the outputs of both sides [samples, ...], and the tallies so far, None without a metric.

    `inferring` made the IR's outputs.
    """

    feed: Feed
    expected: Mapping[str, Array]
    actual: Mapping[str, Array]
    tallies: Tallies | None
    inferring: Inferring


OnFeed = Callable[[ComparedFeed], bool]


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
    on_feed: OnFeed = lambda _: False,
    interval: bool = True,
) -> Figures:
    """Return the figures of a way to run an IR. `look` returns whether it has seen enough.

    `feeds` are the subject's samples if the caller has them in memory. `interval`: compute that of the drop.
    """
    execution = Execution.of(subject, compiled)
    _run(subject, [execution], feeds or subject.samples.feeds(), on_feed)
    return execution.figures(interval=interval)


def compare_both(
    subject: Subject, compiled: ov.CompiledModel, other: ov.CompiledModel, on_feed: OnFeed
) -> list[Figures]:
    """Return the figures of two ways to run one IR, over the same samples, read once. `look` gets the first way.

    Of a large set, the second way runs ENOUGH samples, in feeds spread over it; if it is worse on these, it runs all.
    """
    first, second = Execution.of(subject, compiled), Execution.of(subject, other)
    second.stride = max(1, math.ceil(subject.samples.count / ENOUGH))
    _run(subject, [first, second], subject.samples.feeds(), on_feed)
    if second.stride > 1 and second.drop > max(first.drop, 0.0):
        second = Execution.of(subject, other)  # the drop of a few samples is not that of all
        _run(subject, [second], subject.samples.feeds(), lambda _: False)
    return [execution.figures(interval=True) for execution in (first, second)]


@dataclass(slots=True, kw_only=True)
class Execution:
    """One way to run an IR, and its differences so far from TensorFlow, and from the truth if there is one.

    It runs the first of every `stride` feeds. `unsteady` are the outputs that differed when the same feed was repeated.
    """

    subject: Subject
    inferring: Inferring
    differences: Mapping[str, Difference]
    beside: Mapping[str, Difference]
    tallies: Tallies | None
    stride: int = 1
    count: int = 0
    unsteady: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, subject: Subject, compiled: ov.CompiledModel) -> Execution:
        """Return an empty one."""
        scales, varying = subject.facts.scales, subject.facts.varying
        names = [tensor.name for tensor in subject.interface.outputs]
        true = names if subject.facts.truth else []
        return cls(
            subject=subject,
            inferring=Inferring.of(subject, compiled),
            differences={name: Difference(scale=scales[name], varies=name in varying) for name in names},
            beside={name: Difference(scale=scales[name], varies=True) for name in true},
            tallies=Tallies.of(subject.metric) if subject.metric else None,
        )

    def add(
        self, feed: Feed, expected: Mapping[str, Array], true: Mapping[str, Array], actual: Mapping[str, Array]
    ) -> None:
        """Count a feed."""
        for output, difference in self.differences.items():
            difference.add(expected[output], actual[output])
        for output, difference in self.beside.items():
            difference.add(true[output], actual[output])
        if self.tallies is not None:
            self.tallies.reference.add(expected, feed.labels, expected)
            self.tallies.candidate.add(actual, feed.labels, expected)
        if not self.count and _is_far(self.differences):
            self.unsteady = self._unsteady(feed, actual)
        self.count += feed.count

    def _unsteady(self, feed: Feed, actual: Mapping[str, Array]) -> list[str]:
        """Return the outputs that differ when the IR runs the same feed again.

        OpenVINO's first inference of an `If` with a dynamic batch may return uninitialized memory.
        """
        again = self.inferring.answers(feed)
        return [name for name, array in actual.items() if not np.array_equal(array, again[name], equal_nan=True)]

    @property
    def drop(self) -> float:
        """The metric's drop from TensorFlow's so far; 0 without a metric, infinite if it is NaN."""
        if self.tallies is None:
            return 0.0
        drop = self.tallies.reference.score() - self.tallies.candidate.score()
        drop = drop if self.tallies.metric.higher_is_better else -drop
        return math.inf if math.isnan(drop) else drop

    def figures(self, *, interval: bool) -> Figures:
        """Return what was seen."""
        return Figures(
            samples=self.count,
            outputs=tuple(
                _output(self.subject.facts, tensor, self.differences[tensor.name], self.beside.get(tensor.name))
                for tensor in self.subject.interface.outputs
            ),
            metric=self.tallies.figures(interval=interval) if self.tallies else None,
            unsteady=tuple(self.unsteady),
        )


def _run(subject: Subject, executions: Sequence[Execution], feeds: Iterable[Feed], on_feed: OnFeed) -> None:
    """Run the feeds in each way, until `look` ends it."""
    first, *others = executions
    with Reading(subject.expected) as stored, Reading(subject.truth) as truth:
        for place, feed in enumerate(feeds):
            actual = first.inferring.answers(feed)
            expected = {name: stored.take(name, len(array)) for name, array in actual.items()}
            true = {name: truth.take(name, len(actual[name])) for name in first.beside}
            first.add(feed, expected, true, actual)
            for other in others:
                if place % other.stride == 0:
                    other.add(feed, expected, true, other.inferring.answers(feed))
            seen = ComparedFeed(
                feed=feed, expected=expected, actual=actual, tallies=first.tallies, inferring=first.inferring
            )
            if on_feed(seen):
                return
        _check_all_taken(stored, first.differences)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inferring:
    """A compiled model that runs feed by feed."""

    subject: Subject
    ports: Sequence[ov.ConstOutput]
    request: ov.InferRequest

    @classmethod
    def of(cls, subject: Subject, compiled: ov.CompiledModel) -> Inferring:
        """Return one for a model whose outputs are the interface's, in its order."""
        ports = [compiled.output(index) for index in range(len(subject.interface.outputs))]
        return cls(subject=subject, ports=ports, request=compiled.create_infer_request())

    def answers(self, feed: Feed) -> dict[str, Array]:
        """Return its outputs for a feed, [samples, ...] by name."""
        interface, whole = self.subject.interface, self.subject.plan.whole
        try:
            results = self.request.infer(by_place(interface, feed.inputs), share_inputs=True)
        except RuntimeError as error:
            message = f"OpenVINO cannot run the IR on these samples, TensorFlow can: {message_of(error)}"
            advice = "the samples are synthetic: name a dataset under `accuracy`, or set `value` for an input"
            hint = advice if self.subject.samples.origin == "noise" else ""
            raise ActionError("openvino-cannot-run", message, setting="accuracy.dataset", help=hint) from error
        return {
            tensor.name: rows(
                _plain(results[port], port), tensor, count=feed.count, fed=feed.fed, whole=tensor.name in whole
            )
            for tensor, port in zip(interface.outputs, self.ports, strict=True)
        }


def _is_far(differences: Mapping[str, Difference]) -> bool:
    """Whether some output is so far from TensorFlow's that the IR must run again."""
    every = [difference.figures() for difference in differences.values()]
    return any(known.nan_mismatch or (1.0 if known.cosine is None else known.cosine) < FAR for known in every)


def _check_all_taken(stored: Reading, outputs: Iterable[str]) -> None:
    for output in outputs:
        if left := stored.left(output):
            raise ActionError("output-shape", f"TensorFlow gave {left} rows of `{output}` more than the IR")


def _output(facts: ReferenceFacts, tensor: Tensor, difference: Difference, beside: Difference | None) -> OutputFigures:
    own, quantum = facts.own.get(tensor.name), facts.quanta.get(tensor.name)
    resolution, inside = _rounded_by(facts, tensor)
    figures = asdict(difference.figures())
    found = OutputFigures(name=tensor.name, **figures, resolution=resolution, computes_in=inside)
    if own is not None:  # a comparison cannot ask for more than TensorFlow's own distance
        found = replace(
            found,
            own_max_abs=own.max_abs,
            own_cosine=own.cosine,
            own_moved=own.moved,
            random=own.random,
            in_integers=facts.in_integers or bool(quantum),
            quantum=quantum,
        )
    if beside is None:
        return found
    near, truth = beside.figures(), facts.truth_distances.get(tensor.name)
    return replace(
        found,
        truth=facts.truth,
        truth_max_abs=near.max_abs,
        truth_cosine=near.cosine,
        own_truth_max_abs=truth.max_abs if truth else None,
        own_truth_cosine=truth.cosine if truth else None,
    )


def _rounded_by(facts: ReferenceFacts, tensor: Tensor) -> tuple[float, str]:
    """Return the relative rounding error of an output (of its type or the half precision inside), and the latter."""
    inside = facts.computes_in
    kinds = [kind for kind in (tensor.type, inside) if kind in RESOLUTION]
    return max((RESOLUTION[kind] for kind in kinds), default=0.0), inside if inside in kinds else ""


def by_place(interface: Interface, inputs: Mapping[str, Array]) -> dict[int, Array]:
    """Return a feed by input index: if an input is handed through to an output, both have one name."""
    return {index: inputs[tensor.name] for index, tensor in enumerate(interface.inputs)}


def _plain(array: Array, port: ov.ConstOutput) -> Array:
    """Return bfloat16 as float32. OpenVINO returns its bits as a float16, which is a different number."""
    if port.get_element_type() != ov.Type.bf16:
        return array
    return np.asarray((array.view(np.uint16).astype(np.uint32) << 16).view(np.float32))
