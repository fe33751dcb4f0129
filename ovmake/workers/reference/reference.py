"""reference: run TensorFlow on the samples, and store its outputs for the comparison with every precision.

outputs     .npz with an array per output, [samples, ...]; see outputs.py
truth       the outputs of the same model in a higher precision, if there is one (`reference_model.truth`)
plan        how the samples are fed, for actions that compare: see feeding_plan.py
facts       ReferenceFacts: the inputs, and how synthetic ones were drawn; facts of the outputs, and their change under
            perturbed inputs (`ReferenceModel.again`); or why TensorFlow cannot run the model, and what would help

Rule: a dataset that the Ovfile names is run whole. Of samples that ovmake chose or generated, a slow model runs fewer.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from ovmake.contracts.codec import save
from ovmake.contracts.files.evaluation import ComparedInputs
from ovmake.contracts.files.interface import Interface
from ovmake.contracts.files.reference import Distance, OwnDistance, ReferenceFacts
from ovmake.contracts.params.data import SampleParams
from ovmake.contracts.params.evaluation import ReferenceParams
from ovmake.errors import ActionError, message_of
from ovmake.sources.integrity.damaged import explained
from ovmake.workers.evaluation.differences import Difference, largest
from ovmake.workers.evaluation.outputs import Writing, rows
from ovmake.workers.inputs.feeding_plan import FeedingPlan
from ovmake.workers.inputs.perturbation import perturbation_size
from ovmake.workers.inputs.preparing import Array, prepared
from ovmake.workers.inputs.samples import Feed, Samples, alone, take
from ovmake.workers.inputs.synthetic import SyntheticSizes, is_switch, notes, search
from ovmake.workers.ipc.protocol import Request, warning
from ovmake.workers.reference import kept_model
from ovmake.workers.reference.frozen import CANNOT_FREEZE
from ovmake.workers.reference.reference_model import ReferenceModel, reference_model

# CPU seconds for samples that ovmake chose, and for a search for inputs that the model accepts. CPU time, not clock
# time, so that a busy machine compares as many samples as an idle one.
MOST_SECONDS = 30.0
# With fewer samples, TensorFlow's first run dominates and does not predict the time of the next.
SURE_SECONDS = 0.5
# If TensorFlow differs from itself by more than this, it runs the same inputs again: it may draw random numbers.
FAR_COSINE, FAR_ERROR = 0.99, 1e-2
# In integers, kernels that differ by less than this many output steps need no third result.
CLOSE_STEPS = 1.01


@explained
def refer(request: Request) -> dict[str, object]:
    """Run TensorFlow; write `outputs`, `truth`, `plan` and `facts`.

    If TensorFlow cannot run the model, the facts say why and there are no outputs: the IR may be right, but there is
    nothing to compare it with. A source that cannot be loaded is an error.
    """
    interface = Interface.read(request.inputs["interface"])
    asked = request.asked(ReferenceParams)
    samples = take(request, interface, asked.samples)
    facts, plan = ReferenceFacts(inputs=_inputs(samples, FeedingPlan(), interface)), FeedingPlan()
    with Writing(request.outputs["outputs"]) as written, Writing(request.outputs["truth"]) as true:
        try:
            model = kept_model.take(request, asked.source) or reference_model(request, interface, asked.source)
            running = _Running(
                request=request, asked=asked.samples, model=model, interface=interface, written=written, true=true
            )
            plan, found = running.run(samples)
            samples = running.samples
            facts = replace(
                found,
                operations=model.operations,
                in_integers=model.in_integers,
                yielded=samples.yielded.passed if samples.yielded else None,
                quanta=model.quanta,
                computes_in=model.computes_in,
            )
        except ActionError as error:
            if error.code not in {"tensorflow-cannot-run", CANNOT_FREEZE}:
                raise
            written.discard()
            true.discard()
            facts = replace(facts, not_measured=error.message, help=_help(samples, interface))
    plan.write(request.outputs["plan"])
    save(replace(facts, inputs=_inputs(samples, plan, interface)), request.outputs["facts"])
    return {"not_measured": facts.not_measured or None, **_warning(samples, plan, interface)}


def _inputs(samples: Samples, plan: FeedingPlan, interface: Interface) -> ComparedInputs:
    """Return the facts of the compared inputs."""
    return ComparedInputs(
        origin=samples.origin,
        why=samples.why,
        switches=tuple(tensor.name for tensor in interface.inputs if is_switch(tensor)),
        notes=(*_synthetic_notes(samples, plan, interface), *_slow(plan)),
    )


def _synthetic_notes(samples: Samples, plan: FeedingPlan, interface: Interface) -> list[str]:
    return notes(plan.drawn, interface.inputs) if samples.origin == "noise" else []


def _slow(plan: FeedingPlan) -> list[str]:
    if plan.count is None:
        return []
    compared = "1 sample was" if plan.count == 1 else f"{plan.count} samples were"
    return [f"TensorFlow is slow on this model, so {compared} compared"]


def _warning(samples: Samples, plan: FeedingPlan, interface: Interface) -> dict[str, object]:
    """Return the warning about unusual synthetic inputs, or about few samples."""
    told, slow = _synthetic_notes(samples, plan, interface), _slow(plan)
    if not told and not slow:
        return {}
    switches = [tensor.name for tensor in interface.inputs if is_switch(tensor)] if told else []
    real = "name a dataset under `accuracy` to compare on real data"
    help_ = f"`inputs.{switches[0]}.value = false` makes it a constant of the IR; or {real}" if switches else real
    message = "; ".join([*([f"the inputs are synthetic: {'; '.join(told)}"] if told else []), *slow])
    return warning("synthetic-inputs" if told else "few-samples", message, hint=help_, setting="accuracy")


def _help(samples: Samples, interface: Interface) -> str:
    if samples.origin != "noise":
        return ""
    first = interface.inputs[0].name if interface.inputs else "NAME"
    return (
        "name a dataset under `accuracy`: these inputs are synthetic; or make the input that TensorFlow refuses a "
        f"constant: `inputs.{first}.value = 1`"
    )


class _RefusedError(Exception):
    """TensorFlow cannot run a feed."""


class _OtherPlanError(Exception):
    """The written outputs must be dropped: the samples must be fed in a different way."""

    def __init__(self, plan: FeedingPlan) -> None:
        super().__init__()
        self.plan = plan


@dataclass(slots=True, kw_only=True)
class _Running:
    """TensorFlow's run over the samples, and its facts. `samples` are the final ones."""

    request: Request
    asked: SampleParams
    model: ReferenceModel
    interface: Interface
    written: Writing
    true: Writing
    samples: Samples = field(init=False)

    def run(self, samples: Samples) -> tuple[FeedingPlan, ReferenceFacts]:
        """Write the outputs; return the feeding plan and the facts.

        Raises:
            ActionError: TensorFlow cannot run them, or any other synthetic inputs that were tried.
        """
        plan = FeedingPlan(count=self._affordable(samples))
        while True:
            try:
                return plan, self._pass(plan)
            except _OtherPlanError as other:
                plan = other.plan
            except _RefusedError as error:
                if self.samples.origin != "noise" or plan.drawn != SyntheticSizes():
                    raise self._refusal(error) from error
                drawn = self._search(plan)
                if drawn is None:
                    raise self._refusal(error) from error
                plan = replace(plan, drawn=drawn)
            self.written.discard()
            self.true.discard()

    def _refusal(self, error: Exception) -> ActionError:
        message = f"TensorFlow cannot run the model on these samples: {message_of(error)}"
        return ActionError("tensorflow-cannot-run", message, setting="source")

    def _affordable(self, samples: Samples) -> int | None:
        """Return the number of samples that fit the time, None for all. It is a power of two, so that it is stable."""
        one = samples.first(1).with_batch(1)
        at_once = len(next(one.numbers())) if not samples.fixed else samples.batch or 1
        if samples.origin == "dataset" or samples.count <= at_once:
            return None
        seconds = self._seconds(one)
        if seconds > SURE_SECONDS:
            seconds = self._seconds(one)
        count = samples.count
        while count > at_once and count / at_once * seconds > MOST_SECONDS:
            count = 1 << (count - 1).bit_length() - 1
        return None if count == samples.count else count

    def _seconds(self, samples: Samples) -> float:
        """Return the CPU time of running the first feed; 0 if TensorFlow refuses it."""
        started = time.process_time()
        try:
            self._run_once(next(samples.feeds()))
        except Exception:  # noqa: BLE001 - what the model refuses is seen when it is run in earnest
            return 0.0
        return time.process_time() - started

    def _search(self, plan: FeedingPlan) -> SyntheticSizes | None:
        """Return sizes and ranges of synthetic inputs that TensorFlow accepts, None if none were found in time."""
        started = time.process_time()

        def fits(drawn: SyntheticSizes) -> bool:
            if time.process_time() - started > MOST_SECONDS:
                return False
            try:
                for feed in self._taken(replace(plan, drawn=drawn)).feeds():
                    self._run_once(feed)
            except Exception:  # noqa: BLE001 - whatever it says, it cannot be run on these
                return False
            return True

        return search(fits, self.interface.inputs)

    def _taken(self, plan: FeedingPlan) -> Samples:
        return take(self.request, self.interface, self.asked, plan=plan)

    def _run_once(self, feed: Feed) -> None:
        self.model(prepared(feed.inputs, self.interface))

    def _pass(self, plan: FeedingPlan) -> ReferenceFacts:
        self.samples = self._taken(plan)
        noted = _Noted(model=self.model, interface=self.interface, plan=plan)
        for place, feed in enumerate(self.samples.feeds()):
            try:
                noted.run(feed, place)
            except _OtherPlanError:
                raise
            except Exception as error:
                raise _RefusedError(message_of(error)) from error
            self.written.add(noted.outputs)
            self.true.add(noted.truth)
            if place == 0 and self.samples.batch is not None and not self.samples.fixed:
                noted.run_alone(feed)
        inputs = _inputs(self.samples, plan, self.interface)
        return replace(noted.facts(inputs), varying=tuple(sorted({*plan.whole, *self.written.varied})))


