"""Compare an evaluation's figures with the promise of the Ovfile. Pure.

    decide(evaluation, promise) -> Verdict
    judged(figures, promise, inputs=...) -> Judged     the same for figures without an evaluation

`rules.gate` makes the promise from the Ovfile. The gate and the search for layers to revert to float use the same
function, so they cannot disagree.
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
    "name a dataset under `accuracy`, or set `samples` below the size of the calibration set; with `agreement`, "
    '`inputs = "noise"` judges INT8 on noise anyway'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A verdict, and `excess`: the worst figure minus its limit.

    `excess` is 0 or less if all checks are kept, infinite without a figure.
    """

    verdict: Verdict
    excess: float


def facts_of(verdict: Verdict) -> dict[str, JsonValue]:
    """Return the figures that the target's line and `status` show.

    `interval` is (low, high); `scores` are (metric, unit, TensorFlow's, the IR's); both are absent without a drop.
    `needs` is the property without which the IR misses its gate, see `by_default.py`. `why` is the reason of
    *not-measured*.
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
    """Return the verdict on an evaluation.

    The result is *missed* if any check fails or a figure is not finite. It is *not-measured*, with a reason, if
    TensorFlow could not run, if TensorFlow is too uncertain to decide (`agreement`), and for INT8 on noise, because its
    ranges were chosen for real data.
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
    """Return the verdict on the figures of one execution of an IR; see `decide`."""
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
    """Return a text that lists the outputs in which the IR gave different values for the same inputs."""
    listed = ", ".join(f"`{name}`" for name in figures.unsteady)
    return [f"the IR itself gives a different {listed} for the same inputs"] if listed else []


def _without_switch(inputs: ComparedInputs) -> str:
    """Return advice for an IR with a switch among its inputs, else ""."""
    if not inputs.switches:
        return ""
    return f"`inputs.{inputs.switches[0]}.value = false` keeps only the branch that is used"


def _unmeasured(why: str, help_: str) -> Judged:
    return Judged(
        verdict=Verdict(result="not-measured", text=why, drop=None, interval=None, help=help_), excess=math.inf
    )


def _about_synthetic(inputs: ComparedInputs) -> str:
    """Return why INT8 cannot be judged on synthetic inputs: its ranges were chosen for real data."""
    return f"INT8 is judged on real samples, and {inputs.why or 'there are none'}"


def _not_finite(outputs: Sequence[OutputFigures]) -> list[str]:
    """Return a text per output with non-finite values that differ. Cosines and differences cover finite values only."""
    counts = [(output.name, output.nan_mismatch) for output in outputs if output.nan_mismatch]
    return [f"{count} non-finite values of `{name}` differ from TensorFlow's" for name, count in counts]
