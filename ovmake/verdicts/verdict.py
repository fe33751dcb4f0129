"""Is a promise kept: an evaluation's figures beside the Ovfile's. Pure.

    decide(evaluation, promise) -> Verdict
    judged(figures, promise, inputs=...) -> Judged     the same of figures that are no evaluation yet

`promise` is what `rules.gate` makes of the Ovfile. The gate acts on the verdict, and the search for layers to revert to
float asks for it: one function, so that they cannot disagree.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ovmake.contracts.files.evaluation import ComparedInputs, Evaluation, Figures, Neighbours, OutputFigures
from ovmake.contracts.files.verdict import Verdict
from ovmake.contracts.params.promise import PromiseParams
from ovmake.contracts.values import JsonValue
from ovmake.verdicts.agreement import check_cosine, check_error, empty_outputs, other_sizes
from ovmake.verdicts.dropping import Check, Dropped, check_drop
from ovmake.verdicts.neighbours import check_neighbours
from ovmake.verdicts.sanity import no_better_than_chance, scores_of

NOISE = (
    "name a dataset under `accuracy`, or let fewer `samples` calibrate than there are; with `agreement`, "
    '`inputs = "noise"` judges INT8 on noise all the same'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A verdict, and by how much the worst figure is worse than promised.

    `excess` is 0 or less where all promises are kept, infinite where there is no figure.
    """

    verdict: Verdict
    excess: float


def facts_of(verdict: Verdict) -> dict[str, JsonValue]:
    """Return the few figures that are worth having without opening a file.

    `interval` is (low, high); `scores` are (metric, unit, TensorFlow's, the IR's). Without a drop there is nothing of
    it. `needs` is the property without which the promise is broken, see `by_default.py`. What was not measured says
    why.
    """
    facts: dict[str, JsonValue] = {"gate": verdict.result, "drop": verdict.drop}
    if verdict.result == "not-measured":
        facts |= {"why": verdict.text}
    if verdict.drop is not None:
        facts |= {"decided": verdict.decided}
    if verdict.interval is not None:
        facts["interval"] = (verdict.interval.low, verdict.interval.high)
    if verdict.by_default is not None and verdict.by_default.needs:
        facts["needs"] = verdict.by_default.needs
    if (scores := verdict.scores) is not None:
        facts["scores"] = (scores.metric, scores.unit, scores.tensorflow, scores.openvino)
    return facts


def decide(evaluation: Evaluation, promise: PromiseParams) -> Verdict:
    """Return the verdict over an evaluation under a promise.

    The result is *missed* when any promise is broken or a figure is not finite, for a NaN keeps no promise. It is
    *not-measured*, and says why, where TensorFlow could not run, where it cannot tell right from wrong (`agreement`),
    and for INT8 on noise: its ranges were chosen for real data.
    """
    if evaluation.figures is None:
        return _unmeasured(evaluation.not_measured, evaluation.help).verdict
    return judged(evaluation.figures, promise, inputs=evaluation.inputs, neighbours=evaluation.neighbours).verdict


def judged(
    figures: Figures,
    promise: PromiseParams,
    *,
    inputs: ComparedInputs,
    neighbours: Neighbours | None = None,
) -> Judged:
    """Return the verdict over one way to run an IR; see `decide`."""
    checks: list[Check] = []
    dropped, metric = None, figures.metric
    if promise.max_drop is not None:
        if metric is None:
            return _unmeasured("the evaluation holds no metric", "")
        dropped = check_drop(metric, promise.max_drop, figures.samples)
        checks.append(dropped.check)
    lenient, asked = not promise.promised, promise.agreement
    if asked.cosine is not None:
        checks.append(check_cosine(figures.outputs, asked.cosine, lenient=lenient))
    if asked.max_error is not None:
        checks.append(check_error(figures.outputs, asked.max_error, lenient=lenient))
    if (same := check_neighbours(neighbours, promise)) is not None and not same.kept:
        checks.append(same)
    if promise.real_data and inputs.origin == "noise":
        return _unmeasured(
            f"{_about_synthetic(inputs)}; on synthetic inputs: {'; '.join(check.text for check in checks)}", NOISE
        )
    found = _judged(checks, dropped, figures, inputs)
    if dropped is None or metric is None or found.verdict.result == "not-measured":
        return found
    at_chance = no_better_than_chance(metric)
    text = "; ".join(filter(None, (found.verdict.text, at_chance)))
    scores, absurd = scores_of(metric), dropped.absurd
    return replace(found, verdict=replace(found.verdict, text=text, scores=scores, at_chance=at_chance, absurd=absurd))


def _judged(checks: Sequence[Check], dropped: Dropped | None, figures: Figures, inputs: ComparedInputs) -> Judged:
    broken = next((check.setting for check in checks if not check.kept and not check.unmeasured), "")
    unmeasured = next((check for check in checks if check.unmeasured), None)
    if unmeasured is not None and not broken:
        return _unmeasured(unmeasured.unmeasured, unmeasured.help)
    agreement = any(check.setting.startswith("accuracy.agreement") for check in checks)
    more = [*empty_outputs(figures.outputs), *other_sizes(figures.outputs)] if agreement else []
    odd = [*_not_finite(figures.outputs), *_unsteady(figures)] if broken.startswith("accuracy.agreement") else []
    verdict = Verdict(
        result="missed" if broken else "passed",
        text="; ".join([*(check.text for check in checks), *more, *odd]),
        drop=dropped.drop if dropped else None,
        broken=broken,
        interval=dropped.interval if dropped else None,
        doubt=dropped.doubt if dropped else "",
        help=_without_switch(inputs) if broken else "",
    )
    return Judged(verdict=verdict, excess=max((check.excess for check in checks), default=0.0))


def _unsteady(figures: Figures) -> list[str]:
    """Return what to say of an IR that does not answer alike when it is asked the same again."""
    listed = ", ".join(f"`{name}`" for name in figures.unsteady)
    return [f"the IR itself gives another {listed} when it is asked the same again"] if listed else []


def _without_switch(inputs: ComparedInputs) -> str:
    """Return what may help an IR that has a switch among its inputs, "" of others: without it there is one branch."""
    if not inputs.switches:
        return ""
    return f"`inputs.{inputs.switches[0]}.value = false` leaves the branch that is used, and no switch"


def _unmeasured(why: str, help_: str) -> Judged:
    return Judged(
        verdict=Verdict(result="not-measured", text=why, drop=None, interval=None, help=help_), excess=math.inf
    )


def _about_synthetic(inputs: ComparedInputs) -> str:
    """Return why INT8 cannot be judged on synthetic inputs: its ranges were chosen for real data."""
    return f"INT8 is judged on real samples, and {inputs.why or 'there are none'}"


def _not_finite(outputs: Sequence[OutputFigures]) -> list[str]:
    """Return what cosines and differences do not show: they are of those values that are finite on both sides."""
    counts = [(output.name, output.nan_mismatch) for output in outputs if output.nan_mismatch]
    return [f"{count} values of `{name}` are not finite in one of the two only" for name, count in counts]
