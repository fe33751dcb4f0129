"""The same promise, of an IR that is compiled without properties; and of samples in batches of other sizes."""

from __future__ import annotations

from typing import Any

import pytest

from ovmake.verdicts.neighbours import depends_by_nature, other_batches
from tests.promises import decide, default_verdict

VERIFIED = {"name": "y", "scale": 2.0, "max_abs": 1e-6, "cosine": 1.0, "nan_mismatch": 0}
ROUNDED = {**VERIFIED, "max_abs": 0.02, "cosine": 0.9998}
WRONG = {**VERIFIED, "max_abs": 1.9, "cosine": 0.953}
# What the rule asks of an fp32 target whose Ovfile says nothing: in bf16, what is asked of bf16.
PARAMS = {
    "accuracy.agreement.cosine": 0.99999,
    "accuracy.agreement.max-error": 1e-4,
    "accuracy.default.cosine": 0.999,
    "accuracy.default.max-error": 0.25,
}
OWN = {"accuracy.agreement.cosine": 0.99999, "accuracy.promised": True}
HINT = {"INFERENCE_PRECISION_HINT": "f32"}


def evaluation(default: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    found = {"samples": 16, "outputs": [VERIFIED], "compile_properties": HINT, **more}
    return found if default is None else {**found, "default": {"precision": "bf16", "outputs": [default]}}


@pytest.mark.parametrize(
    ("output", "params", "result", "needed"),
    [
        (ROUNDED, PARAMS, "passed", ""),
        (ROUNDED, OWN, "missed", "INFERENCE_PRECISION_HINT=f32"),
        (WRONG, PARAMS, "missed", "INFERENCE_PRECISION_HINT=f32"),
        ({**WRONG, "nan_mismatch": 3}, PARAMS, "missed", "INFERENCE_PRECISION_HINT=f32"),
    ],
    ids=["rounded", "the Ovfile says more", "wrong", "nan"],
)
def test_what_the_processors_default_makes_of_the_promise(
    output: dict[str, Any], params: dict[str, Any], result: str, needed: str
) -> None:
    found = evaluation(output)
    default = default_verdict(found, params)

    assert default is not None
    assert ("bf16", result, needed) == (default.precision, default.verdict.result, default.needed)
    assert "passed" == decide(found, params).result, "the IR as it was verified is published all the same"
    assert (needed or None) == default.to_json()["needs"]


def test_metric_of_the_default_is_judged_by_the_same_drop() -> None:
    def metric(candidate: float) -> dict[str, Any]:
        drop = 0.9 - candidate
        interval = {"low": drop, "high": drop, "level": 0.95, "replicates": 1000}
        scores = {"reference": 0.9, "candidate": candidate, "step": 1e-6, "interval": interval}
        return {"name": "accuracy", "unit": "share", "higher_is_better": True, **scores}

    found = evaluation(ROUNDED, metric=metric(0.9))
    found["default"]["metric"] = metric(0.7)
    default = default_verdict(found, {"accuracy.max-drop": 0.01, "accuracy.promised": True})

    assert default is not None
    assert ("missed", 0.2) == (default.verdict.result, round(default.verdict.drop or 0, 6))


def test_where_the_first_execution_keeps_no_promise_the_second_is_not_asked() -> None:
    missed = {**evaluation(ROUNDED), "outputs": [WRONG]}
    unknown = {**evaluation(ROUNDED), "not_measured": "TensorFlow cannot run it"}

    assert [None, None] == [default_verdict(found, PARAMS) for found in (missed, unknown)]


def test_without_another_execution_there_is_no_second_verdict() -> None:
    assert default_verdict(evaluation(), PARAMS) is None


def beside(output: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return an evaluation whose samples were run alone, too."""
    return evaluation(neighbours={"sizes": [1, 64], "samples": 8, "outputs": [{**output, "name": "y"}], **more})


SAME = {"scale": 2.0, "max_abs": 0.0, "cosine": 1.0, "own_max_abs": 0.0, "own_cosine": 1.0}
OTHER = {**SAME, "max_abs": 1.5, "cosine": 0.4}
CLOSE = {**SAME, "max_abs": 0.01, "cosine": 0.99999}
MATMUL = {"name": "MatMul_12", "type": "MatMul"}


@pytest.mark.parametrize(
    ("output", "params", "result"),
    [
        (SAME, PARAMS, "passed"),
        (OTHER, PARAMS, "missed"),
        (CLOSE, PARAMS, "missed"),
        (CLOSE, {"accuracy.max-drop": 0.01, "accuracy.neighbours.cosine": 0.98}, "passed"),
        (OTHER, {"accuracy.neighbours.cosine": 0.98}, "missed"),
        (OTHER, {}, "passed"),
        ({**OTHER, "own_cosine": 0.5, "own_max_abs": 1.4}, PARAMS, "passed"),
        ({**OTHER, "cosine": None, "max_abs": None}, PARAMS, "passed"),
    ],
    ids=["same", "other", "close", "int8", "int8 other", "nothing asked", "by nature", "nothing finite"],
)
def test_a_samples_answer_may_not_depend_on_its_neighbours(
    output: dict[str, Any], params: dict[str, Any], result: str
) -> None:
    asked = {name: value for name, value in params.items() if name != "accuracy.max-drop"}
    verdict = decide(beside(output), asked)

    assert (result, "" if result == "passed" else "batch") == (verdict.result, verdict.broken)


def test_sentence_names_the_batches_and_where_it_begins() -> None:
    found = beside(OTHER, begins=MATMUL, helps=[{"EXECUTION_MODE_HINT": "ACCURACY"}])

    text = decide(found, PARAMS).text
    assert "a sample's answer in a batch of 64 is another than in a batch of 1, and TensorFlow's is the same" in text
    assert "it begins in `MatMul_12` (MatMul)" in text
    assert (
        "compiled with `EXECUTION_MODE_HINT=ACCURACY` it does not happen; "
        "`batch = 64` lets the IR take batches of that size alone, which the gate then judges; "
        '`ignored.names = ["MatMul_12"]` leaves the layer in floating point'
    ) == other_batches(found)


def test_dependence_that_is_the_models_own_is_told_in_shares_of_the_scale() -> None:
    assert "by 0.7 of the scale of `y`" == depends_by_nature(beside({**OTHER, "own_max_abs": 1.4}))
    assert "" == depends_by_nature(beside(OTHER))
    assert "" == depends_by_nature(evaluation(neighbours=None))
