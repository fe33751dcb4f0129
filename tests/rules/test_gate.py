"""The gate: what is asked, what was measured, and what comes of it."""

from __future__ import annotations

import math
from typing import Any

import pytest

from ovmake.rules.gate import accuracy_drop, decide

PROMISED = {"accuracy.promised": True}


def evaluation(**figures: Any) -> dict[str, Any]:
    output = {"name": "y", "scale": 2.0, "max_abs": 1e-6, "cosine": 1.0, "nan_mismatch": 0, **figures}
    return {"outputs": [output]}


def scored(reference: float, candidate: float) -> dict[str, Any]:
    return {"metric": {"name": "accuracy", "reference": reference, "candidate": candidate}, "outputs": []}


@pytest.mark.parametrize(
    ("reference", "candidate", "promise", "expected"),
    [
        (0.8934, 0.8834, 0.01, "passed"),  # 0.010000000000000009 in binary
        (0.90, 0.88, 0.01, "missed"),
        (0.90, 0.895, "1%", "passed"),
        (0.90, 0.88, "1%", "missed"),
        (0.0, 0.0, "1%", "missed"),
        (0.90, 0.92, -0.01, "passed"),
        (0.90, math.nan, 0.5, "missed"),
    ],
)
def test_drop(reference: float, candidate: float, promise: float | str, expected: str) -> None:
    verdict = decide(scored(reference, candidate), {"accuracy.max-drop": promise, **PROMISED})

    assert expected == verdict.result
    assert ("" if expected == "passed" else "accuracy.max-drop") == verdict.broken


def test_relative_drop_from_nothing_is_no_number() -> None:
    with pytest.raises(ValueError, match="other than 0"):
        accuracy_drop(0.0, 0.5, relative=True)


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ({"max_abs": 2e-4}, "passed"),
        ({"max_abs": 2.1e-4}, "missed"),
        ({"max_abs": None, "scale": None}, "missed"),
        ({"nan_mismatch": 1}, "missed"),
        ({"scale": 0.0, "max_abs": 5e-5}, "passed"),  # where TensorFlow gives nothing but 0, of 1
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
        ({"max_abs": 8.0, "scale": 128.0, "own_max_abs": 4.0, "own_cosine": 1.0, "quantum": 1.0}, "passed"),  # twice
        ({"max_abs": 9.0, "scale": 128.0, "own_max_abs": 4.0, "own_cosine": 1.0, "quantum": 1.0}, "missed"),
        ({"max_abs": 0.05, "resolution": 2.0**-8}, "passed"),  # bfloat16
        ({"max_abs": 1.0, "scale": 128.0, "own_max_abs": 0.0, "own_cosine": 1.0, "quantum": 1.0}, "passed"),  # a step
    ],
)
def test_default_is_as_wide_as_what_tensorflow_leaves_open(figures: dict[str, Any], expected: str) -> None:
    asked = {"accuracy.agreement.max-error": 1e-4}

    assert expected == decide(evaluation(**figures), asked).result
    assert "missed" == decide(evaluation(**figures), {**asked, **PROMISED}).result


def test_cosine_widens_with_the_sources_own_and_never_for_a_promise() -> None:
    found = evaluation(cosine=0.9991, own_max_abs=1.0, own_cosine=0.9993, quantum=1.0)
    asked = {"accuracy.agreement.cosine": 0.9999}

    assert "passed" == decide(found, asked).result
    assert "missed" == decide(found, {**asked, **PROMISED}).result


def test_worst_output_decides() -> None:
    fine, bad = evaluation()["outputs"][0], evaluation(name="z", max_abs=1.0)["outputs"][0]

    verdict = decide({"outputs": [fine, bad]}, {"accuracy.agreement.max-error": 1e-4})

    assert ("missed", "accuracy.agreement.max-error") == (verdict.result, verdict.broken)
    assert "`z`" in verdict.text


@pytest.mark.parametrize("asked", [{"accuracy.max-drop": 0.01}, {"accuracy.agreement.cosine": 0.9}])
def test_what_tensorflow_could_not_run_is_not_measured(asked: dict[str, Any]) -> None:
    verdict = decide({"not_measured": "TensorFlow cannot run it", "outputs": []}, asked)

    assert ("not-measured", "TensorFlow cannot run it") == (verdict.result, verdict.text)


def test_no_output_is_no_agreement() -> None:
    assert "missed" == decide({"outputs": []}, {"accuracy.agreement.max-error": 1e-4}).result
    assert "missed" == decide({"outputs": []}, {"accuracy.agreement.cosine": 0.5}).result
