"""Advice: given with its evidence if the figures support it, and not given otherwise."""

# ruff: noqa: RUF001 - the signs for times are intended

from __future__ import annotations

from dataclasses import replace

import pytest

from ovmake.commands.report.advice import Advice, advice_for
from ovmake.commands.report.facts.measurement import Measured
from ovmake.commands.report.facts.records import TargetReport
from ovmake.contracts.files.executed import TimedLayer
from ovmake.contracts.files.measurement import Way
from ovmake.contracts.files.speed import SpeedRatio
from ovmake.contracts.files.verdict import DefaultVerdict, GateResult
from tests.commands.report.targets import FACTS, gate_missed, measured, not_measured, side, target
from tests.evaluations import a_verdict


def plain(speedup: float = 4.0, **changed: object) -> Measured:
    """Return a measurement that gives no advice."""
    quiet = replace(
        measured(speedup, speedup * 0.98, speedup * 1.02),
        throughput_ratio=SpeedRatio(median=speedup, low=speedup * 0.98, high=speedup * 1.02),
        ways=(Way(name="frozen", latency_median_us=1003.2, inferences=2457, speedup=None),),
        layers=(TimedLayer(name="conv", type="Convolution", precision="f32", us=100, moves=False),),
        machine_facts=replace(FACTS, int8_instructions=("avx512_vnni",), bf16_instructions=()),
    )
    return replace(quiet, **changed)  # type: ignore[arg-type]


def one(*reports: TargetReport) -> Advice:
    (found,) = advice_for(reports)
    return found


def test_a_normal_measurement_gives_no_advice() -> None:
    assert () == advice_for([target("m:fp32", measurement=plain())])


def test_without_a_measurement_there_is_no_advice() -> None:
    assert () == advice_for([not_measured("m:fp32"), gate_missed("m:int8")])


def test_int8_that_is_no_faster_is_told_with_what_the_processor_lacks() -> None:
    without = replace(FACTS, int8_instructions=())
    single = target("m:fp32", measurement=plain(4.0, machine_facts=without))
    int8 = target("m:int8", measurement=plain(4.05, machine_facts=without))

    found = one(single, int8)

    assert "this processor has no instructions for products of 8-bit integers" in found.text
    assert "m:int8 is 4.0× (4.0 to 4.1×) as fast as TensorFlow, m:fp32 4.0× (3.9 to 4.1×)" in found.evidence
    assert ("m:int8", "m:fp32") == found.targets


def test_int8_that_is_faster_is_left_alone() -> None:
    assert () == advice_for([target("m:fp32", measurement=plain(4.0)), target("m:int8", measurement=plain(8.0))])


def test_int8_with_many_layers_in_floating_point_is_told_by_their_number() -> None:
    single = target("m:fp32", measurement=plain(4.0))
    int8 = target("m:int8", measurement=plain(4.0, executed={"i8": 7, "f32": 5}))

    found = one(single, int8)

    assert "5 of 12 layers are executed in floating point" in found.evidence


def test_moving_data_is_told_by_its_share_of_the_time() -> None:
    layers = (
        TimedLayer(name="conv", type="Convolution", precision="f32", us=60, moves=False),
        TimedLayer(name="t", type="Transpose", precision="f32", us=30, moves=True),
        TimedLayer(name="r", type="Reorder", precision="f32", us=10, moves=True),
    )

    found = one(target("m:fp32", measurement=plain(layers=layers)))

    assert "they take 40% of the time" in found.text
    assert "layers of m:fp32 that move data: 2 of 3; the slowest is t (Transpose), 30.0 µs" == found.evidence


def test_conversions_are_told_by_their_share_of_the_time() -> None:
    layers = (
        TimedLayer(name="conv", type="Convolution", precision="i8", us=80, moves=False),
        TimedLayer(name="fq", type="FakeQuantize", precision="f32", us=20, moves=False),
    )

    found = one(target("m:int8", measurement=plain(layers=layers)))

    assert found.text.startswith("20% of m:int8's time goes into type conversions")


def test_the_signature_is_told_by_what_it_wastes() -> None:
    ways = (
        Way(name="signature", latency_median_us=1600, inferences=10, speedup=None),
        Way(name="frozen", latency_median_us=1008, inferences=99, speedup=None),
    )

    found = one(target("m:fp32", measurement=plain(ways=ways)))

    assert found.text.endswith("calling it through its signature wastes 37% of the time")
    assert "measured with m:fp32, the signature took 1.60 ms, the frozen graph 1.01 ms" == found.evidence


