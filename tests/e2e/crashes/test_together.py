"""Several commands in one repo at once, some of which are killed: one works, the others wait, all end well."""

from __future__ import annotations

import signal
import subprocess

import pytest

from tests.e2e.crashes.project import Clean, Project, assert_next_build_is_right, some
from tests.e2e.processes import kill, wait_for, workers

pytestmark = pytest.mark.heavy

WAITS = "is running in"


def working(project: Project, *words: str) -> subprocess.Popen[str]:
    """Start a command, and hold it where it has the repo to itself and a worker at work; `end` lets it go on."""
    process = project.start(*words)
    wait_for(lambda: workers(process.pid, "openvino"))
    process.send_signal(signal.SIGSTOP)
    return process


def waiting(project: Project, *words: str) -> subprocess.Popen[str]:
    """Start a command and return when it says that it waits."""
    process = project.start(*words)
    assert process.stderr is not None
    assert WAITS in process.stderr.readline()
    return process


def end(process: subprocess.Popen[str]) -> str:
    process.send_signal(signal.SIGCONT)
    stdout, _ = process.communicate(timeout=120)
    return stdout


def test_second_build_finishes_what_a_killed_first_one_began(unbuilt: Project, clean: Clean) -> None:
    first = working(unbuilt, "build")
    second = waiting(unbuilt, "build")

    kill(first.pid)

    assert "done in" in end(second)
    end(first)
    assert (-9, 0) == (first.returncode, second.returncode)
    assert clean.outputs(unbuilt) == unbuilt.outputs()
    assert_next_build_is_right(unbuilt, clean)


def test_three_builds_at_once_do_the_work_once(unbuilt: Project, clean: Clean) -> None:
    first = working(unbuilt, "build")
    others = [waiting(unbuilt, "build") for _ in range(2)]

    outputs = [end(process) for process in (first, *others)]

    assert [0, 0, 0] == [process.returncode for process in (first, *others)]
    assert 1 == sum("done in" in output for output in outputs)
    assert clean.outputs(unbuilt) == unbuilt.outputs()


def test_killed_while_waiting_disturbs_nobody(unbuilt: Project, clean: Clean) -> None:
    first = working(unbuilt, "build")
    second = waiting(unbuilt, "build")
    third = waiting(unbuilt, "build")

    kill(second.pid)
    end(second)

    end(first)
    end(third)
    assert (0, 0) == (first.returncode, third.returncode)
    assert_next_build_is_right(unbuilt, clean)


def test_interrupt_ends_a_wait_at_once(unbuilt: Project, clean: Clean) -> None:
    first = working(unbuilt, "build")
    second = waiting(unbuilt, "build")

    second.send_signal(signal.SIGINT)
    end(second)

    assert 130 == second.returncode
    assert first.poll() is None
    end(first)
    assert_next_build_is_right(unbuilt, clean)


@pytest.mark.parametrize("words", some([("clean", "--all"), ("clean",)], 1))
def test_clean_waits_for_a_build_and_a_build_for_it(unbuilt: Project, clean: Clean, words: tuple[str, ...]) -> None:
    first = working(unbuilt, "build")
    cleaning = waiting(unbuilt, *words)
    second = waiting(unbuilt, "build")

    for process in (first, cleaning, second):
        end(process)

    assert [0, 0, 0] == [process.returncode for process in (first, cleaning, second)]
    assert_next_build_is_right(unbuilt, clean)


def test_no_wait_fails_at_once_and_works_when_the_holder_was_killed(unbuilt: Project, clean: Clean) -> None:
    first = working(unbuilt, "build")

    refused = unbuilt.ovmake("build", "--no-wait")

    assert 1 == refused.status
    assert f"error[locked]: another ovmake (process {first.pid}) {WAITS} {unbuilt.folder}" in refused.stderr
    kill(first.pid)
    end(first)
    assert_next_build_is_right(unbuilt, clean, "--no-wait")
