"""The gate's verdict, by promise and figures."""

from __future__ import annotations

import math
from typing import Any

import pytest

from ovmake.contracts.files.evaluation import Evaluation
from ovmake.verdicts.dropping import accuracy_drop
from ovmake.verdicts.verdict import facts_of
from tests.evaluations import a_metric, an_evaluation, an_output
from tests.promises import decide

PROMISED = {"accuracy.promised": True}


def evaluation(**figures: Any) -> Evaluation:
    return an_evaluation(an_output(**figures))


def scored(reference: float, candidate: float, *, samples: int = 200, **changed: Any) -> Evaluation:
    """Return an evaluation with enough samples for a decided verdict."""
    drop = reference - candidate
    sure = {"interval": interval(drop, drop)} if math.isfinite(drop) else {}
    metric = a_metric(reference=reference, candidate=candidate, **{"step": 1e-6, **sure, **changed})
    return an_evaluation(metric=metric, samples=samples)


def interval(low: float, high: float) -> dict[str, float]:
    return {"low": low, "high": high, "level": 0.95, "replicates": 1000}


@pytest.mark.parametrize(
    ("reference", "candidate", "promise", "expected"),
    [
        (0.8934, 0.8834, 0.01, "passed"),  # 0.010000000000000009 in binary
        (0.90, 0.88, 0.01, "missed"),
        (0.90, 0.895, "1%", "passed"),
        (0.90, 0.88, "1%", "missed"),
        (0.0, 0.0, "1%", "passed"),  # a drop of 0 from 0 is 0
        (0.0, 0.1, "1%", "missed"),
        (0.0, math.nan, "1%", "missed"),
        (0.90, 0.92, -0.01, "passed"),
        (0.90, math.nan, 0.5, "missed"),
    ],
)
def test_drop(reference: float, candidate: float, promise: float | str, expected: str) -> None:
    verdict = decide(scored(reference, candidate), {"accuracy.max-drop": promise, **PROMISED})

    assert expected == verdict.result
    assert ("" if expected == "passed" else "accuracy.max-drop") == verdict.broken


def test_relative_drop_from_0_is_undefined() -> None:
    with pytest.raises(ValueError, match="not 0"):
        accuracy_drop(0.0, 0.5, higher_is_better=True, relative=True)


@pytest.mark.parametrize("higher_is_better", [True, False])
def test_relative_drop_from_0_to_0_is_0(higher_is_better: bool) -> None:  # noqa: FBT001 - a parameter
    assert 0 == accuracy_drop(0.0, 0.0, higher_is_better=higher_is_better, relative=True)

    found = scored(0.0, 0.0, unit="labels", higher_is_better=higher_is_better, interval=interval(0.0, 0.0))
    verdict = decide(found, {"accuracy.max-drop": "1%", **PROMISED})
    assert ("passed", 0) == (verdict.result, verdict.drop)
    assert "0.00% (0.00% to 0.00% with 95 % confidence on 200 samples), allowed 1%" in verdict.text


@pytest.mark.parametrize(
    ("candidate", "promise", "expected"),
    [
        (2.1, 0.2, "passed"),
        (2.3, 0.2, "missed"),
        (1.5, 0.0, "passed"),
        (2.1, "6%", "passed"),
        (2.1, "4%", "missed"),
    ],
)
def test_drop_is_a_rise_if_lower_is_better(candidate: float, promise: float | str, expected: str) -> None:
    found = scored(2.0, candidate, name="mae", unit="labels", higher_is_better=False, step=None)

    verdict = decide(found, {"accuracy.max-drop": promise, **PROMISED})

    assert expected == verdict.result
    assert pytest.approx(candidate - 2) == verdict.drop
    assert f"mae 2 in TensorFlow, {candidate} in the IR: rise" in verdict.text


