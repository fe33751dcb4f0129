"""The speed check's verdict on synthetic measurements: when it warns, and which reasons it finds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ovmake.contracts.files.speed import SpeedCheck, SpeedComparison
from ovmake.verdicts.speed import in_words, judge

QUICK = SpeedComparison(
    threads=2,
    rounds=tuple({"fp32": 300.0, "ir": 200.0 + number} for number in range(20)),
    executed={"i8": 8, "f32": 2},
    conversions=1,
    dynamic_inputs=(),
    int8_instructions=("avx512_vnni",),
)
SLOW = replace(QUICK, rounds=tuple({"fp32": 300.0, "ir": 370.0 + number} for number in range(20)))


def reasons(facts: dict[str, Any], precision: str = "int8") -> tuple[str, ...]:
    verdict = judge(replace(SLOW, **facts), precision)
    assert verdict.slower
    return verdict.reasons


def test_faster_ir_gives_no_warning() -> None:
    verdict = judge(replace(QUICK, int8_instructions=()), "int8")

    assert (False, ()) == (verdict.slower, verdict.reasons)
    assert verdict.speed is not None
    assert pytest.approx(1.43, abs=0.01) == verdict.speed.median


def test_slower_ir_gives_a_warning() -> None:
    verdict = judge(SLOW, "int8")

    assert verdict.slower
    assert verdict.speed is not None
    assert "0.79 times as fast (0.78 to 0.80)" == in_words(verdict.speed)


def test_median_below_1_whose_range_contains_1_gives_no_warning() -> None:
    restless = tuple({"fp32": 300.0, "ir": 370.0 if number % 3 else 200.0} for number in range(12))

    verdict = judge(replace(SLOW, rounds=restless), "int8")

    assert verdict.speed is not None
    assert verdict.speed.median < 1
    assert not verdict.slower


def test_too_few_rounds_give_no_speed() -> None:
    verdict = judge(replace(SLOW, rounds=({"fp32": 1e6, "ir": 9e6},) * 3), "int8")

    assert SpeedCheck(slower=False, speed=None) == verdict


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        (
            {"int8_instructions": ()},
            "this CPU has no instructions for INT8 products (VNNI or AMX on x86, dot product on Arm)",
        ),
        (
            {"executed": {"f32": 9, "i8": 7}, "conversions": 6},
            "9 of 16 layers compute in floating point, and activations are converted to INT8 in 6 places",
        ),
        (
            {"dynamic_inputs": ("image",)},
            "the shape of `image` is dynamic, so kernels are chosen at run time; `batch` or `shape` fixes it",
        ),
        (
            {"rounds": ({"fp32": 20.0, "ir": 31.2},) * 20},
            "an inference takes 31 µs, and much of it is the overhead of starting layers",
        ),
    ],
)
def test_likely_reason_follows_from_a_fact(facts: dict[str, Any], words: str) -> None:
    assert (words,) == reasons(facts)


def test_all_reasons_are_given() -> None:
    everything: dict[str, Any] = {
        "int8_instructions": (),
        "executed": {"f32": 9, "i8": 7},
        "conversions": 6,
        "dynamic_inputs": ("x",),
    }

    assert 3 == len(reasons(everything))


@pytest.mark.parametrize(
    "facts",
    [
        {},
        # Instructions are unknown: the IR runs on a different device.
        {"int8_instructions": None},
        # The runtime does not report executed precisions.
        {"executed": {}, "conversions": 0},
        # A few layers in floating point behind the last quantized one, as softmax.
        {"executed": {"f32": 9, "i8": 7}, "conversions": 1},
    ],
)
def test_no_reason_without_a_fact(facts: dict[str, Any]) -> None:
    assert () == reasons(facts)


def test_reduced_weights_are_the_reason_on_every_processor() -> None:
    (reason,) = reasons({"int8_instructions": ()}, "int8-weights")

    assert "only weights are reduced: the layers unpack them, and compute in floating point" == reason
