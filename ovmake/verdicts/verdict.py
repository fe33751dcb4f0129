"""Is a promise kept: an evaluation's figures beside the Ovfile's. Pure.

    decide(evaluation, promise) -> Verdict

`evaluation` is what `evaluating.py` writes, `promise` is what `rules.gate` makes of the Ovfile. The gate acts on
the verdict, and the search for layers to give back asks for it: one function, so that they cannot disagree.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ovmake.contracts.params.promise import PromiseParams
from ovmake.verdicts.agreement import check_cosine, check_error, empty_outputs, other_sizes
from ovmake.verdicts.dropping import Check, Dropped, check_drop
from ovmake.verdicts.figures import JsonValue, number
from ovmake.verdicts.neighbours import check_neighbours
from ovmake.verdicts.sanity import no_better_than_chance, scores_of

NOISE = (
    "name a dataset under `accuracy`, or let fewer `samples` calibrate than there are; with `agreement`, "
    '`inputs = "noise"` judges INT8 on noise all the same'
)

GateResult = Literal["passed", "missed", "not-measured"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether the promise is kept. `text` gives the figures; `drop` is in metric units, None without a metric.

    `broken` is the setting that was not kept, "" if all were. `interval` is where the drop lies (`dropping.py`), and
    `doubt` why the samples are too few for the result, "" if they are not. `excess` is by how much the worst figure is
    worse than promised: 0 or less where all promises are kept, infinite where there is no figure.
    `scores` are TensorFlow's and the IR's. What they are worth: `at_chance` says that TensorFlow only guesses, "" if it
    does not; `absurd`, that the IR is better than it can be.
    `help` is what may help where the gate was not passed, "" where nothing is known.
    """

    result: GateResult
    text: str
    drop: float | None
    broken: str = ""
    interval: Mapping[str, JsonValue] | None = None
    doubt: str = ""
    excess: float = math.inf
    scores: Mapping[str, object] | None = None
    at_chance: str = ""
    absurd: bool = False
    help: str = ""

    @property
    def decided(self) -> bool:
        """Whether the samples are enough for the result. Agreement is about these samples, and needs no others."""
        return not self.doubt

    def to_json(self) -> dict[str, object]:
        """Return the content of the verdict's file, and of `gate` in the record."""
        interval = None if self.interval is None else dict(self.interval)
        figures = {"drop": self.drop, "interval": interval, "decided": self.decided}
        sane = {"scores": None if self.scores is None else dict(self.scores), "at_chance": self.at_chance or None}
        return {
            "result": self.result,
            "text": self.text,
            **figures,
            **sane,
            **({"help": self.help} if self.help else {}),
        }

    def to_facts(self) -> dict[str, JsonValue]:
        """Return the few figures that are worth having without opening a file."""
        return facts_of(self.to_json())

    def keeps(self, *, promised: bool) -> bool:
        """Whether an IR may be published. Where the Ovfile promised something, what was not measured is not kept."""
        return self.result == "passed" or (self.result == "not-measured" and not promised)


def facts_of(verdict: Mapping[str, object]) -> dict[str, JsonValue]:
    """Return the same of a verdict's file: `interval` as (low, high); without a drop, nothing of it.

    `scores` are (metric, unit, TensorFlow's, the IR's). `needs` is the property without which the promise is broken,
    see `by_default.py`.
    What was not measured says why.
    """
    drop, interval = verdict["drop"], verdict["interval"]
    facts: dict[str, JsonValue] = {"gate": str(verdict["result"]), "drop": None}
    if verdict["result"] == "not-measured":
        facts |= {"why": str(verdict["text"])}
    if isinstance(drop, int | float):
        facts |= {"drop": drop, "decided": verdict["decided"] is True}
    if isinstance(interval, dict):
        facts["interval"] = (interval["low"], interval["high"])
    default = verdict.get("default")
    if isinstance(default, dict) and default["needs"]:
        facts["needs"] = str(default["needs"])
    if isinstance(scores := verdict.get("scores"), dict):
        facts["scores"] = (scores["metric"], scores["unit"], scores["tensorflow"], scores["openvino"])
    return facts