def test_text_gives_the_drop_with_its_interval() -> None:
    found = scored(0.918, 0.9138, interval=interval(0.0004, 0.0080))

    verdict = decide(found, {"accuracy.max-drop": 0.01})

    assert verdict.text == (
        "accuracy 0.9180 in TensorFlow, 0.9138 in the IR: drop 0.0042 (0.0004 to 0.0080 with 95 % confidence on 200 "
        "samples), allowed 0.01"
    )
    assert verdict.decided
    sure = {"gate": "passed", "drop": verdict.drop, "decided": True, "interval": (0.0004, 0.008)}
    assert {**sure, "scores": ("accuracy", "share", 0.918, 0.9138)} == facts_of(verdict)


def test_relative_drop_has_a_relative_interval() -> None:
    found = scored(0.5, 0.49, interval=interval(0.005, 0.015))

    text = decide(found, {"accuracy.max-drop": "5%"}).text

    assert "drop 2.00% (1.00% to 3.00% with 95 % confidence on 200 samples), allowed 5%" in text


@pytest.mark.parametrize(
    ("promise", "doubt"),
    [
        (0.01, "the 200 samples of the validation set are too few to decide: drop 0.0040 ± 0.0110"),
        (0.0, "the 200 samples of the validation set are too few to decide: drop 0.0040 ± 0.0110"),
        (0.02, ""),
        (-0.02, ""),
        ("2%", "the 200 samples of the validation set are too few to decide: drop 0.44% ± 1.22%"),
    ],
)
def test_interval_that_contains_the_promise_is_undecided(promise: float | str, doubt: str) -> None:
    around = interval(-0.003, 0.019) if promise == "2%" else interval(-0.007, 0.015)
    found = scored(0.9, 0.896, interval=around)

    verdict = decide(found, {"accuracy.max-drop": promise})

    assert doubt == verdict.doubt
    assert (not doubt) == verdict.decided
    assert verdict.text.endswith(doubt)


@pytest.mark.parametrize(("promise", "decided"), [(0.001, False), (0.005, True), (0.0, True), (-0.1, True)])
def test_promise_smaller_than_one_sample(promise: float, decided: bool) -> None:  # noqa: FBT001
    verdict = decide(scored(0.9, 0.9, step=1 / 200), {"accuracy.max-drop": promise})

    assert decided == verdict.decided
    doubt = "`max-drop` is smaller than 0.0050, the weight of one of the 200 samples of the validation set"
    assert ("" if decided else doubt) == verdict.doubt


def test_single_sample_decides_nothing() -> None:
    found = scored(1.0, 1.0, interval=None, step=1.0, samples=1)

    assert "1 sample of the validation set cannot decide" == decide(found, {"accuracy.max-drop": 0.01}).doubt


def test_missing_score_is_no_question_of_samples() -> None:
    verdict = decide(scored(0.9, math.nan, interval=None), {"accuracy.max-drop": 0.01})

    assert ("missed", None, "") == (verdict.result, verdict.drop, verdict.doubt)


