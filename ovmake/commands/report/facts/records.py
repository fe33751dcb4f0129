"""Gather one `TargetReport` per target from records, evaluations and measurements.

    gather(graph, outcome, read) -> list[TargetReport]

`read(digest)` returns the bytes of an artifact. Every figure is a number that an action measured. If it is None, it was
not measured, and `missing` says why.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from ovmake.commands.report.facts.measurement import Measured, measured_on
from ovmake.contracts.codec import found, from_bytes
from ovmake.contracts.files import evaluation as contract
from ovmake.contracts.files.evaluation import OutputFigures
from ovmake.contracts.files.executed import ExecutedLayer
from ovmake.contracts.files.measurement import Measurement
from ovmake.contracts.files.record import Record
from ovmake.contracts.files.requirements import Requirement
from ovmake.contracts.files.search import Search
from ovmake.contracts.files.speed import Choice, SpeedCheck
from ovmake.contracts.files.verdict import DefaultVerdict, GateResult, gate_result
from ovmake.contracts.params.judging import CheckSizeParams, RequireParams
from ovmake.contracts.values import JsonObject
from ovmake.engine.executor import ActionOutcome, Outcome
from ovmake.graph.action import ELSEWHERE, Action, Artifact, Graph
from ovmake.graph.digest import Digest
from ovmake.graph.query import closure
from ovmake.verdicts import requirements


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputDifference:
    """The difference of an output from TensorFlow's, over all samples and elements. NaN: no finite figure.

    `scale` is the largest magnitude in TensorFlow's output, `snr_db` None for equal outputs, `argmax` None for single
    columns, `elements` the number of elements in TensorFlow's output.
    """

    name: str
    max_abs: float
    mean_abs: float
    cosine: float
    nan_mismatch: int
    scale: float | None = None
    max_rel: float | None = None
    snr_db: float | None = None
    argmax: float | None = None
    elements: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Accuracy and numeric differences. The metric is None if the Ovfile names none.

    `unit` is "share" (0 to 1), "labels" (that of the labels) or "none". `interval` is the confidence interval of the
    drop at `level`, `score_intervals` those of both frameworks' scores; None if unknown. `layers` are in execution
    order; `weights` are the bytes of constants by element type. `not_measured` says why TensorFlow could not run what
    the IR computes, "" if it could.
    """

    samples: int
    metric: str | None
    reference: float | None
    candidate: float | None
    differences: tuple[OutputDifference, ...]
    operations_tensorflow: int | None
    operations_openvino: int
    executed: Mapping[str, int]
    layers: tuple[ExecutedLayer, ...] = ()
    weights: Mapping[str, int] = field(default_factory=dict)
    not_measured: str = ""
    unit: str = "share"
    higher_is_better: bool = True
    interval: tuple[float, float] | None = None
    score_intervals: Mapping[str, tuple[float, float]] | None = None
    level: float | None = None

    @property
    def max_abs(self) -> float | None:
        """The largest difference in any output; None without outputs."""
        return max((output.max_abs for output in self.differences), default=None)

    @property
    def drop(self) -> float | None:
        """How much worse the candidate is than the reference; negative if it is better."""
        if self.reference is None or self.candidate is None:
            return None
        drop = self.reference - self.candidate
        return drop if self.higher_is_better else -drop


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetReport:
    """One target. `gate` is passed, missed or not-measured; `gate_text` gives its figures, or why there are none.

    `decided`: there were enough samples for the gate's result. `at_chance` says that TensorFlow itself only guesses,
    "" if it does not.

    `compiled` is the line of Python that compiles the IR as verified, "" if nothing was verified. `by_default` is the
    gate's verdict on the IR compiled without properties, None if that is how it was verified.

    `missing` says why a part is missing; its keys are "measurement", "evaluation", "ir", and "speed-check" if one was
    due. `choice` is for `auto` only, `search` for accuracy control only. `requirements` are all in the Ovfile.
    `devices` has the measurement on each additional device, or why there is none. `digests` are of the source (its
    fingerprint) and of the published files.
    """

    name: str
    model: str
    precision: str
    status: str
    gate: GateResult
    gate_text: str
    size_bytes: int | None
    place: str | None
    evaluation: Evaluation | None
    measurement: Measured | None
    options: JsonObject
    versions: Mapping[str, str]
    missing: Mapping[str, str]
    decided: bool = True
    compiled: str = ""
    by_default: DefaultVerdict | None = None
    at_chance: str = ""
    choice: Choice | None = None
    speed_check: SpeedCheck | None = None
    search: Search | None = None
    requirements: tuple[Requirement, ...] = ()
    devices: Mapping[str, Measured | str] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)


Read = Callable[[Digest], bytes]
T = TypeVar("T")


