"""A function of the user's that takes its process along, or its time: who is named, and who is not believed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ovmake.engine.job import Completion, Failure, Job
from ovmake.engine.resource_limits import ResourceLimits
from ovmake.engine.runner import WorkerRunner
from ovmake.engine.user_code import UserCode, ran_by
from ovmake.graph.action import Action

METRIC, LOADER = "metrics.py:share", "data.py:val"


def job(folder: Path) -> Job:
    """Return a job with a metric and a loader of the user's that no worker can do."""
    params = {"accuracy.metric": METRIC, "dataset.loader": "val"}
    return Job(
        action=Action(kind="nothing", subject="m", worker="openvino", params=params),
        tools={},
        inputs={"dataset": "/repo/code/data.py", "xml": "/repo/m.xml"},
        digests={},
        outputs={},
        scratch="",
        log=str(folder / "nothing.log"),
        folder=str(folder),
    )


def note(folder: Path, text: str) -> None:
    (folder / "user-code").write_text(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"running\t{METRIC}\t0\n", UserCode(name=METRIC, setting="accuracy.metric", running=True)),
        (f"ran\t{METRIC}\t0\n", UserCode(name=METRIC, setting="accuracy.metric", running=False)),
        (f"running\t{LOADER}\t12345\n", UserCode(name=LOADER, setting="dataset", running=True, samples=12345)),
        (f"running\t{LOADER}", UserCode(name=LOADER, setting="dataset", running=True)),
        (f"running\t{LOADER}\t²", UserCode(name=LOADER, setting="dataset", running=True)),
        (f"ran\t{LOADER}\t{'9' * 9999}", UserCode(name=LOADER, setting="dataset", running=False, samples=10**12 - 1)),
        ("running\t/etc/passwd\t0\n", None),
        ("", None),
        ("\x00\ufffd", None),
    ],
)
def test_note_counts_if_it_names_a_function_of_the_job(tmp_path: Path, text: str, found: UserCode | None) -> None:
    note(tmp_path, text)

    assert found == ran_by(job(tmp_path))


def test_no_note_no_folder_no_function(tmp_path: Path) -> None:
    note(tmp_path, f"running\t{METRIC}\t0\n")
    known = job(tmp_path)

    assert ran_by(replace(known, folder=str(tmp_path / "other"))) is None
    assert ran_by(replace(known, folder="")) is None
    assert ran_by(replace(known, action=replace(known.action, params={"accuracy.metric": "accuracy"}))) is None


def test_note_that_is_a_link_or_no_file_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"running\t{METRIC}\t0\n")
    (tmp_path / "user-code").symlink_to(tmp_path / "secret")
    assert ran_by(job(tmp_path)) is None

    (tmp_path / "user-code").unlink()
    os.mkfifo(tmp_path / "user-code")
    assert ran_by(job(tmp_path)) is None


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[WorkerRunner]:
    made = WorkerRunner(logs=tmp_path, allowance=ResourceLimits(minutes=0.02, minutes_from="command line"))
    yield made
    made.close()


def died(runner: WorkerRunner, folder: Path, text: str, *, garbled: bool = False) -> Failure:
    """Return the failure of a job whose worker is killed, or told to have answered nonsense, when it has noted so."""
    # Without a folder the worker forks nothing, and takes no longer than it starts.
    runner.start(replace(job(folder), folder=""))
    (busy,) = runner._busy.values()
    busy.job = job(folder)
    note(folder, text)
    if garbled:
        busy.worker.asked = 999
    else:
        busy.worker.process.kill()
    done = runner.wait()
    assert isinstance(done, Completion)
    result = done.result
    assert isinstance(result, Failure)
    return result


def test_process_that_dies_while_a_function_runs_is_the_functions(runner: WorkerRunner, tmp_path: Path) -> None:
    found = died(runner, tmp_path, f"running\t{METRIC}\t0\n")

    assert ("user-code", f"the process of `{METRIC}` was killed by SIGKILL") == (found.code, found.message)
    assert "accuracy.metric" == found.setting
    assert "memory killer" in found.help


def test_process_that_dies_afterwards_is_not(runner: WorkerRunner, tmp_path: Path) -> None:
    found = died(runner, tmp_path, f"ran\t{METRIC}\t0\n")

    assert ("worker-died", "the openvino worker was killed by SIGKILL", "") == (
        found.code,
        found.message,
        found.setting,
    )
    assert f"`{METRIC}` had already returned" == found.notes[0]


def test_answer_that_is_none_is_of_the_function_that_ran(runner: WorkerRunner, tmp_path: Path) -> None:
    found = died(runner, tmp_path, f"ran\t{LOADER}\t7\n", garbled=True)

    said = f"the process of `{LOADER}` gave no answer: its answer channel has other output"
    assert ("loader-failed", said, "dataset") == (found.code, found.message, found.setting)


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        (
            f"running\t{LOADER}\t12345\n",
            f"`{LOADER}` was running, and had yielded 12,345 samples so far",
            "a loader that has no end needs a `limit` in the dataset's table; allow more time",
        ),
        (f"running\t{METRIC}\t0\n", f"`{METRIC}` was running", "allow more time"),
        (f"ran\t{LOADER}\t0\n", f"`{LOADER}` had already returned", "allow more time"),
    ],
)
def test_limit_of_time_says_what_was_running(
    runner: WorkerRunner, tmp_path: Path, text: str, said: str, hint: str
) -> None:
    runner.start(replace(job(tmp_path), folder=""))
    (busy,) = runner._busy.values()
    os.kill(busy.worker.process.pid, 19)  # SIGSTOP: it never answers
    busy.job = job(tmp_path)
    note(tmp_path, text)

    done = runner.wait()
    assert isinstance(done, Completion)
    found = done.result

    assert isinstance(found, Failure)
    assert ("action-timeout", said) == (found.code, found.notes[0])
    assert found.help.startswith(hint)
