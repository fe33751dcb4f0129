"""Agreement with TensorFlow, and when it decides nothing, on synthetic figures of outputs."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from ovmake.contracts.codec import to_bytes
from ovmake.contracts.files.evaluation import OutputFigures
from ovmake.contracts.files.verdict import Verdict
from ovmake.verdicts.agreement import REAL_DATA
from ovmake.verdicts.verdict import facts_of
from tests.evaluations import an_evaluation, an_output
from tests.promises import decide

FP32: dict[str, Any] = {"accuracy.agreement.cosine": 0.99999, "accuracy.agreement.max-error": 1e-4}
INT8: dict[str, Any] = {"accuracy.agreement.cosine": 0.98, "accuracy.real-data": True}
PROMISED = {"accuracy.promised": True}


def output(**figures: Any) -> OutputFigures:
    return an_output(**{"scale": 1.0, **figures})


def judged(*outputs: OutputFigures, asked: dict[str, Any] | None = None, **more: Any) -> Verdict:
    return decide(an_evaluation(*outputs, **more), FP32 if asked is None else asked)


EMPTY = {"elements": 0, "scale": None, "max_abs": None, "cosine": None}
NOT_FINITE = {"nonfinite_expected": 64, "scale": None, "max_abs": None, "cosine": None}


def test_output_that_is_empty_on_both_sides_is_listed_and_ignored() -> None:
    found = output(name="found", **EMPTY)

    assert "passed" == judged(found, output()).result
    assert judged(found, output()).text.endswith(
        "of the scale of `y`, at most 0.0001 wanted; `found` was empty in all samples"
    )
    assert "missed" == judged(found, output(max_abs=0.5)).result


def test_only_empty_outputs_are_not_measured() -> None:
    verdict = judged(output(**EMPTY))

    assert ("not-measured", "nothing to compare: `y` was empty in all samples") == (verdict.result, verdict.text)
    assert "name a dataset" in verdict.help


@pytest.mark.parametrize("mismatch", [0, 3])
def test_output_without_a_finite_value_of_tensorflow_is_not_measured(mismatch: int) -> None:
    verdict = judged(output(**NOT_FINITE, nan_mismatch=mismatch))

    assert "not-measured" == verdict.result
    assert "nothing finite to compare in `y`: TensorFlow's values are all NaN or infinite" == verdict.text


def test_output_without_finite_values_does_not_excuse_a_wrong_one() -> None:
    assert "missed" == judged(output(name="z", **NOT_FINITE), output(max_abs=0.5)).result
    assert "not-measured" == judged(output(name="z", **NOT_FINITE), output()).result


def test_nan_of_the_ir_alone_misses_the_gate() -> None:
    assert "missed" == judged(output(max_abs=None, cosine=None, nan_mismatch=64, nonfinite_actual=64)).result


def test_uncertain_tensorflow_makes_the_gate_not_measured() -> None:
    """EfficientNetV2B0 with random weights: its cosine with itself is 0.87, so any IR would pass."""
    own = {"own_cosine": 0.872, "own_max_abs": 0.85, "own_moved": 1.2e-7}
    verdict = judged(output(cosine=0.153, max_abs=0.9, **own), asked=INT8)

    assert "not-measured" == verdict.result
    assert (
        "TensorFlow does not agree with itself: cosine 0.872, at least 0.98 wanted; on these inputs the model "
        "amplifies a change of the last bit 7,100,000 times"
    ) == verdict.text
    assert REAL_DATA == verdict.help
    assert "not-measured" == judged(output(cosine=-0.5, max_abs=2.0, **own)).result


@pytest.mark.parametrize(
    ("error", "own", "expected"),
    [
        (1e-5, 0.5, "passed"),  # passes without widening
        (5e-3, 2e-3, "passed"),
        (1.2e-2, 2e-3, "not-measured"),  # within the widened tolerance, beyond the useful limit
        (1.7e-2, 2e-3, "missed"),
        (5e-3, 1.1e-2, "passed"),
        (2e-2, 1.1e-2, "not-measured"),
        (0.9, 1.1e-2, "not-measured"),
        (5e-2, math.nan, "missed"),
    ],
)
def test_tolerance_is_not_widened_beyond_the_useful_limit(error: float, own: float, expected: str) -> None:
    asked = {"accuracy.agreement.max-error": 1e-4}
    found = output(max_abs=error, own_max_abs=own, own_cosine=1.0, own_moved=1e-7)

    assert expected == judged(found, asked=asked).result
    assert ("passed" if error <= 1e-4 else "missed") == judged(found, asked={**asked, **PROMISED}).result


def test_random_model_is_named_as_the_reason() -> None:
    found = output(cosine=0.5, own_cosine=0.6, own_max_abs=0.5, own_moved=1e-7, random=True)

    assert judged(found).text.endswith("it gives a different answer each time, because the model draws random numbers")


def test_kernels_that_round_differently_are_named_as_the_reason() -> None:
    found = output(scale=128.0, max_abs=40.0, cosine=0.9, own_cosine=0.95, own_max_abs=20.0, quantum=1.0)

    assert judged(found).text.endswith("its own kernels round differently on these inputs")


TRUTH = {"truth": "the same graph in f32", "own_truth_max_abs": 3e-3, "own_truth_cosine": 0.999990}


@pytest.mark.parametrize(
    ("to_truth", "expected"),
    [(1e-7, "passed"), (2.9e-3, "passed"), (3.1e-3, "missed"), (math.nan, "missed")],
)
def test_ir_as_close_to_the_truth_as_tensorflow_passes(to_truth: float, expected: str) -> None:
    asked = {"accuracy.agreement.max-error": 1e-4}
    found = output(max_abs=4e-3, truth_max_abs=to_truth, truth_cosine=1.0, **TRUTH)

    assert expected == judged(found, asked=asked).result
    assert "missed" == judged(found, asked={**asked, **PROMISED}).result


def test_the_text_says_that_the_truth_decided() -> None:
    text = judged(output(max_abs=4e-3, truth_max_abs=1e-7, truth_cosine=1.0, **TRUTH)).text

    assert text.endswith(
        "largest difference 4.00e-03 of the scale of `y`, at most 0.0001 wanted; 1.00e-07 from the same graph in f32, "
        "TensorFlow 3.00e-03"
    )


@pytest.mark.parametrize(
    ("to_truth", "own", "quantum", "expected"),
    [
        (1e-6, 0.04, None, "passed"),
        (0.03, 0.04, None, "passed"),
        (0.045, 0.04, None, "missed"),
        (0.045, 0.04, 0.0, "passed"),  # in integers both round: twice as far passes
        (0.09, 0.04, 0.0, "missed"),
        (0.1, 0.2, None, "not-measured"),  # further from the truth than the useful limit
        (0.3, 0.2, None, "missed"),
    ],
)
def test_distance_from_the_truth_that_passes(to_truth: float, own: float, quantum: float | None, expected: str) -> None:
    """A dynamic-range .tflite is some per cent from the float model, and its IR may be as well."""
    figures: dict[str, Any] = {} if quantum is None else {"quantum": quantum}
    found = output(max_abs=0.5, truth_max_abs=to_truth, truth="the float model", own_truth_max_abs=own, **figures)

    verdict = judged(found, asked={"accuracy.agreement.max-error": 1e-4})

    assert expected == verdict.result
    if expected == "not-measured":
        assert verdict.text.startswith("TensorFlow is too far from the float model to say whether the IR is right")


@pytest.mark.parametrize(
    ("error", "cosine", "expected"),
    [(1.0, 0.9999, "passed"), (2.0, 0.9999, "missed"), (1.0, 0.9, "missed")],
)
def test_difference_of_one_step_allows_its_cosine(error: float, cosine: float, expected: str) -> None:
    found = output(scale=127.0, max_abs=error, cosine=cosine, own_max_abs=0.0, own_cosine=1.0, quantum=1.0)

    assert expected == judged(found).result
    assert "missed" == judged(found, asked={**FP32, **PROMISED}).result


def test_half_precision_inside_is_named() -> None:
    found = output(max_abs=5e-3, cosine=0.99995, resolution=2.0**-8, computes_in="bf16")
    verdict = judged(found)

    assert "passed" == verdict.result
    assert "(bf16 inside)" in verdict.text
    assert "missed" == judged(output(max_abs=5e-2, resolution=2.0**-8, computes_in="bf16")).result


def test_outputs_of_other_sizes_are_counted() -> None:
    verdict = judged(output(max_abs=1.0, cosine=0.8, other_sizes=2))

    assert "missed" == verdict.result
    assert verdict.text.endswith("; the size of `y` differs from TensorFlow's 2 times")


def test_int8_is_not_judged_on_noise() -> None:
    noise = {"from": "noise", "why": "all 300 samples of `cal` calibrate"}
    found = output(cosine=0.841)

    verdict = judged(found, asked=INT8, inputs=noise)

    assert "not-measured" == verdict.result
    why = "INT8 is judged on real samples, and all 300 samples of `cal` calibrate"
    assert verdict.text.startswith(f"{why}; on synthetic inputs: cosine 0.841")
    assert "missed" == judged(found, asked=INT8, inputs={"from": "calibration"}).result
    assert "missed" == judged(found, asked={"accuracy.agreement.cosine": 0.98}, inputs=noise).result
    assert not judged(found, asked=INT8, inputs=noise).keeps(promised=True)


def test_not_measured_states_why_in_facts_and_file() -> None:
    verdict = judged(output(**EMPTY))

    assert {"gate": "not-measured", "why": verdict.text}.items() <= facts_of(verdict).items()
    assert verdict.help == json.loads(to_bytes(verdict))["help"]
    assert "why" not in facts_of(judged(output()))


SWITCHED = {"from": "noise", "switches": ["is_training"]}


def test_unsteady_ir_is_named() -> None:
    verdict = judged(output(max_abs=6e35, cosine=0.0), unsteady=("y", "z"), inputs=SWITCHED)

    assert "missed" == verdict.result
    assert verdict.text.endswith("; the IR itself gives a different `y`, `z` for the same inputs")
    assert "`inputs.is_training.value = false` keeps only the branch that is used" == verdict.help


def test_advice_is_given_only_for_a_missed_gate() -> None:
    assert not judged(output(), inputs=SWITCHED).help
    assert not judged(output(max_abs=0.5), inputs={"from": "noise"}).help
    assert "asked the same again" not in judged(output(max_abs=0.5)).text