def gather(graph: Graph, outcome: Outcome, targets: Sequence[str], read: Read) -> list[TargetReport]:
    """Return the facts of each target after a build of the graph with measurements."""
    devices = _devices(graph, outcome, read)
    return [replace(_target(graph, outcome, name, read), devices=devices.get(name, {})) for name in targets]


def _target(graph: Graph, outcome: Outcome, name: str, read: Read) -> TargetReport:
    model, _, precision = name.partition(":")
    missing: dict[str, str] = {}
    published = outcome.actions[f"publish {name}"]
    record = _made(published, "record", Record, read)
    if record is None:
        missing["ir"] = _why(graph, outcome, name)
    evaluation, unevaluated = _evaluated(graph, outcome, name, read)
    if unevaluated:
        missing["evaluation"] = unevaluated
    measured = outcome.actions.get(f"benchmark {name}")
    measurement = _measured(measured, read)
    if measurement is None:
        missing["measurement"] = _why_not_measured(measured, missing)
    checked = outcome.actions.get(f"check-speed {name}")
    check = _made(checked, "speed", SpeedCheck, read)
    if check is None and checked is not None:
        missing["speed-check"] = _why_not_checked(outcome, name, missing)
    gate, text = _gate(graph, outcome, name, record)
    place = next(out.place for out in graph.actions[f"publish {name}"].outputs if out.role == "xml")
    return TargetReport(
        name=name,
        model=model,
        precision=precision,
        status=outcome.targets[name],
        gate=gate,
        gate_text=text,
        decided=_decided(outcome, name, record),
        compiled=record.compile if record else "",
        by_default=record.gate.by_default if record else None,
        at_chance=record.gate.at_chance if record else "",
        size_bytes=record.size_bytes if record else None,
        place=place if record else None,
        evaluation=_evaluation(evaluation) if evaluation else None,
        measurement=measurement,
        options=record.options if record else {},
        versions=record.versions if record else {},
        missing=missing,
        choice=_made(outcome.actions.get(f"weigh {name}"), "choice", Choice, read),
        speed_check=check,
        search=_search(outcome, name, record, read),
        requirements=_requirements(graph, outcome, name, read),
        digests={"source": record.source.fingerprint, **record.files} if record else {},
    )


def _requirements(graph: Graph, outcome: Outcome, name: str, read: Read) -> tuple[Requirement, ...]:
    """Return the result of each requirement in the Ovfile."""
    sized = graph.actions.get(f"check-size {name}")
    judged = [] if sized is None else [_judged_size(sized, outcome)]
    asked = graph.actions.get(f"require {name}")
    if asked is not None:
        wanted = asked.params.require if isinstance(asked.params, RequireParams) else {}
        measured = outcome.actions.get(f"benchmark {name}")
        why = _why_not_measured(measured, {} if outcome.actions[f"publish {name}"].outputs else {"ir": ""})
        judged += requirements.judge(wanted, _measured(measured, read), why)
    return tuple(one.told for one in judged)


def _judged_size(sized: Action, outcome: Outcome) -> requirements.JudgedRequirement:
    most = sized.params.require.size if isinstance(sized.params, CheckSizeParams) else 0
    maker = next(given.origin for given in sized.inputs if isinstance(given.origin, Artifact))
    made = outcome.actions[maker.action].outputs
    if made is None:
        return requirements.unmade_size(most)
    return requirements.judge_size(most, sum(made[role].size_bytes for role in ("xml", "bin")))


def _devices(graph: Graph, outcome: Outcome, read: Read) -> dict[str, dict[str, Measured | str]]:
    """Return the measurements on additional devices, or why there are none, by target and device."""
    found: dict[str, dict[str, Measured | str]] = {}
    for action in graph.actions.values():
        target, elsewhere, device = action.subject.partition(ELSEWHERE)
        if action.kind == "benchmark" and elsewhere:
            done = outcome.actions.get(action.name)
            found.setdefault(target, {})[device] = (
                _measured(done, read) or f"not available: {_why_not_measured(done, {})}"
            )
    return found


def _machine(measured: ActionOutcome | None) -> str:
    """Return the machine of a measurement, "" if unknown."""
    return measured.seen.environment.get("machine", "") if measured is not None and measured.seen is not None else ""


def _evaluated(graph: Graph, outcome: Outcome, name: str, read: Read) -> tuple[contract.Evaluation | None, str]:
    """Return a target's evaluation, if any, and why nothing was compared, "" if something was."""
    # *choose* copies the evaluation of the chosen candidate. Without a gate there is none, and the file says so.
    judge = f"choose {name}" if f"choose {name}" in graph.actions else f"evaluate {name}"
    evaluation = _made_if_any(outcome.actions.get(judge), "evaluation", contract.Evaluation, read)
    if evaluation is not None:
        return evaluation, evaluation.not_measured
    is_off = judge not in outcome.actions or outcome.actions[f"publish {name}"].outputs is not None
    return None, "`accuracy = false` in the Ovfile" if is_off else _why(graph, outcome, name)


