"""Memory of a machine and its control groups, from files as kernels write them; and of real processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ovmake.store.processes import Gauge, available_bytes, end_family, family, installed_bytes, parents

MIB = 1 << 20
MEMINFO = f"MemTotal: {8 << 20} kB\nMemFree: 1024 kB\nMemAvailable: {4 << 20} kB\nHugePages_Total: 0\n"
# What a worker does: hold 100 MB, have a process in another session that holds 50 MB, and say so.
WORKER = """
import subprocess, sys
held = bytearray(100 << 20)
held[::4096] = bytes(len(held[::4096])).replace(b"\\0", b"x")
child = "import sys; held = bytearray(b'x') * (50 << 20); print('ready', flush=True); sys.stdin.read()"
other = subprocess.Popen([sys.executable, "-c", child], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         start_new_session=True)
other.stdout.readline()
print(other.pid, flush=True)
for line in sys.stdin:
    held = bytearray(b"x") * (int(line) << 20)
    held = None
    print("done", flush=True)
"""


def write(root: Path, files: dict[str, str]) -> str:
    for name, text in {"proc/meminfo": MEMINFO, **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return str(root)


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


# the machine


def test_machine_without_control_groups_gives_what_meminfo_says(tmp_path: Path) -> None:
    root = write(tmp_path, {})

    assert (8 << 30, 4 << 30) == (installed_bytes(root), available_bytes(root))


def test_limit_of_a_container_counts_less_what_is_used_but_for_cached_files(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "proc/self/cgroup": "0::/\n",
            "sys/fs/cgroup/memory.max": f"{2 << 30}\n",
            "sys/fs/cgroup/memory.current": f"{1 << 30}\n",
            "sys/fs/cgroup/memory.stat": f"anon 5\ninactive_file {256 * MIB}\nactive_file {256 * MIB}\n",
        },
    )

    assert (2 << 30, (2 << 30) - (512 << 20)) == (installed_bytes(root), available_bytes(root))


def test_limit_of_a_group_around_our_own_holds_too(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "proc/self/cgroup": "0::/user.slice/app.scope\n",
            "sys/fs/cgroup/user.slice/memory.max": f"{1 << 30}\n",
            "sys/fs/cgroup/user.slice/memory.current": "0\n",
            "sys/fs/cgroup/user.slice/app.scope/memory.max": "max\n",
            "sys/fs/cgroup/user.slice/app.scope/memory.current": "0\n",
        },
    )

    assert (1 << 30, 1 << 30) == (installed_bytes(root), available_bytes(root))


def test_first_version_of_control_groups_is_read_where_the_container_sees_it(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "proc/self/cgroup": "9:name=systemd:/\n4:cpu,memory:/docker/0123\n0::/\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{3 << 30}\n",
            "sys/fs/cgroup/memory/memory.usage_in_bytes": f"{2 << 30}\n",
            "sys/fs/cgroup/memory/memory.stat": f"total_inactive_file {1 << 30}\n",
        },
    )

    assert (3 << 30, 2 << 30) == (installed_bytes(root), available_bytes(root))


def test_group_over_its_limit_has_nothing_left(tmp_path: Path) -> None:
    files = {"memory.max": "1000\n", "memory.current": "1500\n"}
    root = write(
        tmp_path, {"proc/self/cgroup": "0::/\n", **{f"sys/fs/cgroup/{name}": text for name, text in files.items()}}
    )

    assert 0 == available_bytes(root)


def test_elsewhere_than_on_linux_nothing_is_known(tmp_path: Path) -> None:
    root = str(tmp_path)

    assert (None, None, {}) == (installed_bytes(root), available_bytes(root), parents(root))


def test_this_machine_has_some() -> None:
    installed, available = installed_bytes(), available_bytes()

    assert installed is not None
    assert available is not None
    assert 0 < available <= installed


# processes


def test_name_with_brackets_and_spaces_hides_no_parent(tmp_path: Path) -> None:
    root = write(tmp_path, {"proc/7/stat": "7 (a) b (c) S 3 7 7 0 -1\n", "proc/8/stat": "", "proc/sys": ""})

    assert {7: 3} == parents(root)


def test_family_is_everything_below() -> None:
    assert [2, 3, 5, 4] == family(2, {1: 0, 2: 1, 3: 2, 4: 3, 5: 2, 6: 1})


@pytest.fixture
def worker() -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A process and the one it started."""
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    yield process, int(process.stdout.readline())
    end_family(family(process.pid, parents()))
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def ask(process: subprocess.Popen[bytes], mib: int) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"%d\n" % mib)
    process.stdin.flush()
    assert b"done\n" == process.stdout.readline()


def test_memory_of_a_worker_is_its_own_and_that_of_what_it_started(
    worker: tuple[subprocess.Popen[bytes], int],
) -> None:
    process, child = worker
    gauge = Gauge(process.pid)

    held = gauge.read(family(process.pid, parents()))
    alone = gauge.read([process.pid])

    assert [process.pid, child] == family(process.pid, parents())
    assert 150 * MIB <= held < 200 * MIB
    assert 100 * MIB <= alone < 130 * MIB
    assert held == gauge.peak_bytes


@pytest.mark.skipif(not os.access("/proc/self/clear_refs", os.W_OK), reason="this kernel resets no peak")
def test_peak_between_two_reads_is_seen_and_one_of_an_earlier_job_is_not(
    worker: tuple[subprocess.Popen[bytes], int],
) -> None:
    process, _ = worker
    ask(process, 300)
    gauge = Gauge(process.pid)
    gauge.read([process.pid])
    before = gauge.peak_bytes

    ask(process, 200)
    held = gauge.read([process.pid])

    assert before is not None
    assert gauge.peak_bytes is not None
    assert before < 130 * MIB
    assert held < 130 * MIB
    assert 200 * MIB <= gauge.peak_bytes < 260 * MIB


def test_process_that_ended_was_not_measured() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
        gauge = Gauge(process.pid)

        held = gauge.read([process.pid])

    assert (0, None) == (held, gauge.peak_bytes)


def test_family_is_ended_with_what_is_in_sessions_of_its_own(worker: tuple[subprocess.Popen[bytes], int]) -> None:
    process, child = worker

    end_family(family(process.pid, parents()))

    process.wait()
    wait_until(lambda: not alive(child))
