"""Ctrl-C at random times: the end at once, with 130, no orphan, and the next build right."""

from __future__ import annotations

import random
import signal
import time
from uuid import uuid4

import pytest

from tests.e2e.conftest import Repo
from tests.e2e.crashes.project import Clean, Project, assert_next_build_is_right
from tests.e2e.processes import alive, children, marked, wait_for
from tests.examples import LONG

pytestmark = [pytest.mark.heavy, pytest.mark.alone]


@pytest.mark.parametrize("seed", range(10 if LONG else 3))
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP] if LONG else [signal.SIGINT])
def test_interrupt_at_a_random_time(
    unbuilt: Project, clean: Clean, build_seconds: float, seed: int, number: signal.Signals
) -> None:
    share = random.Random(seed).uniform(0.2, 1)  # noqa: S311 - before that Python itself is not there yet
    seconds = share * build_seconds
    print("after", seconds, "s")
    name = uuid4().hex
    process = unbuilt.start_marked("build", mark=name)
    time.sleep(seconds)

    process.send_signal(number)
    started = time.monotonic()
    _, stderr = process.communicate(timeout=60)

    assert time.monotonic() - started < 10
    # Python itself, when it ends, leaves signals to the kernel; a shell calls that 128 + number.
    assert process.returncode in {130, 0, -number}
    assert "Traceback" not in stderr
    wait_for(lambda: not marked(f"CRASH_MARK={name}"), seconds=10)
    assert_next_build_is_right(unbuilt, clean)


def test_interrupt_while_tensorflow_is_at_work(fresh: Repo, built_once: Repo) -> None:
    process = fresh.start("build")
    wait_for((fresh.folder / ".ovmake/logs/worker-tensorflow.log").exists)
    begun = children(process.pid)

    started = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)

    assert 130 == process.returncode
    assert "Traceback" not in stderr
    assert time.monotonic() - started < 5
    wait_for(lambda: not any(alive(pid) for pid in begun), seconds=5)
    assert 0 == fresh.build().status
    assert built_once.outputs() == fresh.outputs()