def test_fp16_that_is_as_fast_and_smaller_is_told_with_both_sizes() -> None:
    single = target("m:fp32", measurement=plain(), size_bytes=4_000_000)
    half = target("m:fp16", measurement=plain(), size_bytes=2_000_000)

    found = one(single, half)

    assert found.text.startswith("Take fp16 rather than fp32")
    assert "2.00 MB" in found.evidence
    assert () == advice_for([single, replace(half, size_bytes=3_990_000)])
    assert () == advice_for([single, replace(half, gate="missed")])


@pytest.mark.parametrize(("precision", "times"), [("bf16", "1.60×"), ("fp16", "")])
def test_bf16_is_told_where_it_was_measured(precision: str, times: str) -> None:
    faster = plain(6.4, openvino=side(156.75))
    reports = [target("m:fp32", measurement=plain(openvino=side(250.8))), target(f"m:{precision}", measurement=faster)]

    found = [advice.text for advice in advice_for(reports) if "bf16" in advice.text]

    assert bool(times) == bool(found)
    assert all(f"bf16 is {times} as fast as fp32 here" in text for text in found)


def test_bf16_that_the_processor_has_and_the_ovfile_lacks_has_no_figure() -> None:
    found = one(target("m:fp32", measurement=plain(machine_facts=replace(FACTS, bf16_instructions=("amx_bf16",)))))

    assert "it has amx_bf16, and no target of this model is executed in bf16" == found.evidence


def test_an_open_batch_is_told_by_its_cost_compared_with_a_fixed_one() -> None:
    open_, fixed = plain(openvino=side(300.0)), plain(openvino=side(250.0))
    one_batch = target("m@one:fp32", measurement=fixed, options={"batch": 1})

    (found,) = advice_for([target("m:fp32", measurement=open_, options={})], beside=[one_batch])

    assert "Fix the batch if you know it: leaving it open costs 20%" == found.text
    assert "m:fp32 takes 300 µs, m@one:fp32 (batch 1) 250 µs" == found.evidence


def test_a_model_that_gains_nothing_is_told_so() -> None:
    found = one(target("m:fp32", measurement=plain(0.98)))

    assert found.text.startswith(
        "Do not move this model to OpenVINO for its speed; it needs less memory, though: 122 MB"
    )
    assert "the fastest, m:fp32, is 0.98× (0.96 to 1.00×) as fast as TensorFlow" == found.evidence


def test_latency_and_throughput_that_gain_differently_are_told() -> None:
    found = one(target("m:fp32", measurement=plain(2.0, throughput_ratio=SpeedRatio(median=5.0, low=4.9, high=5.1))))

    assert "OpenVINO gains more with many inferences in parallel than with one inference at a time" == found.text


def test_a_long_tail_is_told_unless_the_machine_was_loaded() -> None:
    slow = side(250.8, latency_p99_us=900.0)

    assert "median 251 µs, 99 % within 900 µs" in one(target("m:fp32", measurement=plain(openvino=slow))).evidence
    loaded = advice_for([target("m:fp32", measurement=plain(openvino=slow, loaded=True, foreign_cores=0.8))])
    assert ["Measure again while the machine is quiet: `ovmake report --force`"] == [found.text for found in loaded]
    assert "other programs used up to 0.8 cores while m:fp32 was measured" == loaded[0].evidence


def test_high_core_latency_is_told_with_its_nanoseconds() -> None:
    slow = side(250.8, latency_p99_us=900.0)

    found = advice_for([target("m:fp32", measurement=plain(openvino=slow, high_latency=True, core_latency_ns=238.5))])

    again = "Measure again later, when the host has moved the cores together: `ovmake report --force`"
    assert [again] == [one.text for one in found]
    assert "a value took up to 238 ns from core to core" in found[0].evidence


def test_a_start_that_takes_as_long_as_thousands_of_inferences_is_told() -> None:
    found = one(target("m:fp32", measurement=plain(openvino=side(250.8, load_ms=900.0))))

    assert "m:fp32 takes 900 ms to load and compile, and 251 µs for an inference" == found.evidence


@pytest.mark.parametrize(
    ("result", "advised"), [("missed", []), ("not-measured", []), ("passed", ["Try `bf16`"]), (None, ["Try `bf16`"])]
)
def test_bf16_is_not_advised_if_it_breaks_the_promise(result: GateResult | None, advised: list[str]) -> None:
    has = plain(machine_facts=replace(FACTS, int8_instructions=("avx512_vnni",), bf16_instructions=("avx512_bf16",)))
    default = None if result is None else DefaultVerdict(precision="bf16", verdict=a_verdict(result, text=""))

    found = advice_for([target("m:fp32", measurement=has, by_default=default)])

    assert advised == [advice.text[: len("Try `bf16`")] for advice in found]
