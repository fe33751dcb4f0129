"""An action that prepares another: what it may read and write is that one's, too, and nobody else's."""

from __future__ import annotations

from dataclasses import replace

from ovmake.engine.job import Job
from ovmake.graph.action import Graph
from tests.engine.small import action, graph, repo
from tests.fakes import FakeRepo


def pair() -> Graph:
    """A check of a model, and the run over data that goes on with what it has loaded."""
    check = replace(action("check m", "models/m.pb"), prepares="run m", prepared=("data.npz",))
    run = action("run m", "models/m.pb", "data.npz", "check m")
    unread = tuple(replace(given, unread=not given.at and given.label.startswith("`")) for given in run.inputs)
    return graph(check, replace(run, inputs=unread))


def jobs(there: FakeRepo, current: Graph) -> dict[str, Job]:
    given: list[Job] = []
    there.disk.put("data.npz", b"x")
    assert there.build(current, during=given.append).outcome.exit_status == 0
    return {job.action.name: job for job in given}


def test_the_other_ones_scratch_folder_and_log_may_be_written() -> None:
    there = repo()

    found = jobs(there, pair())

    assert found["check m"].writes == (found["run m"].folder, found["run m"].log)
    assert found["run m"].writes == ()
    assert found["check m"].folder != found["run m"].folder


def test_all_that_the_other_one_reads_may_be_read() -> None:
    there = repo()

    found = jobs(there, pair())

    assert [there.relative(path) for path in found["check m"].reads] == ["models/m.pb", "data.npz"]
    assert set(found["run m"].reads) <= set(found["check m"].reads)


def test_what_is_prepared_changes_no_digest() -> None:
    there = repo()
    jobs(there, pair())
    check, run = pair().actions.values()

    current = graph(replace(check, prepares="", prepared=()), run)

    assert set(there.build(current).outcome.targets.values()) == {"fresh"}
    assert check == replace(check, prepares="", prepared=())
