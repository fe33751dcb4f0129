"""Which windows count, when a measurement ends, and what the figures say of them: pure, and without a clock."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ovmake import machine
from ovmake.contracts.codec import decode, from_bytes, to_bytes
from ovmake.contracts.files.measurement import Energy, Measurement, TimedByDefault
from ovmake.contracts.files.timing import ImportCost, OpenedModel
from ovmake.contracts.params.helping import TimeParams
from ovmake.workers.ipc.client import WorkerProcess
from ovmake.workers.ipc.protocol import Request
from ovmake.workers.measurement.energy import NotAvailable
from ovmake.workers.measurement.figures import Bench, Throughput, measurement, percentile, samples
from ovmake.workers.measurement.interleaving import Side
from ovmake.workers.measurement.windows import EARLIEST, Window, chosen, is_precise

QUIET, BUSY = 0.02, 0.9


CLOSE, FAR = 50.0, 240.0


def window(
    slow_us: float = 400,
    fast_us: float = 100,
    *,
    foreign: float | None = QUIET,
    latency_ns: float | None = CLOSE,
    pairs: int = 4,
) -> Window:
    pair = {"frozen": [int(slow_us * 1000)] * 10, "openvino": [int(fast_us * 1000)] * 40}
    return Window(pairs=[dict(pair) for _ in range(pairs)], seconds=0.4, foreign=foreign, core_latency_ns=latency_ns)


def test_quiet_windows_count_alone_if_there_are_enough() -> None:
    quiet, busy = [window() for _ in range(6)], [window(900, foreign=BUSY) for _ in range(10)]

    found = chosen([*quiet, *busy])

    assert (6, False) == (len(found.windows), found.noisy)
    spread = found.spread("frozen", "openvino")
    assert spread is not None
    assert 4.0 == pytest.approx(spread.median)


def test_with_too_few_quiet_windows_all_count_and_the_measurement_is_loaded() -> None:
    found = chosen([*(window() for _ in range(3)), *(window(foreign=BUSY) for _ in range(9))])

    assert (12, True, False) == (len(found.windows), found.loaded, found.high_latency)
    assert found.foreign == pytest.approx((3 * QUIET + 9 * BUSY) / 12)


def test_windows_in_which_the_cores_lay_apart_do_not_count_either() -> None:
    close, far = [window() for _ in range(6)], [window(480, 125, latency_ns=FAR) for _ in range(10)]

    found = chosen([*close, *far])

    assert (6, False, CLOSE) == (len(found.windows), found.noisy, found.core_latency_ns)


def test_with_cores_apart_most_of_the_time_all_windows_count_and_the_range_is_wide() -> None:
    found = chosen([*(window() for _ in range(3)), *(window(480, 125, latency_ns=FAR) for _ in range(9))])

    assert (12, False, True) == (len(found.windows), found.loaded, found.high_latency)
    assert found.core_latency_ns == pytest.approx((3 * CLOSE + 9 * FAR) / 12)
    spread = found.spread("frozen", "openvino")
    assert spread is not None
    assert spread.low < 4.0 * 0.97 < 4.0 < spread.high


def test_where_nobody_knows_how_far_apart_cores_are_all_windows_are_quiet() -> None:
    found = chosen([window(latency_ns=None) for _ in range(8)])

    assert (8, False, None) == (len(found.windows), found.noisy, found.core_latency_ns)


def test_a_slow_model_has_few_windows_and_is_not_loaded_for_that() -> None:
    found = chosen([window(), window(), window(), window(foreign=BUSY)])

    assert (3, False) == (len(found.windows), found.noisy)


def test_where_nobody_knows_what_others_use_all_windows_are_quiet() -> None:
    found = chosen([window(foreign=None) for _ in range(8)])

    assert (8, False, None) == (len(found.windows), found.noisy, found.foreign)


def test_what_ticks_are_off_by_makes_no_window_loaded() -> None:
    """Three ticks of 10 ms in a window of 50 ms look like 0.6 cores, and may be nothing."""
    assert Window(seconds=0.05, foreign=0.6).quiet
    assert not Window(seconds=1.0, foreign=0.6).quiet


def test_it_ends_when_enough_quiet_windows_agree() -> None:
    agreeing = [window(400 + at % 2) for at in range(EARLIEST)]

    assert is_precise(agreeing, "frozen", "openvino")
    assert not is_precise(agreeing[1:], "frozen", "openvino")


def test_it_goes_on_while_windows_disagree() -> None:
    assert not is_precise([window(400 if at % 2 else 600) for at in range(EARLIEST)], "frozen", "openvino")


def test_windows_that_agree_while_others_use_the_processor_do_not_end_it() -> None:
    assert not is_precise([window(foreign=BUSY) for _ in range(30)], "frozen", "openvino")
    assert not is_precise([window(latency_ns=FAR) for _ in range(30)], "frozen", "openvino")


# ----------------------------------------------------------------------------------------------------------------------
# the measurement


def opened(way: str) -> OpenedModel:
    return OpenedModel(batch=1, load_ms=12.5, first_inference_ms=1.5, dataset=True, way=way, dynamic_inputs=())


def side(name: str, way: str) -> Side:
    # Never asked anything: figures come from what was taken already.
    worker = WorkerProcess(name=name, process=None)  # type: ignore[arg-type]
    return Side(
        worker=worker,
        request=Request(id=1, kind="t"),
        time=TimeParams(),
        inputs={},
        name=name,
        opened=opened(way),
    )


def bench(windows: list[Window], **changed: object) -> Bench:
    found = Bench(
        device="CPU",
        machine=replace(machine.facts(), virtual=False),
        imports={
            "tensorflow": ImportCost(import_ms=2000.0, memory_bytes=500, version="2.21.0"),
            "openvino": ImportCost(import_ms=100.0, memory_bytes=50, version="2026.4.1"),
        },
        opened={"tensorflow": opened("signature"), "openvino": opened("latency")},
        memory={"tensorflow": 600, "openvino": 90},
        executed={"f32": 3},
        windows=windows,
        fast=side("openvino", "latency"),
        ways=[side("signature", "signature"), side("frozen", "frozen")],
        in_flight={"frozen": 2, "openvino": 4},
        throughput=[Throughput(rates={"frozen": 100.0, "openvino": 500.0}, foreign=0.01)] * 3,
        energy={key: NotAvailable(reason="no counters") for key in ("tensorflow", "openvino")},
        layers=(),
    )
    for name, value in changed.items():
        setattr(found, name, value)
    return found


def measured(windows: list[Window], **changed: object) -> Measurement:
    """Return what the file says."""
    return from_bytes(Measurement, to_bytes(measurement(bench(windows, **changed))), "measurement")


def with_signature(slow_us: float) -> list[Window]:
    windows = [window() for _ in range(12)]
    for one in windows[::2]:
        one.pairs[0]["signature"] = [int(slow_us * 1000)] * 10
    return windows


def test_the_speedup_is_against_the_faster_way_whichever_was_timed_in_every_pair() -> None:
    slower, faster = measured(with_signature(500)), measured(with_signature(300))

    assert ("frozen", 4.0) == (slower.tensorflow.way, slower.speedup.median)
    assert ("signature", 3.0) == (faster.tensorflow.way, faster.speedup.median)
    ways = {way.name: way.speedup.median for way in slower.ways if way.speedup}
    assert {"signature": 5.0, "frozen": 4.0} == ways


def test_a_way_timed_only_in_noisy_windows_has_times_and_no_range() -> None:
    windows = [window() for _ in range(12)] + [window(foreign=BUSY) for _ in range(2)]
    for name, took_ns in {"signature": 300_000, "by-default": 80_000}.items():
        windows[-1].pairs[0][name] = [took_ns] * 10

    found = measured(windows, by_default="bf16")

    assert ("frozen", 4.0) == (found.tensorflow.way, found.speedup.median)
    ways = {way.name: (way.latency_median_us, way.inferences, way.speedup) for way in found.ways}
    assert (300.0, 10, None) == ways["signature"]
    assert TimedByDefault(precision="bf16", latency_median_us=80.0, inferences=10, speedup=None) == found.by_default


def test_the_ir_without_properties_is_beside_tensorflow_as_well() -> None:
    windows = [window() for _ in range(12)]
    for one in windows[::2]:
        one.pairs[0]["by-default"] = [50_000] * 10

    ways = [side("frozen", "frozen")]
    found = measured(windows, ways=ways, by_default="bf16").by_default
    assert found is not None
    assert found.speedup is not None
    assert 8.0 == found.speedup.median
    assert measured(windows, ways=ways).by_default is None


def test_a_way_that_does_not_exist_has_its_reason() -> None:
    found = measured([window() for _ in range(9)], ways=[side("frozen", "frozen")], no_way={"signature": "it is cut"})

    assert {"signature": "it is cut"} == found.ways_missing
    assert ["frozen"] == [way.name for way in found.ways]


def test_a_range_that_stays_wide_is_unstable_and_one_of_busy_windows_loaded() -> None:
    calm = measured(with_signature(500))
    wild = measured([window(400 if at % 2 else 600, foreign=BUSY) for at in range(12)], ways=[side("frozen", "f")])

    assert (False, False) == (calm.unstable, calm.loaded)
    assert (True, True) == (wild.unstable, wild.loaded)
    assert (BUSY, 48, 0) == (wild.foreign_cores, wild.pairs, wild.quiet_pairs)
    torn = measured([window(latency_ns=FAR) for _ in range(12)], ways=[side("frozen", "f")])
    assert (False, True, FAR) == (torn.loaded, torn.high_latency, torn.core_latency_ns)


def test_a_virtual_machine_has_neighbours_that_quiet_windows_do_not_know_of() -> None:
    own, virtual = (
        measured(with_signature(500)),
        measured(with_signature(500), machine=replace(machine.facts(), virtual=True)),
    )

    assert (False, False) == (own.unstable, virtual.unstable)
    assert own.speedup.median == virtual.speedup.median
    for ratio in (virtual.speedup, *(way.speedup for way in virtual.ways)):
        assert ratio is not None
        assert ratio.low < ratio.median * (1 - 0.07) < ratio.median * (1 + 0.07) < ratio.high
    assert own.speedup.low > own.speedup.median * (1 - 0.03)


def test_percentiles_are_of_enough_inferences_or_missing_with_the_reason() -> None:
    few = measured([window(pairs=1) for _ in range(9)], ways=[side("frozen", "frozen")]).tensorflow
    many = measured([window(pairs=20) for _ in range(9)], ways=[side("frozen", "frozen")]).tensorflow

    assert (400.0, 400.0, None) == (few.latency_p90_us, few.latency_p95_us, few.latency_p99_us)
    assert "it takes 100 inferences to tell, and 90 were timed" == few.missing["latency_p99_us"]
    assert 400.0 == many.latency_p999_us
    assert {"energy_joules": "not available: no counters"} == many.missing


def test_energy_is_there_or_its_reason_and_never_0() -> None:
    told = {"watts": 60.0, "idle_watts": 20.0, "seconds": 3.0, "inferences": 90, "zones": ("package-0",)}
    known = decode(Energy, {"joules_per_inference": 0.08, "low": 0.07, "high": 0.09, **told}, "energy")

    found = measured(with_signature(500), energy={"tensorflow": known, "openvino": NotAvailable(reason="why")})

    assert 0.08 == found.tensorflow.energy_joules
    assert (None, "not available: why") == (
        found.openvino.energy_joules,
        found.openvino.missing["energy_joules"],
    )


def test_memory_that_the_system_does_not_tell_is_missing() -> None:
    found = measured(with_signature(500), memory={"tensorflow": None, "openvino": 90})

    assert "does not report the peak memory" in found.tensorflow.missing["peak_memory_bytes"]
    assert 90 == found.openvino.peak_memory_bytes


def test_throughput_is_compared_round_by_round() -> None:
    rounds = [Throughput(rates={"frozen": 100.0 + at, "openvino": 500.0 + 5 * at}, foreign=0.01) for at in range(5)]

    found = measured(with_signature(500), throughput=rounds).throughput_ratio
    assert found is not None
    assert 5.0 == found.median
    assert measured(with_signature(500), throughput=rounds[:2]).throughput_ratio is None


def test_every_time_is_kept_in_its_order() -> None:
    lines = list(samples(bench(with_signature(500))))

    pairs = [line for line in lines if "ns" in line]
    assert (12 * 4, 3) == (len(pairs), len(lines) - len(pairs))
    assert [400_000] * 10 == pairs[0]["ns"]["frozen"]  # type: ignore[index]
    assert {"window", "process", "foreign_cores", "core_latency_ns", "quiet", "ns"} == set(pairs[0])


@pytest.mark.parametrize(("percent", "expected"), [(0, 1), (50, 50), (90, 90), (99, 99), (99.9, 100), (100, 100)])
def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed(percent: float, expected: int) -> None:
    assert expected == percentile(list(range(1, 101)), percent)