def decide(evaluation: Mapping[str, object], promise: PromiseParams) -> Verdict:
    """Return the verdict over an evaluation (see `workers.evaluate`) under a promise.

    The result is *missed* when any promise is broken or a figure is not finite, for a NaN keeps no promise. It is
    *not-measured*, and says why, where TensorFlow could not run, where it cannot tell right from wrong (`agreement`),
    and for INT8 on noise: its ranges were chosen for real data.
    """
    reason = evaluation.get("not_measured")
    if isinstance(reason, str):
        return _unmeasured(reason, str(evaluation.get("help") or ""))
    checks: list[Check] = []
    dropped, metric = None, evaluation.get("metric")
    if promise.max_drop is not None:
        if not isinstance(metric, dict):
            return _unmeasured("the evaluation holds no metric", "")
        dropped = check_drop(metric, promise.max_drop, evaluation.get("samples"))
        checks.append(dropped.check)
    outputs = evaluation.get("outputs")
    figures = [figure for figure in outputs if isinstance(figure, dict)] if isinstance(outputs, list) else []
    lenient, asked = not promise.promised, promise.agreement
    if asked.cosine is not None:
        checks.append(check_cosine(figures, asked.cosine, lenient=lenient))
    if asked.max_error is not None:
        checks.append(check_error(figures, asked.max_error, lenient=lenient))
    if (same := check_neighbours(evaluation, promise)) is not None and not same.kept:
        checks.append(same)
    if promise.real_data and (why := _made_up(evaluation)):
        return _unmeasured(f"{why}; on made-up inputs: {'; '.join(check.text for check in checks)}", NOISE)
    verdict = _verdict(checks, dropped, figures, evaluation)
    if dropped is None or not isinstance(metric, dict) or verdict.result == "not-measured":
        return verdict
    at_chance = no_better_than_chance(metric)
    text = "; ".join(filter(None, (verdict.text, at_chance)))
    return replace(verdict, text=text, scores=scores_of(metric), at_chance=at_chance, absurd=dropped.absurd)


def _verdict(
    checks: Sequence[Check],
    dropped: Dropped | None,
    figures: Sequence[Mapping[str, object]],
    evaluation: Mapping[str, object],
) -> Verdict:
    broken = next((check.setting for check in checks if not check.kept and not check.unmeasured), "")
    unmeasured = next((check for check in checks if check.unmeasured), None)
    if unmeasured is not None and not broken:
        return _unmeasured(unmeasured.unmeasured, unmeasured.help)
    agreement = any(check.setting.startswith("accuracy.agreement") for check in checks)
    more = [*empty_outputs(figures), *other_sizes(figures)] if agreement else []
    odd = [*_not_finite(figures), *_unsteady(evaluation)] if broken.startswith("accuracy.agreement") else []
    return Verdict(
        result="missed" if broken else "passed",
        text="; ".join([*(check.text for check in checks), *more, *odd]),
        drop=dropped.drop if dropped else None,
        broken=broken,
        interval=dropped.interval if dropped else None,
        doubt=dropped.doubt if dropped else "",
        excess=max((check.excess for check in checks), default=0.0),
        help=_without_switch(evaluation) if broken else "",
    )


def _unsteady(evaluation: Mapping[str, object]) -> list[str]:
    """Return what to say of an IR that does not answer alike when it is asked the same again."""
    named = evaluation.get("unsteady")
    listed = ", ".join(f"`{name}`" for name in named) if isinstance(named, list) else ""
    return [f"the IR itself gives another {listed} when it is asked the same again"] if listed else []


def _without_switch(evaluation: Mapping[str, object]) -> str:
    """Return what may help an IR that has a switch among its inputs, "" of others: without it there is one branch."""
    inputs = evaluation.get("inputs")
    named = inputs.get("switches") if isinstance(inputs, dict) else None
    return f"`inputs.{named[0]}.value = false` leaves the branch that is used, and no switch" if named else ""


def _unmeasured(why: str, help_: str) -> Verdict:
    return Verdict(result="not-measured", text=why, drop=None, help=help_)


def _made_up(evaluation: Mapping[str, object]) -> str:
    """Return why INT8 cannot be judged on these inputs, "" where it can: its ranges were chosen for others."""
    inputs = evaluation.get("inputs")
    if not isinstance(inputs, dict) or inputs.get("from") != "noise":
        return ""
    why = inputs.get("why")
    return f"INT8 is judged on real samples, and {why or 'there are none'}"


def _not_finite(outputs: Sequence[Mapping[str, object]]) -> list[str]:
    """Return what cosines and differences do not show: they are of those values that are finite on both sides."""
    named = [(output.get("name"), number(output.get("nan_mismatch", 0))) for output in outputs]
    return [f"{count:g} values of `{name}` are not finite in one of the two only" for name, count in named if count]
