"""Workers that are kept, replaced and ended, that die or cannot start, and answers that are no JSON."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ovmake.engine.job import Completion, Failure, Job, Success
from ovmake.engine.runner import WorkerRunner, _result
from ovmake.graph.action import Action, WorkerName
from ovmake.ovfile.spec import Drop
from ovmake.workers.protocol import Response, _line


def asked(folder: Path, *, kind: str = "nothing", worker: WorkerName = "openvino", exclusive: bool = False) -> Job:
    """Return a job for a worker: what it cannot do. It answers, and loads no framework."""
    action = Action(kind=kind, subject="m", worker=worker, exclusive=exclusive)
    log = str(folder / "nothing-m.log")
    return Job(action=action, params={}, tools={}, inputs={}, digests={}, outputs={}, scratch="", log=log)


def run(runner: WorkerRunner, folder: Path, *, exclusive: bool = False) -> Completion:
    """Have a job done, if only to hear that it cannot be."""
    runner.start(asked(folder, exclusive=exclusive))
    return runner.wait()


def test_worker_is_kept_for_the_next_job(tmp_path: Path) -> None:
    runner = WorkerRunner(logs=tmp_path)
    try:
        run(runner, tmp_path)
        run(runner, tmp_path)
    finally:
        runner.close()

    assert 1 == runner.started_workers


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


def test_measurement_ends_the_idle_workers_before_it_and_its_own_after_it(tmp_path: Path) -> None:
    runner = WorkerRunner(logs=tmp_path)
    try:
        run(runner, tmp_path)
        (idle,) = runner._idle["openvino"]
        run(runner, tmp_path, exclusive=True)
        left = [worker for workers in runner._idle.values() for worker in workers]
    finally:
        runner.close()

    assert not idle.alive
    assert [] == left
    assert 2 == runner.started_workers


def test_closing_ends_a_worker_in_the_middle_of_its_job(tmp_path: Path) -> None:
    runner = WorkerRunner(logs=tmp_path)
    runner.start(asked(tmp_path))
    (busy,) = [entry.worker for entry in runner._busy.values()]

    runner.close()

    assert not busy.alive


def test_log_that_cannot_be_begun_fails_the_job_and_starts_no_worker(tmp_path: Path) -> None:
    (tmp_path / "nothing-m.log").mkdir()
    runner = WorkerRunner(logs=tmp_path)
    try:
        result = run(runner, tmp_path).result
    finally:
        runner.close()

    assert isinstance(result, Failure)
    assert "cannot-start" == result.code
    assert "nothing m: " in result.message
    assert "nothing-m.log" in result.message
    assert 0 == runner.started_workers


def test_what_runs_here_is_done_when_it_is_started_and_needs_no_worker(tmp_path: Path) -> None:
    judge = replace(
        asked(tmp_path, kind="judge", worker="here"),
        inputs={"evaluation": str(tmp_path / "evaluation")},
        outputs={role: str(tmp_path / role) for role in ("verdict", "kept")},
    )
    (tmp_path / "evaluation").write_text('{"not_measured": "TensorFlow cannot run it"}')
    runner = WorkerRunner(logs=tmp_path)
    try:
        runner.start(judge)
        done = runner.wait()
    finally:
        runner.close()

    assert (judge, Success()) == (done.job, done.result)
    assert '{\n  "kept": true\n}\n' == (tmp_path / "kept").read_text()
    assert 0 == runner.started_workers


def test_answer_of_a_success_brings_its_facts_with_arrays_as_params_have_them(tmp_path: Path) -> None:
    answer = Response.from_line(_line(Response(id=1, ok=True, facts={"interval": [0.1, 0.2], "note": "slow"})))

    assert Success(facts={"interval": (0.1, 0.2), "note": "slow"}) == _result(answer, asked(tmp_path))


def test_answer_with_a_nan_is_a_failure_and_not_the_end_of_the_worker() -> None:
    response = Response.from_line(_line(Response(id=7, ok=True, facts={"figure": math.nan})))

    assert (7, False, "action-failed") == (response.id, response.ok, response.code)
    assert "no JSON" in response.message


def test_promise_is_not_rounded() -> None:
    assert 0.12345649 == Drop(amount=0.12345649).written
    assert "1.1%" == Drop(amount=1.1 / 100, relative=True).written