def _search(outcome: Outcome, name: str, record: Record | None, read: Read) -> Search | None:
    """Return the search for layers to revert to float: from the record, or, if the gate was missed, from *control*."""
    if record is not None:
        return record.accuracy_control
    # *name-layers* follows every *control*; *choose* copies the search of the chosen candidate.
    made = (outcome.actions.get(f"{kind} {name}") for kind in ("name-layers", "choose"))
    return next(filter(None, (_made_if_any(done, "search", Search, read) for done in made)), None)


def _measured(done: ActionOutcome | None, read: Read) -> Measured | None:
    made = _made(done, "measurement", Measurement, read)
    return None if made is None else measured_on(made, _machine(done))


def _made(done: ActionOutcome | None, role: str, cls: type[T], read: Read) -> T | None:
    """Return an output of an action, None if the action made none."""
    if done is None or done.outputs is None:
        return None
    return from_bytes(cls, read(done.outputs[role]), role)


def _made_if_any(done: ActionOutcome | None, role: str, cls: type[T], read: Read) -> T | None:
    """Return an output of an action; None if the action has no such output, or the file says that there is none."""
    if done is None or done.outputs is None or role not in done.outputs:
        return None
    return found(cls, read(done.outputs[role]), role)


def _why(graph: Graph, outcome: Outcome, name: str) -> str:
    """Return the message of the first failure on the way to a target."""
    for action in closure(graph, [graph.targets[name]]):
        diagnostic = outcome.actions[action.name].diagnostic
        if diagnostic is not None:
            return diagnostic.message
    if outcome.targets[name] == "stale":
        return "not up to date, and `--no-measure` builds nothing: run `ovmake report`"
    return "not built: the build stopped before it"


def _why_not_measured(measured: ActionOutcome | None, missing: Mapping[str, str]) -> str:
    if "ir" in missing:
        return "no IR is published for the current source and options"
    if measured is not None and measured.diagnostic is not None:
        return measured.diagnostic.message
    return "not measured yet: run `ovmake report`"


def _why_not_checked(outcome: Outcome, name: str, missing: Mapping[str, str]) -> str:
    if "ir" in missing:
        return missing["ir"]
    compared = outcome.actions[f"compare-speed {name}"]
    return compared.diagnostic.message if compared.diagnostic else "not measured yet: run `ovmake build`"


def _gate(graph: Graph, outcome: Outcome, name: str, record: Record | None) -> tuple[GateResult, str]:
    if record is not None:
        return record.gate.result, record.gate.text
    judged = outcome.actions.get(f"gate {name}", outcome.actions.get(f"choose {name}"))
    if judged is not None and "gate" in judged.facts:
        return gate_result(judged.facts["gate"]), str(judged.facts.get("text", ""))
    return "not-measured", _why(graph, outcome, name)


def _decided(outcome: Outcome, name: str, record: Record | None) -> bool:
    if record is not None:
        return record.gate.decided
    judged = outcome.actions.get(f"gate {name}")
    return judged is None or judged.facts.get("decided") is not False


def _evaluation(made: contract.Evaluation) -> Evaluation:
    figures = made.figures
    metric = figures.metric if figures else None
    interval = metric.interval if metric else None
    return Evaluation(
        samples=figures.samples if figures else made.samples,
        metric=metric.name if metric else None,
        reference=_score(metric.reference) if metric else None,
        candidate=_score(metric.candidate) if metric else None,
        unit=metric.unit if metric else "none",
        higher_is_better=metric.higher_is_better if metric else True,
        interval=(interval.low, interval.high) if interval else None,
        score_intervals=_score_intervals(metric) if metric and interval else None,
        level=interval.level if interval else None,
        differences=tuple(map(_difference, figures.outputs if figures else ())),
        operations_tensorflow=made.operations.tensorflow,
        operations_openvino=made.operations.openvino,
        executed=made.executed,
        layers=made.layers,
        weights=made.weights,
        not_measured=made.not_measured,
    )


def _score_intervals(metric: contract.Metric) -> dict[str, tuple[float, float]] | None:
    found = metric.score_intervals
    return {"tensorflow": found.tensorflow, "openvino": found.openvino} if found else None


def _score(value: float | None) -> float:
    """Return a score. Null in the evaluation becomes NaN: the score was computed, and is not finite."""
    return math.nan if value is None else value


def _difference(found: OutputFigures) -> OutputDifference:
    """Return a difference. None in the evaluation (no finite elements) becomes NaN, shown as "not measured"."""
    return OutputDifference(
        name=found.name,
        max_abs=_score(found.max_abs),
        mean_abs=_score(found.mean_abs),
        cosine=_score(found.cosine),
        nan_mismatch=found.nan_mismatch,
        scale=found.scale,
        max_rel=found.max_rel,
        snr_db=found.snr_db,
        argmax=found.argmax,
        elements=found.elements,
    )
