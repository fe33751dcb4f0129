"""Workers that die between jobs or before the first one, hang, take too much; and answers that are no JSON."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ovmake.contracts.codec import load, save
from ovmake.contracts.files.verdict import Kept
from ovmake.contracts.params.promise import GateParams, MaxDrop, PromiseParams
from ovmake.engine.job import Completion, Failure, Job, Success
from ovmake.engine.remote import Answer, Missed
from ovmake.engine.resource_limits import ResourceLimits
from ovmake.engine.runner import WorkerRunner, _result, cage_of
from ovmake.graph.action import Action, WorkerName
from ovmake.store.processes import Gauge
from ovmake.workers.ipc.cage import Cage
from ovmake.workers.ipc.protocol import Response
from ovmake.workers.ipc.serving import _line
from tests.evaluations import an_evaluation


def job(
    folder: Path,
    subject: str = "m",
    *,
    worker: WorkerName = "openvino",
    memory_bytes: int | None = None,
    exclusive: bool = False,
) -> Job:
    """Return a job that a worker cannot do: it says so, and loads no framework."""
    return Job(
        action=Action(kind="nothing", subject=subject, worker=worker, exclusive=exclusive),
        tools={},
        inputs={},
        digests={},
        outputs={},
        scratch="",
        log=str(folder / f"nothing-{subject}.log"),
        memory_bytes=memory_bytes,
    )


def completed(runner: WorkerRunner) -> Completion:
    done = runner.wait()
    assert isinstance(done, Completion)
    return done


def run(runner: WorkerRunner, folder: Path) -> Completion:
    """Ask a worker for what it cannot do."""
    runner.start(job(folder))
    return completed(runner)


def stop_worker(runner: WorkerRunner, subject: str) -> int:
    """Have the worker that has a job hang, as one in an endless loop does; return its process."""
    (process,) = (busy.worker.process for busy in runner._busy.values() if busy.job.action.subject == subject)
    os.kill(process.pid, signal.SIGSTOP)
    return process.pid


Make = Callable[[ResourceLimits], WorkerRunner]


@pytest.fixture
def runners(tmp_path: Path) -> Iterator[Make]:
    made: list[WorkerRunner] = []

    def make(allowance: ResourceLimits) -> WorkerRunner:
        made.append(WorkerRunner(logs=tmp_path, allowance=allowance))
        return made[-1]

    yield make
    for runner in made:
        runner.close()


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


def test_worker_that_dies_without_a_log_is_told_by_what_it_said_itself(tmp_path: Path, runners: Make) -> None:
    runner = runners(ResourceLimits())
    runner.start(job(tmp_path))
    (busy,) = runner._busy.values()
    Path(busy.job.log).unlink()
    (tmp_path / "worker-openvino.log").write_text("out of luck\n")
    busy.worker.process.kill()

    result = completed(runner).result

    assert isinstance(result, Failure)
    assert ("worker-died", ("out of luck",)) == (result.code, result.notes)


def test_job_with_a_folder_is_done_in_a_cage_of_what_it_names(tmp_path: Path, runners: Make) -> None:
    source, journal = tmp_path / "models" / "m.pb", tmp_path / "journal"
    named = replace(
        job(tmp_path),
        folder=str(tmp_path),
        journal=str(journal),
        reads=(str(source),),
        writes=(str(tmp_path / "kept"),),
    )
    runner = runners(ResourceLimits())
    runner.start(named)
    done = completed(runner)

    assert isinstance(done.result, Failure)
    assert "nothing" in done.result.message
    assert b"" == journal.read_bytes()
    assert cage_of(named) == Cage(
        read=(str(source),),
        list=(str(source.parent),),
        write=(str(tmp_path), str(journal), named.log, str(tmp_path / "kept")),
    )


def test_worker_that_hangs_is_ended_and_the_others_go_on(tmp_path: Path, runners: Make) -> None:
    runner = runners(ResourceLimits(minutes=0.06, minutes_from="command line"))
    runner.start(job(tmp_path, "hanging"))
    hanging = stop_worker(runner, "hanging")
    runner.start(job(tmp_path, "other"))

    done = {completion.job.action.subject: completion for completion in (completed(runner), completed(runner))}

    failed, other = done["hanging"], done["other"]
    assert isinstance(failed.result, Failure)
    assert isinstance(other.result, Failure)
    assert ("action-timeout", "action-failed") == (failed.result.code, other.result.code)
    assert 3.6 < failed.seconds < 30
    assert failed.effort is not None
    assert ("openvino", hanging) == (failed.effort.worker, failed.effort.pid)
    with pytest.raises(ProcessLookupError):
        os.kill(hanging, 0)


def test_worker_that_takes_too_much_memory_is_ended(tmp_path: Path, runners: Make) -> None:
    runner = runners(ResourceLimits(memory_bytes=100_000, memory_from="Ovfile"))
    runner.start(job(tmp_path))
    (busy,) = runner._busy.values()
    while Gauge(busy.worker.process.pid).read({busy.worker.process.pid}) < 200_000:
        continue  # it begins as a copy of this process that has touched nothing
    worker = stop_worker(runner, "m")

    done = completed(runner)

    assert isinstance(done.result, Failure)
    assert ("action-memory", "limits.memory") == (done.result.code, done.result.setting)
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)


def test_worker_within_its_limits_is_measured_and_left_alone(tmp_path: Path, runners: Make) -> None:
    runner = runners(ResourceLimits(minutes=1, memory_bytes=1 << 40))

    first, second = run(runner, tmp_path), run(runner, tmp_path)

    assert (1, []) == (runner.started_workers, list(runner._busy))
    for done in (first, second):
        assert done.effort is not None
        assert done.effort.peak_bytes is not None
        assert 1_000_000 < done.effort.peak_bytes < 1_000_000_000


def test_worker_that_hangs_in_the_middle_of_its_answer_is_ended(tmp_path: Path, runners: Make) -> None:
    runner = runners(ResourceLimits(minutes=0.01, minutes_from="command line"))
    runner.start(job(tmp_path))
    worker = stop_worker(runner, "m")
    # What it answers through, as whoever shares its process finds it.
    (answers,) = {link for link in Path(f"/proc/{worker}/fd").iterdir() if str(link.readlink()) == answers_of(runner)}
    answers.write_bytes(b'{"id": 1, ')

    done = completed(runner)

    assert isinstance(done.result, Failure)
    assert "action-timeout" == done.result.code


def answers_of(runner: WorkerRunner) -> str:
    """Return the pipe that the one busy worker answers through, as /proc names it."""
    (descriptor,) = runner._busy
    return str(Path(f"/proc/self/fd/{descriptor}").readlink())


def test_close_ends_what_hangs(tmp_path: Path, runners: Make) -> None:
    runner = runners(ResourceLimits())
    runner.start(job(tmp_path))
    worker = stop_worker(runner, "m")

    runner.close()

    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)


@pytest.mark.parametrize(
    ("memory_bytes", "left"),
    [(None, {"openvino": 2, "tensorflow": 1}), (1, {"openvino": 2, "tensorflow": 1}), (1 << 60, {"openvino": 1})],
    ids=["unknown", "fits", "does not fit"],
)
def test_idle_workers_make_room_for_what_needs_their_memory(
    tmp_path: Path, runners: Make, memory_bytes: int | None, left: dict[str, int]
) -> None:
    runner = runners(ResourceLimits())
    workers: dict[str, WorkerName] = {"a": "openvino", "b": "openvino", "c": "tensorflow"}
    for subject, worker in workers.items():
        runner.start(job(tmp_path, subject, worker=worker))
    for _ in workers:
        completed(runner)

    runner.start(job(tmp_path, "d", memory_bytes=memory_bytes))
    completed(runner)

    assert left == {name: len(idle) for name, idle in runner._idle.items() if idle}
    assert 3 == runner.started_workers


def test_measurement_has_the_machine_for_itself_and_its_worker_is_not_kept(tmp_path: Path, runners: Make) -> None:
    runner = runners(ResourceLimits())
    run(runner, tmp_path)
    idle = runner._idle["openvino"][0].process.pid

    runner.start(job(tmp_path, "measured", exclusive=True))
    with pytest.raises(ProcessLookupError):
        os.kill(idle, 0)
    done = completed(runner)

    assert "measured" == done.job.action.subject
    assert (2, []) == (runner.started_workers, runner._idle["openvino"])


def test_worker_whose_log_cannot_be_written_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("no folder")
    runner = WorkerRunner(logs=tmp_path / "logs")

    runner.start(job(tmp_path))
    done = completed(runner)
    runner.close()

    assert isinstance(done.result, Failure)
    assert ("cannot-start", None) == (done.result.code, done.effort)


def test_what_runs_here_is_done_when_it_is_started_and_needs_no_worker(tmp_path: Path) -> None:
    judge = replace(
        job(tmp_path),
        action=Action(kind="judge", subject="m", worker="in-process", params=GateParams(promise=PromiseParams())),
        inputs={"evaluation": str(tmp_path / "evaluation")},
        outputs={role: str(tmp_path / role) for role in ("verdict", "kept")},
    )
    save(an_evaluation(not_measured="TensorFlow cannot run it"), str(tmp_path / "evaluation"))
    runner = WorkerRunner(logs=tmp_path)
    try:
        runner.start(judge)
        done = completed(runner)
    finally:
        runner.close()

    assert (judge, Success()) == (done.job, done.result)
    assert Kept(kept=True) == load(Kept, str(tmp_path / "kept"), "kept")
    assert 0 == runner.started_workers


def test_answer_of_a_success_brings_its_facts_with_arrays_as_params_have_them(tmp_path: Path) -> None:
    answer = Response.from_line(_line(Response(id=1, ok=True, facts={"interval": [0.1, 0.2], "note": "slow"})))

    assert Success(facts={"interval": (0.1, 0.2), "note": "slow"}) == _result(answer, job(tmp_path))


def test_answer_with_a_nan_is_a_failure_and_not_the_end_of_the_worker() -> None:
    response = Response.from_line(_line(Response(id=7, ok=True, facts={"figure": math.nan})))

    assert (7, False, "action-failed") == (response.id, response.ok, response.code)
    assert "not valid JSON" in response.message


def test_promise_is_not_rounded() -> None:
    assert 0.12345649 == MaxDrop(amount=0.12345649).written
    assert "1.1%" == MaxDrop(amount=1.1 / 100, relative=True).written


def test_an_answer_of_another_thread_wakes_a_runner_that_waits(runners: Make) -> None:
    runner = runners(ResourceLimits())
    answer = Answer(action="convert m", found=Missed(key="5b2c"))
    later = threading.Timer(0.1, runner.post, [answer])

    later.start()
    found = runner.wait()

    assert found is answer
    assert 0 == runner.started_workers


def test_answers_and_jobs_are_waited_for_together(tmp_path: Path, runners: Make) -> None:
    runner = runners(ResourceLimits())
    answer = Answer(action="convert m", found=Missed(key="5b2c"))

    runner.start(job(tmp_path))
    runner.post(answer)
    found = [runner.wait(), runner.wait()]

    assert {Answer, Completion} == {type(one) for one in found}


def test_an_answer_that_comes_after_the_end_is_nobody_s(tmp_path: Path) -> None:
    runner = WorkerRunner(logs=tmp_path)
    runner.close()

    runner.post(Answer(action="convert m", found=Missed(key="5b2c")))
