"""The promise for an IR compiled without properties, and for samples in batches of different sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from ovmake.contracts.codec import encode
from ovmake.contracts.files.evaluation import Evaluation, Metric, OutputFigures
from ovmake.contracts.files.verdict import DefaultVerdict
from ovmake.contracts.values import JsonValue
from ovmake.verdicts.by_default import with_default
from ovmake.verdicts.neighbours import depends_by_nature, other_batches
from tests.evaluations import SAME, a_metric, an_evaluation, an_output, neighbours_of
from tests.promises import decide, promise

VERIFIED = an_output()
ROUNDED = an_output(max_abs=0.02, cosine=0.9998)
WRONG = an_output(max_abs=1.9, cosine=0.953)
# The promise of an fp32 target without settings in the Ovfile: in bf16, the defaults of bf16.
PARAMS = {
    "accuracy.agreement.cosine": 0.99999,
    "accuracy.agreement.max-error": 1e-4,
    "accuracy.default.cosine": 0.999,
    "accuracy.default.max-error": 0.25,
}
OWN = {"accuracy.agreement.cosine": 0.99999, "accuracy.promised": True}


def evaluation(
    default: OutputFigures | None = None,
    *,
    verified: OutputFigures = VERIFIED,
    metrics: tuple[Metric | None, Metric | None] = (None, None),
    **more: Any,
) -> Evaluation:
    """Return an evaluation; `default` is the output of the IR compiled without properties, `metrics` are of both."""
    first, second = metrics
    if default is not None:
        figures = {"samples": 16, "outputs": [encode(default)], "metric": encode(second)}
        more |= {"by_default": {"precision": "bf16", "executed": {"bf16": 2}, "figures": figures}}
    return an_evaluation(verified, metric=first, **more)


def by_default(found: Evaluation, params: Mapping[str, JsonValue]) -> DefaultVerdict | None:
    """Return the verdict on the IR compiled without properties."""
    return with_default(decide(found, params), found, promise(params)).by_default


@pytest.mark.parametrize(
    ("output", "params", "result", "needed"),
    [
        (ROUNDED, PARAMS, "passed", ""),
        (ROUNDED, OWN, "missed", "INFERENCE_PRECISION_HINT=f32"),
        (WRONG, PARAMS, "missed", "INFERENCE_PRECISION_HINT=f32"),
        (replace(WRONG, nan_mismatch=3), PARAMS, "missed", "INFERENCE_PRECISION_HINT=f32"),
    ],
    ids=["rounded", "the Ovfile says more", "wrong", "nan"],
)
def test_verdict_on_the_default_execution(
    output: OutputFigures, params: dict[str, Any], result: str, needed: str
) -> None:
    found = evaluation(output)
    default = by_default(found, params)

    assert default is not None
    assert ("bf16", result, needed) == (default.precision, default.verdict.result, default.needs)
    assert "passed" == decide(found, params).result, "the IR passed as it was verified, so it is published"


def test_metric_of_the_default_is_judged_by_the_same_drop() -> None:
    def metric(candidate: float) -> Metric:
        drop = 0.9 - candidate
        interval = {"low": drop, "high": drop, "level": 0.95, "replicates": 1000}
        return a_metric(reference=0.9, candidate=candidate, step=1e-6, interval=interval)

    found = evaluation(ROUNDED, metrics=(metric(0.9), metric(0.7)))
    default = by_default(found, {"accuracy.max-drop": 0.01, "accuracy.promised": True})

    assert default is not None
    assert ("missed", 0.2) == (default.verdict.result, round(default.verdict.drop or 0, 6))


def test_default_execution_is_not_judged_after_a_missed_gate() -> None:
    missed = evaluation(ROUNDED, verified=WRONG)
    unknown = evaluation(ROUNDED, not_measured="TensorFlow cannot run it")

    assert [None, None] == [by_default(found, PARAMS) for found in (missed, unknown)]


def test_no_second_verdict_without_a_second_execution() -> None:
    assert by_default(evaluation(), PARAMS) is None


def beside(output: Mapping[str, object], **more: Any) -> Evaluation:
    """Return an evaluation whose samples were also run alone."""
    return evaluation(neighbours=encode(neighbours_of(output, **more)))


OTHER = {**SAME, "max_abs": 1.5, "cosine": 0.4}
CLOSE = {**SAME, "max_abs": 0.01, "cosine": 0.99999}
MATMUL = {"name": "MatMul_12", "type": "MatMul"}
HELPS = [{"EXECUTION_MODE_HINT": "ACCURACY"}]


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
def test_answer_must_not_depend_on_the_batch(output: Mapping[str, object], params: dict[str, Any], result: str) -> None:
    asked = {name: value for name, value in params.items() if name != "accuracy.max-drop"}
    verdict = decide(beside(output), asked)

    assert (result, "" if result == "passed" else "batch") == (verdict.result, verdict.broken)


def test_sentence_names_the_batches_and_the_first_layer() -> None:
    found = beside(OTHER, begins=MATMUL, helps=HELPS)

    text = decide(found, PARAMS).text
    assert "a sample's answer in a batch of 64 differs from that in a batch of 1, TensorFlow's does not" in text
    assert "the first layer that differs is `MatMul_12` (MatMul)" in text
    assert (
        "compiled with `EXECUTION_MODE_HINT=ACCURACY` the answers agree; "
        "`batch = 64` limits the IR to batches of that size, which the gate then judges; "
        '`ignored.names = ["MatMul_12"]` leaves the layer in floating point'
    ) == other_batches(neighbours_of(OTHER, begins=MATMUL, helps=HELPS))


def test_dependence_of_tensorflow_is_a_share_of_the_scale() -> None:
    assert "by 0.7 of the scale of `y`" == depends_by_nature(neighbours_of({**OTHER, "own_max_abs": 1.4}))
    assert "" == depends_by_nature(neighbours_of(OTHER))
    assert "" == depends_by_nature(None)
