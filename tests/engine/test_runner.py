"""Workers that die between jobs or before the first one, and answers that are no JSON."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ovmake.engine.job import Completion, Failure, Job
from ovmake.engine.runner import WorkerRunner
from ovmake.graph.action import Action
from ovmake.ovfile.spec import Drop
from ovmake.workers.protocol import Response, _line


def run(runner: WorkerRunner, folder: Path) -> Completion:
    """Ask a worker for what it cannot do: it answers, and loads no framework."""
    action = Action(kind="nothing", subject="m", worker="openvino")
    log = str(folder / "nothing-m.log")
    runner.start(Job(action=action, params={}, tools={}, inputs={}, digests={}, outputs={}, scratch="", log=log))
    return runner.wait()


def test_worker_that_died_between_two_jobs_is_replaced(tmp_path: Path) -> None:
    runner = WorkerRunner(logs=tmp_path)
    try:
        first = run(runner, tmp_path)
        (worker,) = runner._idle["openvino"]
        os.kill(worker.process.pid, signal.SIGKILL)
        worker.process.wait()
        second = run(runner, tmp_path)
    finally:
        runner.close()

    codes = [done.result.code for done in (first, second) if isinstance(done.result, Failure)]
    assert ["action-failed", "action-failed"] == codes
    assert 2 == runner.started_workers


def test_worker_that_cannot_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "worker-openvino.log").write_text("of an older worker\n")
    script = "import sys; sys.exit('no module named so and so')"
    start = subprocess.Popen
    monkeypatch.setattr(sys, "executable", "python3")
    monkeypatch.setattr(subprocess, "Popen", lambda words, **more: start([words[0], "-c", script], **more))
    runner = WorkerRunner(logs=tmp_path)
    try:
        result = run(runner, tmp_path).result
    finally:
        runner.close()

    assert isinstance(result, Failure)
    assert "the openvino worker ended with exit status 1" == result.message
    assert ("no module named so and so",) == result.notes


def test_answer_with_a_nan_is_a_failure_and_not_the_end_of_the_worker() -> None:
    response = Response.from_line(_line(Response(id=7, ok=True, facts={"figure": math.nan})))

    assert (7, False, "action-failed") == (response.id, response.ok, response.code)
    assert "no JSON" in response.message


def test_promise_is_not_rounded() -> None:
    assert 0.12345649 == Drop(amount=0.12345649).written
    assert "1.1%" == Drop(amount=1.1 / 100, relative=True).written
