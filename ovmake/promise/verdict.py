"""Is a promise kept: an evaluation's figures beside the Ovfile's. Pure.

    decide(evaluation, params) -> Verdict

`evaluation` is what `workers.evaluating` writes, `params` are those of `rules.gate.promise_params`. The gate acts on
the verdict, and the search for layers to give back asks for it: one function, so that they cannot disagree.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ovmake.promise.dropping import Check, check_drop
from ovmake.promise.figures import JsonValue, number
from ovmake.promise.neighbours import check_neighbours
from ovmake.promise.sanity import no_better_than_chance, scores_of

# TensorFlow is not always equal to itself: kernels in integers round differently, and a model may blow up the last bit
# of its inputs. By default an IR may be as far from it as this many times its own distance. In integers, of which an
# IR is a third set of kernels; in floating point, where only the inputs were moved and not each of hundreds of sums;
# and one step of an output in integers, with a little for its own rounding.
OWN_INTEGERS = 2.0
OWN_FLOATS = 8.0
STEP = 1.01

GateResult = Literal["passed", "missed", "not-measured"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether the promise is kept. `text` gives the figures; `drop` is in metric units, None without a metric.

    `broken` is the setting that was not kept, "" if all were. `interval` is where the drop lies (`dropping.py`), and
    `doubt` why the samples are too few for the result, "" if they are not. `excess` is by how much the worst figure is
    worse than promised: 0 or less where all promises are kept, infinite where there is no figure.
    `scores` are TensorFlow's and the IR's. What they are worth: `at_chance` says that TensorFlow only guesses, "" if it
    does not; `absurd`, that the IR is better than it can be.
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

    @property
    def decided(self) -> bool:
        """Whether the samples are enough for the result. Agreement is about these samples, and needs no others."""
        return not self.doubt

    def to_json(self) -> dict[str, object]:
        """Return the content of the verdict's file, and of `gate` in the record."""
        interval = None if self.interval is None else dict(self.interval)
        figures = {"drop": self.drop, "interval": interval, "decided": self.decided}
        sane = {"scores": None if self.scores is None else dict(self.scores), "at_chance": self.at_chance or None}
        return {"result": self.result, "text": self.text, **figures, **sane}

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
    """
    drop, interval = verdict["drop"], verdict["interval"]
    facts: dict[str, JsonValue] = {"gate": str(verdict["result"]), "drop": None}
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


def decide(evaluation: Mapping[str, object], params: Mapping[str, JsonValue]) -> Verdict:
    """Return the verdict over an evaluation (see `workers.evaluate`) under the gate's params.

    The result is *missed* when any promise is broken or a figure is not finite, for a NaN keeps no promise. Where
    TensorFlow could not run, nothing was compared: that is *not-measured*, and says why.
    """
    reason = evaluation.get("not_measured")
    if isinstance(reason, str):
        return Verdict(result="not-measured", text=reason, drop=None)
    checks: list[Check] = []
    dropped, at_chance, scores = None, "", None
    if (promise := params.get("accuracy.max-drop")) is not None:
        metric = evaluation.get("metric")
        if not isinstance(metric, dict):
            return Verdict(result="not-measured", text="the evaluation holds no metric", drop=None)
        dropped = check_drop(metric, str(promise), evaluation.get("samples"))
        checks.append(dropped.check)
        at_chance, scores = no_better_than_chance(metric), scores_of(metric)
    outputs = evaluation.get("outputs")
    figures = [figure for figure in outputs if isinstance(figure, dict)] if isinstance(outputs, list) else []
    lenient = "accuracy.promised" not in params
    if isinstance(least := params.get("accuracy.agreement.cosine"), int | float):
        checks.append(_check_cosine(figures, least, lenient=lenient))
    if isinstance(most := params.get("accuracy.agreement.max-error"), int | float):
        checks.append(_check_error(figures, most, lenient=lenient))
    if (same := check_neighbours(evaluation, params)) is not None and not same.kept:
        checks.append(same)
    broken = next((check.setting for check in checks if not check.kept), "")
    odd = _not_finite(figures) if broken.startswith("accuracy.agreement") else []
    text = "; ".join([*(check.text for check in checks), *odd, *filter(None, [at_chance])])
    return Verdict(
        result="missed" if broken else "passed",
        text=text,
        drop=dropped.drop if dropped else None,
        broken=broken,
        interval=dropped.interval if dropped else None,
        doubt=dropped.doubt if dropped else "",
        excess=max((check.excess for check in checks), default=0.0),
        scores=scores,
        at_chance=at_chance,
        absurd=dropped.absurd if dropped else False,
    )


def _check_cosine(outputs: Sequence[Mapping[str, object]], least: float, *, lenient: bool) -> Check:
    worst = min(outputs, key=lambda output: _nan_first(number(output.get("cosine"))), default={})
    cosine = number(worst.get("cosine"))
    own = 1 - number(worst.get("own_cosine", 1.0))
    wanted = min(least, 1 - _factor(worst) * own) if lenient else least
    # "cosine 1.000000, at least 1 wanted" would be the same of 0.99999995 and 0.9999999.
    digits = max(6, round(-math.log10(1 - wanted)) + 1) if wanted < 1 else 9
    shown = f"at least {wanted:.{digits}g} wanted{_why(wanted != least)}"
    text = f"cosine {cosine:.{digits}f} with TensorFlow's outputs, {shown}"
    kept = _same_nan(outputs) and cosine >= wanted
    return Check(setting="accuracy.agreement.cosine", kept=kept, text=text, excess=_or_inf(wanted - cosine))


def _check_error(outputs: Sequence[Mapping[str, object]], most: float, *, lenient: bool) -> Check:
    setting = "accuracy.agreement.max-error"
    if not outputs:
        return Check(setting=setting, kept=False, text="no output to compare")
    errors = {str(output.get("name")): _error(output, most, lenient=lenient) for output in outputs}
    name, (error, wanted) = max(errors.items(), key=lambda item: _or_inf(item[1][0] - item[1][1]))
    text = f"largest difference {error:.2e} of the scale of `{name}`, at most {wanted:g} wanted{_why(wanted != most)}"
    kept = _same_nan(outputs) and error <= wanted
    return Check(setting=setting, kept=kept, text=text, excess=_or_inf(error - wanted))


def _error(output: Mapping[str, object], most: float, *, lenient: bool) -> tuple[float, float]:
    """Return the largest difference and what is allowed, as shares of the output's scale; of 1 if that is 0.

    The default tolerance is as wide as what TensorFlow leaves open, or an output of fewer bits than FP32; one that the
    Ovfile gives is taken at its word.
    """
    largest, scale = number(output.get("max_abs")), number(output.get("scale")) or 1.0
    own = [_factor(output) * number(output.get("own_max_abs")), STEP * number(output.get("quantum"))]
    open_by = max((value for value in own if math.isfinite(value)), default=0.0)
    rounding = OWN_FLOATS * number(output.get("resolution", 0.0))
    return largest / scale, max(most, open_by / scale, rounding) if lenient else most


def _factor(output: Mapping[str, object]) -> float:
    return OWN_INTEGERS if "quantum" in output else OWN_FLOATS


def _why(widened: bool) -> str:  # noqa: FBT001 - whether to say it
    return " (as well as TensorFlow agrees with itself)" if widened else ""


def _same_nan(outputs: Sequence[Mapping[str, object]]) -> bool:
    return all(output.get("nan_mismatch", 0) == 0 for output in outputs)


def _not_finite(outputs: Sequence[Mapping[str, object]]) -> list[str]:
    """Return what cosines and differences do not show: they are of those values that are finite on both sides."""
    named = [(output.get("name"), number(output.get("nan_mismatch", 0))) for output in outputs]
    return [f"{count:g} values of `{name}` are not finite in one of the two only" for name, count in named if count]


def _nan_first(value: float) -> float:
    return -math.inf if math.isnan(value) else value


def _or_inf(value: float) -> float:
    return math.inf if math.isnan(value) else value
