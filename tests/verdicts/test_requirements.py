"""Requirements besides accuracy: which results a measurement gives, and when it is undecided."""

from __future__ import annotations

import pytest

from ovmake.contracts.files.measurement import Measurement
from ovmake.graph.lower import lower
from ovmake.ovfile.parse import parse
from ovmake.ovfile.schema.measuring import Require
from ovmake.rules import build_target, measure_target
from ovmake.verdicts.requirements import JudgedRequirement, judge, judge_size, unmade_size
from tests.measurements import a_measurement, a_side

OVFILE = """
[models.m]
source = "m"
precisions = ["fp32"]
[models.m.require]
size = "4 MB"
speedup = 1.5
p95-ms = 8
throughput = 200
memory = "512 MiB"
"""


def one(name: str, wanted: float, found: Measurement | None, why: str = "") -> JudgedRequirement:
    (judged,) = judge({name: wanted}, found, why)
    return judged


def test_the_table_is_read_whole() -> None:
    (target,) = parse(OVFILE).targets

    expected = Require(size=4_000_000, speedup=1.5, p95_ms=8.0, throughput=200.0, memory=512 << 20)
    assert expected == target.require
    wanted = (("speedup", 1.5), ("p95-ms", 8.0), ("throughput", 200.0), ("memory", 512 << 20))
    assert wanted == target.require.measured


def test_a_precision_may_require_something_else() -> None:
    text = OVFILE.replace('["fp32"]', '["fp32", "int8-weights"]') + '[models.m.int8-weights]\nrequire.size = "1 MB"\n'

    sizes = {target.precision: target.require.size for target in parse(text).targets}

    assert {"fp32": 4_000_000, "int8-weights": 1_000_000} == sizes


def test_the_size_is_checked_before_publishing_and_the_rest_after_measuring() -> None:
    built, measured = lower(parse(OVFILE), build_target, {}), lower(parse(OVFILE), measure_target, {})

    assert "check-size m:fp32" in built.actions["publish m:fp32"].needs
    assert "require m:fp32" not in built.actions
    assert "require m:fp32" == measured.targets["m:fp32"]
    assert "benchmark m:fp32" in measured.actions["require m:fp32"].needs


def test_without_a_table_nothing_is_checked() -> None:
    graph = lower(parse(OVFILE.partition("[models.m.require]")[0]), measure_target, {})

    assert {"check-size", "require"}.isdisjoint(action.kind for action in graph.actions.values())


def test_other_devices_are_measured_besides_that_of_the_ovfile() -> None:
    text = '[models.m]\nsource = "m"\nprecisions = ["fp32"]\nbenchmark.devices = ["CPU", "GPU", "AUTO:GPU,CPU"]\n'

    actions = lower(parse(text), measure_target, {}).actions

    measured = {name: action for name, action in actions.items() if action.kind == "benchmark"}
    names = ["benchmark m:fp32", "benchmark m:fp32 on AUTO:GPU,CPU", "benchmark m:fp32 on GPU"]
    assert names == sorted(measured)
    assert [False, True, True] == [measured[name].advisory for name in names]
    places = {output.place for action in measured.values() for output in action.outputs}
    assert 6 == len(places)
    assert "build/report/measurements/m/fp32-on-AUTO-GPU-CPU/measurement.json" in places


@pytest.mark.parametrize(
    ("name", "wanted", "result", "text"),
    [
        (
            "speedup",
            1.5,
            "passed",
            "speedup is 1.80 times as fast as TensorFlow, at least 1.50 times as fast as TensorFlow wanted",
        ),
        ("p95-ms", 8, "passed", "p95-ms is 7.90 ms, at most 8.00 ms wanted"),
        ("p95-ms", 7.5, "missed", "p95-ms is 7.90 ms, at most 7.50 ms wanted"),
        ("throughput", 200, "passed", "throughput is 250 samples per second, at least 200 samples per second wanted"),
        ("throughput", 251, "missed", "throughput is 250 samples per second, at least 251 samples per second wanted"),
        ("memory", 419430400, "passed", "memory is 419 MB, at most 419 MB wanted"),
        ("memory", 419430399, "missed", "memory is 419 MB, at most 419 MB wanted"),
    ],
)
def test_the_figure_decides(name: str, wanted: float, result: str, text: str) -> None:
    judged = one(name, wanted, a_measurement())

    assert (result, True, text) == (judged.result, judged.decided, judged.text)


@pytest.mark.parametrize(("wanted", "result"), [(1.75, "passed"), (1.85, "missed")])
def test_range_that_contains_the_limit_decides_nothing(wanted: float, result: str) -> None:
    judged = one("speedup", wanted, a_measurement())

    assert (result, False) == (judged.result, judged.decided)
    assert judged.text.endswith("; not decided, because the range of 1.70 to 1.90 contains the limit")


@pytest.mark.parametrize(
    ("why", "words"),
    [
        ("loaded", "other processes used the CPU during the measurement"),
        ("high_latency", "the inter-core latency was high during the measurement"),
    ],
)
def test_perturbed_measurement_does_not_decide_a_latency(why: str, words: str) -> None:
    judged = one("p95-ms", 5, a_measurement(**{why: True}))

    assert ("missed", False) == (judged.result, judged.decided)
    assert judged.text.endswith(f"; not decided, because {words}")


def test_requirement_that_was_not_measured_has_not_passed() -> None:
    missing = {"latency_p95_us": "it takes 20 inferences to tell"}
    few = a_measurement(openvino=a_side(latency_p95_us=None, missing=missing))

    judged = one("p95-ms", 8, few)

    assert "not-measured" == judged.result
    assert "p95-ms is not measured: it takes 20 inferences to tell; at most 8.00 ms wanted" == judged.text


def test_nothing_passes_without_a_measurement() -> None:
    judged = judge({"speedup": 1.5, "memory": 1e6}, None, "not measured yet: run `ovmake report`")

    assert ["not-measured"] * 2 == [one.result for one in judged]
    assert "speedup is not measured: not measured yet: run `ovmake report`" in judged[0].text


def test_sizes_are_compared_to_the_byte() -> None:
    assert ("passed", "missed") == (judge_size(1000, 1000).result, judge_size(1000, 1001).result)
    assert "size is 1.00 kB, at most 1.00 kB wanted" == judge_size(1000, 1001).text
    assert "not-measured" == unmade_size(1000).result
