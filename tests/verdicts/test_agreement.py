"""What agreement with TensorFlow can tell, and when it can tell nothing: made-up figures of outputs."""

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


def test_an_output_that_was_empty_on_both_sides_is_said_and_the_others_decide() -> None:
    found = output(name="found", **EMPTY)

    assert "passed" == judged(found, output()).result
    assert judged(found, output()).text.endswith(
        "of the scale of `y`, at most 0.0001 wanted; `found` was empty in all samples"
    )
    assert "missed" == judged(found, output(max_abs=0.5)).result


def test_nothing_but_empty_outputs_is_not_measured() -> None:
    verdict = judged(output(**EMPTY))

    assert ("not-measured", "nothing to compare: `y` was empty in all samples") == (verdict.result, verdict.text)
    assert "name a dataset" in verdict.help


@pytest.mark.parametrize("mismatch", [0, 3])
def test_an_output_of_which_tensorflow_gives_no_number_is_not_measured(mismatch: int) -> None:
    verdict = judged(output(**NOT_FINITE, nan_mismatch=mismatch))

    assert "not-measured" == verdict.result
    assert "nothing finite to compare in `y`: TensorFlow's values are all NaN or infinite" == verdict.text


def test_an_output_without_numbers_excuses_no_wrong_one_beside_it() -> None:
    assert "missed" == judged(output(name="z", **NOT_FINITE), output(max_abs=0.5)).result
    assert "not-measured" == judged(output(name="z", **NOT_FINITE), output()).result


def test_numbers_that_are_none_in_the_ir_only_are_a_miss() -> None:
    assert "missed" == judged(output(max_abs=None, cosine=None, nan_mismatch=64, nonfinite_actual=64)).result


def test_where_tensorflow_is_far_from_itself_neither_word_is_said() -> None:
    """EfficientNetV2B0 with random weights: its cosine with itself is 0.87, and anything would pass beside that."""
    own = {"own_cosine": 0.872, "own_max_abs": 0.85, "own_moved": 1.2e-7}
    verdict = judged(output(cosine=0.153, max_abs=0.9, **own), asked=INT8)

    assert "not-measured" == verdict.result
    assert (
        "TensorFlow does not agree with itself: cosine 0.872, at least 0.98 wanted of it; on these inputs the model "
        "amplifies its last bit 7,100,000 times"
    ) == verdict.text
    assert REAL_DATA == verdict.help
    assert "not-measured" == judged(output(cosine=-0.5, max_abs=2.0, **own)).result


@pytest.mark.parametrize(
    ("error", "own", "expected"),
    [
        (1e-5, 0.5, "passed"),  # near all the same: nothing had to be widened
        (5e-3, 2e-3, "passed"),
        (1.2e-2, 2e-3, "not-measured"),  # within what is left open, and beyond what is useful
        (1.7e-2, 2e-3, "missed"),
        (5e-3, 1.1e-2, "passed"),
        (2e-2, 1.1e-2, "not-measured"),
        (0.9, 1.1e-2, "not-measured"),
        (5e-2, math.nan, "missed"),
    ],
)
def test_the_allowance_ends_where_it_is_of_no_use(error: float, own: float, expected: str) -> None:
    asked = {"accuracy.agreement.max-error": 1e-4}
    found = output(max_abs=error, own_max_abs=own, own_cosine=1.0, own_moved=1e-7)

    assert expected == judged(found, asked=asked).result
    assert ("passed" if error <= 1e-4 else "missed") == judged(found, asked={**asked, **PROMISED}).result


def test_a_model_that_draws_random_numbers_is_named_as_that() -> None:
    found = output(cosine=0.5, own_cosine=0.6, own_max_abs=0.5, own_moved=1e-7, random=True)

    assert judged(found).text.endswith("it gives another answer each time, for the model draws random numbers")


def test_kernels_that_round_differently_are_no_last_bit() -> None:
    found = output(scale=128.0, max_abs=40.0, cosine=0.9, own_cosine=0.95, own_max_abs=20.0, quantum=1.0)

    assert judged(found).text.endswith("its own kernels round differently on these inputs")


TRUTH = {"truth": "the same graph in f32", "own_truth_max_abs": 3e-3, "own_truth_cosine": 0.999990}


@pytest.mark.parametrize(
    ("to_truth", "expected"),
    [(1e-7, "passed"), (2.9e-3, "passed"), (3.1e-3, "missed"), (math.nan, "missed")],
)
def test_an_ir_as_near_to_the_truth_as_tensorflow_is_keeps_the_default(to_truth: float, expected: str) -> None:
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
        (0.045, 0.04, 0.0, "passed"),  # in integers both round, and twice as far is as near
        (0.09, 0.04, 0.0, "missed"),
        (0.1, 0.2, None, "not-measured"),  # further from the truth than is useful
        (0.3, 0.2, None, "missed"),
    ],
)
def test_how_near_the_truth_is_near_enough(to_truth: float, own: float, quantum: float | None, expected: str) -> None:
    """A dynamic-range .tflite is some percents from the float model, and so may its IR be."""
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
def test_an_output_that_is_a_step_off_has_the_cosine_of_that(error: float, cosine: float, expected: str) -> None:
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
    assert verdict.text.endswith("; `y` has another size than TensorFlow's 2 times")


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


def test_what_was_not_measured_says_why_in_its_facts_and_its_file() -> None:
    verdict = judged(output(**EMPTY))

    assert {"gate": "not-measured", "why": verdict.text}.items() <= facts_of(verdict).items()
    assert verdict.help == json.loads(to_bytes(verdict))["help"]
    assert "why" not in facts_of(judged(output()))


SWITCHED = {"from": "noise", "switches": ["is_training"]}


def test_an_ir_that_answers_otherwise_the_second_time_is_named_as_that() -> None:
    verdict = judged(output(max_abs=6e35, cosine=0.0), unsteady=("y", "z"), inputs=SWITCHED)

    assert "missed" == verdict.result
    assert verdict.text.endswith("; the IR itself gives another `y`, `z` when it is asked the same again")
    assert "`inputs.is_training.value = false` leaves the branch that is used, and no switch" == verdict.help


def test_what_may_help_is_said_where_something_is_missed_only() -> None:
    assert not judged(output(), inputs=SWITCHED).help
    assert not judged(output(max_abs=0.5), inputs={"from": "noise"}).help
    assert "asked the same again" not in judged(output(max_abs=0.5)).text