def test_agreement_is_about_these_samples_alone() -> None:
    verdict = decide(evaluation(), {"accuracy.agreement.cosine": 0.9})

    assert {"gate": "passed", "drop": None} == facts_of(verdict)
    assert (True, None) == (verdict.decided, verdict.interval)


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ({"max_abs": 2e-4}, "passed"),
        ({"max_abs": 2.1e-4}, "missed"),
        ({"max_abs": None, "scale": None}, "missed"),
        ({"nan_mismatch": 1}, "missed"),
        ({"scale": 0.0, "max_abs": 5e-5}, "passed"),  # all of TensorFlow's values are 0: a share of 1
        ({"scale": 0.0, "max_abs": 5e-4}, "missed"),
    ],
)
def test_largest_difference_is_a_share_of_the_outputs_own_scale(figures: dict[str, Any], expected: str) -> None:
    verdict = decide(evaluation(**figures), {"accuracy.agreement.max-error": 1e-4})

    assert expected == verdict.result


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ({"max_abs": 1e-3, "own_max_abs": 2e-4, "own_cosine": 1.0}, "passed"),  # 8 times TensorFlow's own
        ({"max_abs": 2e-3, "own_max_abs": 2e-4, "own_cosine": 1.0}, "missed"),
        ({"max_abs": 4.0, "scale": 128.0, "own_max_abs": 2.0, "own_cosine": 1.0, "quantum": 1.0}, "passed"),  # twice
        ({"max_abs": 5.0, "scale": 128.0, "own_max_abs": 2.0, "own_cosine": 1.0, "quantum": 1.0}, "missed"),
        ({"max_abs": 0.05, "resolution": 2.0**-8}, "passed"),  # bfloat16
        ({"max_abs": 1.0, "scale": 128.0, "own_max_abs": 0.0, "own_cosine": 1.0, "quantum": 1.0}, "passed"),  # a step
    ],
)
def test_default_is_widened_by_tensorflows_own_distance(figures: dict[str, Any], expected: str) -> None:
    asked = {"accuracy.agreement.max-error": 1e-4}

    assert expected == decide(evaluation(**figures), asked).result
    assert "missed" == decide(evaluation(**figures), {**asked, **PROMISED}).result


def test_default_cosine_is_widened_and_a_promised_one_never() -> None:
    found = evaluation(cosine=0.9991, own_max_abs=1.0, own_cosine=0.9993, quantum=1.0)
    asked = {"accuracy.agreement.cosine": 0.9999}

    assert "passed" == decide(found, asked).result
    assert "missed" == decide(found, {**asked, **PROMISED}).result


def test_worst_output_decides() -> None:
    found = an_evaluation(an_output(), an_output(name="z", max_abs=1.0))

    verdict = decide(found, {"accuracy.agreement.max-error": 1e-4})

    assert ("missed", "accuracy.agreement.max-error") == (verdict.result, verdict.broken)
    assert "`z`" in verdict.text


@pytest.mark.parametrize(
    ("cosine", "least", "expected"),
    [
        (0.99999995, 0.98, "cosine 1.000000 with TensorFlow's outputs, at least 0.98 wanted"),
        (0.99999942, 0.9999999, "cosine 0.99999942 with TensorFlow's outputs, at least 0.9999999 wanted"),
        (0.99999942, 1, "cosine 0.999999420 with TensorFlow's outputs, at least 1 wanted"),
    ],
)
def test_cosine_is_shown_with_the_digits_of_its_limit(cosine: float, least: float, expected: str) -> None:
    assert expected == decide(evaluation(cosine=cosine), {"accuracy.agreement.cosine": least, **PROMISED}).text


def test_values_finite_on_one_side_are_listed() -> None:
    asked = {"accuracy.agreement.cosine": 0.9, "accuracy.agreement.max-error": 0.1, **PROMISED}

    verdict = decide(evaluation(nan_mismatch=2), asked)

    assert "missed" == verdict.result
    assert verdict.text.endswith("wanted; 2 non-finite values of `y` differ from TensorFlow's")


@pytest.mark.parametrize("asked", [{"accuracy.max-drop": 0.01}, {"accuracy.agreement.cosine": 0.9}])
def test_model_that_tensorflow_cannot_run_is_not_measured(asked: dict[str, Any]) -> None:
    verdict = decide(an_evaluation(not_measured="TensorFlow cannot run it"), asked)

    assert ("not-measured", "TensorFlow cannot run it") == (verdict.result, verdict.text)


def test_no_output_is_no_agreement() -> None:
    assert "missed" == decide(an_evaluation(), {"accuracy.agreement.max-error": 1e-4}).result
    assert "missed" == decide(an_evaluation(), {"accuracy.agreement.cosine": 0.5}).result


def test_tiny_negative_drop_has_no_sign() -> None:
    verdict = decide(scored(0.8, 0.8, interval=interval(-5e-12, 0.004)), {"accuracy.max-drop": 0.01})

    assert "drop 0.0000 (0.0000 to 0.0040 with 95 % confidence" in verdict.text