@dataclass(slots=True, kw_only=True)
class _Noted:
    """One pass: the outputs of the last feed, and the facts about all feeds."""

    model: ReferenceModel
    interface: Interface
    plan: FeedingPlan
    outputs: dict[str, Array] = field(default_factory=dict)
    truth: dict[str, Array] = field(default_factory=dict)
    _scales: dict[str, float] = field(default_factory=dict)
    _own: dict[str, Difference] = field(default_factory=dict)
    _truth_differences: dict[str, Difference] = field(default_factory=dict)
    _moved: float = 0.0
    _random: bool = False
    _with_truth: bool = False
    _alone: dict[str, Difference] | None = None

    def run(self, feed: Feed, place: int) -> None:
        """Run a feed. Models in integers run every feed a second time, other models only the first."""
        ready = prepared(feed.inputs, self.interface)
        given = self.model(ready)
        if feed.fed > 1 and not self.plan.whole:
            self._check_sizes(given, feed)
        self.outputs = self._rows(given, feed)
        for name, array in self.outputs.items():
            self._scales[name] = max(self._scales.get(name, 0.0), largest(array))
        again = self.model.again(ready) if place == 0 or self.model.in_integers else None
        if again is not None:
            self._compare(self._own, self._rows(again, feed))
        if place == 0:
            self._moved = perturbation_size(ready)
            self._random = self._is_far() and self._draws(ready, feed)
            self._with_truth = bool(self.model.truth_name) and self._needs_truth()
        self.truth = self._rows(self.model.truth(ready), feed) if self._with_truth else {}
        self._compare(self._truth_differences, self.truth)

    def run_alone(self, feed: Feed) -> None:
        """Run some samples of the last feed alone, and record the differences. See `neighbours.py`."""
        rowed = [
            name for name, array in self.outputs.items() if len(array) == feed.count and name not in self.plan.whole
        ]
        found = {name: Difference(scale=largest(self.outputs[name])) for name in rowed}
        for place in alone(feed.count):
            one = feed.alone(place)
            try:
                answers = self.model(prepared(one.inputs, self.interface))
            except Exception:  # noqa: BLE001 - what counts is the batch, which it ran
                return
            given = self._rows(answers, one)
            for name in rowed:
                found[name].add(self.outputs[name][place : place + 1], given[name])
        self._alone = found

    def facts(self, inputs: ComparedInputs) -> ReferenceFacts:
        """Return the facts after all feeds."""
        return ReferenceFacts(
            inputs=inputs,
            scales=self._scales,
            own={name: self._own_distance(one) for name, one in self._own.items()},
            alone=None if self._alone is None else {name: _distance(one) for name, one in self._alone.items()},
            truth=self.model.truth_name if self._with_truth else "",
            truth_distances={name: _distance(one) for name, one in self._truth_differences.items()}
            if self._with_truth
            else {},
        )

    def _own_distance(self, difference: Difference) -> OwnDistance:
        found = difference.figures()
        return OwnDistance(max_abs=found.max_abs, cosine=found.cosine, moved=self._moved, random=self._random)

    def _compare(self, kept_: dict[str, Difference], others: Mapping[str, Array]) -> None:
        for name, array in others.items():
            kept_.setdefault(name, Difference(scale=self._scales[name], varies=True)).add(self.outputs[name], array)

    def _is_far(self) -> bool:
        """Whether TensorFlow differs from itself so much that a comparison would be meaningless."""
        every = ((name, one.figures()) for name, one in self._own.items())
        return any(
            (known.cosine is not None and known.cosine < FAR_COSINE)
            or (known.max_abs or 0.0) > FAR_ERROR * (self._scales[name] or 1.0)
            for name, known in every
        )

    def _draws(self, ready: Mapping[str, Array], feed: Feed) -> bool:
        """Whether the model returns different outputs for the same inputs."""
        same = self._rows(self.model(ready), feed)
        return any(not np.array_equal(array, same[name], equal_nan=True) for name, array in self.outputs.items())

    def _needs_truth(self) -> bool:
        """Whether the truth must be computed: if it is slow, only when TensorFlow's own kernels differ."""
        if not self.model.truth_is_slow:
            return True
        quanta = self.model.quanta
        return any(
            (one.figures().max_abs or 0.0) > CLOSE_STEPS * quanta.get(name, 0) for name, one in self._own.items()
        )

    def _rows(self, outputs: Mapping[str, Array], feed: Feed) -> dict[str, Array]:
        return {
            tensor.name: rows(
                outputs[tensor.name], tensor, count=feed.count, fed=feed.fed, whole=tensor.name in self.plan.whole
            )
            for tensor in self.interface.outputs
        }

    def _check_sizes(self, given: Mapping[str, Array], feed: Feed) -> None:
        """Find outputs whose size depends on the data: neither a row nor several per sample.

        Raises:
            _OtherPlanError: there are such outputs.
        """
        odd = [
            tensor.name
            for tensor in self.interface.outputs
            if tensor.shape and tensor.shape[0] == -1 and len(given[tensor.name]) != feed.fed
        ]
        if not odd:
            return
        first = {name: array[:1] if array.ndim else array for name, array in feed.inputs.items()}
        alone = self.model(prepared(first, self.interface))
        whole = tuple(
            name for name in odd if not len(alone[name]) or len(alone[name]) * feed.fed != len(given[name])
        )  # fmt: skip
        if whole:
            raise _OtherPlanError(replace(self.plan, whole=whole))


def _distance(difference: Difference) -> Distance:
    found = difference.figures()
    return Distance(max_abs=found.max_abs, cosine=found.cosine)
