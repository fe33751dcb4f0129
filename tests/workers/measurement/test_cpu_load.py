"""How much of the processor others use: from a made-up /proc/stat, and from a real process that is not ours."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ovmake.workers.measurement.cpu_load import Load, Moment, foreign_cores

TICK = 1 / os.sysconf("SC_CLK_TCK")


def stat(root: Path, *columns: int) -> str:
    cores = sorted(os.sched_getaffinity(0))
    lines = [f"cpu{core} {' '.join(map(str, columns))}" for core in cores]
    (root / "proc").mkdir(exist_ok=True)
    (root / "proc/stat").write_text("cpu  1 2 3\n" + "\n".join(lines) + "\nintr 5\n")
    return str(root)


def test_busy_is_all_but_idle_and_waiting_on_the_cores_that_we_may_use(tmp_path: Path) -> None:
    # user nice system idle iowait irq softirq steal guest guest_nice
    root = stat(tmp_path, 100, 20, 30, 9999, 9999, 4, 5, 6, 50, 10)

    found = Load([], root).now()

    assert found.busy_s == pytest.approx(165 * TICK * len(os.sched_getaffinity(0)))


def test_others_are_what_was_busy_less_what_we_used() -> None:
    before = Moment(at_s=10.0, busy_s=5.0, own_s=1.0)

    assert 0.75 == foreign_cores(before, Moment(at_s=12.0, busy_s=8.5, own_s=3.0))
    # Ticks are sampled: it may look as if we had used more than there was.
    assert 0.0 == foreign_cores(before, Moment(at_s=12.0, busy_s=6.5, own_s=3.0))


def test_where_the_system_does_not_tell_nothing_is_known(tmp_path: Path) -> None:
    found = Load([], str(tmp_path)).now()

    assert found.busy_s is None
    assert foreign_cores(found, Moment(at_s=found.at_s + 1, busy_s=3.0, own_s=0.0)) is None

    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/stat").write_text("cpu0 garbled\n")
    assert Load([], str(tmp_path)).now().busy_s is None


BURN = "import sys\nsys.stdout.write('go\\n')\nsys.stdout.flush()\nwhile True: pass\n"


@pytest.mark.skipif(not Path("/proc/stat").exists(), reason="no /proc/stat")
def test_a_process_that_burns_a_core_is_seen_unless_it_is_ours() -> None:
    with subprocess.Popen([sys.executable, "-c", BURN], stdout=subprocess.PIPE) as burner:
        assert burner.stdout is not None
        burner.stdout.readline()
        others, ours = Load([]), Load([burner.pid])
        before = others.now(), ours.now()
        time.sleep(1)
        after = others.now(), ours.now()
        burner.kill()

    seen, left = foreign_cores(before[0], after[0]), foreign_cores(before[1], after[1])
    assert seen is not None
    assert left is not None
    # How much else runs here, nobody knows; the difference is the burner, if it got a core.
    assert seen - left > 0.3


def test_a_process_that_has_ended_costs_nothing_more() -> None:
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()

    assert Load([done.pid]).now().own_s == pytest.approx(time.process_time(), abs=0.1)
