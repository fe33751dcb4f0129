"""Energy from made-up powercap trees: real files, which the runs and the idling move on."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ovmake.contracts.files.measurement import Energy
from ovmake.workers.measurement.energy import Meter, NotAvailable, measure, open_meter

RANGE_UJ = 262_143_328_850


class Board:
    """A machine with energy counters. `spend` lets time pass, at so many watts in each zone."""

    def __init__(self, root: Path, zones: dict[str, str], range_uj: int = RANGE_UJ) -> None:
        self.root = root
        self.now = 0.0
        self.range_uj = range_uj
        self.folders = {folder: root / "sys/class/powercap" / folder for folder in zones}
        for folder, name in zones.items():
            self.folders[folder].mkdir(parents=True)
            (self.folders[folder] / "name").write_text(f"{name}\n")
            (self.folders[folder] / "max_energy_range_uj").write_text(f"{range_uj}\n")
            self.set(folder, 1_000)

    def set(self, folder: str, uj: int) -> None:
        (self.folders[folder] / "energy_uj").write_text(f"{uj}\n")

    def counter(self, folder: str) -> int:
        return int((self.folders[folder] / "energy_uj").read_text())

    def spend(self, seconds: float, **watts: float) -> None:
        self.now += seconds
        for folder, power in ((name.replace("__", ":").replace("_", "-"), power) for name, power in watts.items()):
            self.set(folder, (self.counter(folder) + round(power * seconds * 1e6)) % self.range_uj)

    def meter(self) -> Meter:
        found = open_meter(str(self.root), clock=lambda: self.now)
        assert isinstance(found, Meter)
        return found


def running(board: Board, inferences: int, seconds: float, **watts: float) -> Callable[[], int]:
    def run() -> int:
        board.spend(seconds, **watts)
        return inferences

    return run


def idling(board: Board, **watts: float) -> Callable[[], None]:
    return lambda: board.spend(2.0, **watts)


def energy_of(found: Energy | NotAvailable) -> Energy:
    assert isinstance(found, Energy)
    return found


def reason_of(found: object) -> str:
    assert isinstance(found, NotAvailable)
    return found.reason


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path, {"intel-rapl:0": "package-0"})


def test_idling_is_taken_off_what_a_run_takes(board: Board) -> None:
    found = measure(board.meter(), idle=idling(board, intel_rapl__0=8), run=running(board, 1000, 4, intel_rapl__0=28))

    actual = energy_of(found)
    assert 0.08 == pytest.approx(actual.joules_per_inference)  # (28 W - 8 W) * 4 s / 1000
    assert [28, 8] == pytest.approx([actual.watts, actual.idle_watts])
    assert (3000, 12.0, ("package-0",)) == (actual.inferences, actual.seconds, actual.zones)
    assert actual.low <= actual.joules_per_inference <= actual.high
    assert ("package-0",) == actual.zones


def test_a_counter_that_starts_again_in_the_middle_of_a_run_loses_nothing(board: Board) -> None:
    board.set("intel-rapl:0", RANGE_UJ - 50_000_000)  # 50 J before the end; a run takes 112

    found = measure(board.meter(), idle=idling(board, intel_rapl__0=8), run=running(board, 1000, 4, intel_rapl__0=28))

    assert board.counter("intel-rapl:0") < RANGE_UJ // 2
    assert 0.08 == pytest.approx(energy_of(found).joules_per_inference)


def test_a_counter_may_start_again_while_the_machine_idles(board: Board) -> None:
    board.set("intel-rapl:0", RANGE_UJ - 1)

    found = measure(board.meter(), idle=idling(board, intel_rapl__0=8), run=running(board, 1000, 4, intel_rapl__0=28))

    assert 8 == pytest.approx(energy_of(found).idle_watts)


def test_where_it_may_have_started_again_twice_there_is_no_figure(tmp_path: Path) -> None:
    board = Board(tmp_path, {"intel-rapl:0": "package-0"}, range_uj=2_000_000_000)  # 2 kJ: 2 s at 1000 W
    meter = board.meter()

    found = measure(meter, idle=idling(board, intel_rapl__0=8), run=running(board, 10, 2.5, intel_rapl__0=28))

    assert 2.0 == pytest.approx(meter.longest_s)
    assert "the counters may have wrapped twice" in reason_of(found)


def test_packages_and_their_memory_count_and_parts_of_a_package_do_not(tmp_path: Path) -> None:
    zones = {
        "intel-rapl:0": "package-0",
        "intel-rapl:0:0": "core",
        "intel-rapl:0:1": "uncore",
        "intel-rapl:0:2": "dram",
        "intel-rapl:1": "package-1",
        "intel-rapl:1:0": "dram",
        "intel-rapl:2": "psys",
        "intel-rapl-mmio:0": "package-0",
    }
    board = Board(tmp_path, zones)

    meter = board.meter()

    counted = sorted(Path(zone.path).name for zone in meter.zones)
    assert ["intel-rapl:0", "intel-rapl:0:2", "intel-rapl:1", "intel-rapl:1:0"] == counted
    before = meter.read()
    board.spend(
        1, intel_rapl__0=10, intel_rapl__0__0=9, intel_rapl__0__2=2, intel_rapl__1=11, intel_rapl__1__0=3,
        intel_rapl__2=60, intel_rapl_mmio__0=10,
    )  # fmt: skip
    assert 26 == pytest.approx(meter.joules_between(before, meter.read()))


def test_amd_has_a_package_and_its_cores(tmp_path: Path) -> None:
    board = Board(tmp_path, {"intel-rapl:0": "package-0", "intel-rapl:0:0": "core"})

    assert ["package-0"] == [zone.name for zone in board.meter().zones]


def test_a_package_that_only_mmio_shows_counts(tmp_path: Path) -> None:
    board = Board(tmp_path, {"intel-rapl-mmio:0": "package-0"})

    assert ["package-0"] == [zone.name for zone in board.meter().zones]


def test_a_run_that_takes_no_more_than_idling_has_no_figure(board: Board) -> None:
    found = measure(board.meter(), idle=idling(board, intel_rapl__0=8), run=running(board, 1000, 4, intel_rapl__0=8))

    assert (
        "the runs drew 8.0 to 8.0 W, not clearly more than the idle machine, 8.0 to 8.0 W: another process was running"
    ) == reason_of(found)


def test_idling_that_varies_more_than_the_run_takes_leaves_no_figure(board: Board) -> None:
    powers = iter([8.0, 40.0, 9.0, 10.0])

    found = measure(
        board.meter(),
        idle=lambda: board.spend(2, intel_rapl__0=next(powers)),
        run=running(board, 1000, 4, intel_rapl__0=30),
    )

    assert "8.0 to 40.0 W" in reason_of(found)


def test_without_powercap_the_reason_says_so(tmp_path: Path) -> None:
    found = open_meter(str(tmp_path))

    said = "this kernel has no energy counters (/sys/class/powercap does not exist), as is usual in a virtual machine"
    assert said == reason_of(found)
    assert isinstance(found, NotAvailable)
    assert found == measure(found, idle=lambda: None, run=lambda: 1)


def test_powercap_without_a_package_says_so(tmp_path: Path) -> None:
    (tmp_path / "sys/class/powercap").mkdir(parents=True)

    assert "/sys/class/powercap has no zone of a processor package (RAPL)" == reason_of(open_meter(str(tmp_path)))


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    board = Board(tmp_path, {"intel-rapl:0": "package-0"})
    (board.folders["intel-rapl:0"] / "energy_uj").write_text("soon\n")

    assert "/sys/class/powercap/intel-rapl:0 cannot be read: invalid literal" in reason_of(open_meter(str(tmp_path)))

    (board.folders["intel-rapl:0"] / "energy_uj").unlink()
    (board.folders["intel-rapl:0"] / "energy_uj").mkdir()

    assert "/sys/class/powercap/intel-rapl:0 cannot be read: [Errno 21]" in reason_of(open_meter(str(tmp_path)))


@pytest.mark.skipif(os.geteuid() == 0, reason="this user reads everything")
def test_what_only_root_may_read_is_named_with_what_to_do(board: Board) -> None:
    (board.folders["intel-rapl:0"] / "energy_uj").chmod(0)

    where = "/sys/class/powercap/intel-rapl:0/energy_uj"
    said = f"only root may read {where}: `sudo chmod a+r {where}` allows everyone"
    assert said == reason_of(open_meter(str(board.root)))


def test_what_goes_away_meanwhile_has_no_figure(board: Board) -> None:
    meter = board.meter()

    def run() -> int:
        (board.folders["intel-rapl:0"] / "energy_uj").unlink()
        return 1

    found = measure(meter, idle=idling(board, intel_rapl__0=8), run=run)

    assert "the counters could not be read: [Errno 2]" in reason_of(found)
