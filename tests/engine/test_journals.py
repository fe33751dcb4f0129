"""Where an action keeps its notes: a place for the work, which outlives promises and moves with the repo."""

from __future__ import annotations

from dataclasses import replace

from ovmake.engine.job import Job
from tests.engine.small import action, graph, repo
from tests.fakes import FakeRepo


def journal(there: FakeRepo, promise: float, samples: int) -> str:
    """Return the journal that a search is given, relative to the repo."""
    given: list[Job] = []
    search = action("control m", "models/m.pb", params={"max-drop": promise, "samples": samples})
    there.build(graph(replace(search, journal=("max-drop",))), during=given.append)
    return there.relative(given[0].journal)


def test_another_promise_goes_on_in_the_same_journal_and_other_work_begins_another() -> None:
    there = repo()

    first, promised, other = journal(there, 0.01, 300), journal(there, 0.02, 300), journal(there, 0.01, 200)

    assert first.startswith(".ovmake/journals/")
    assert first == promised
    assert first != other
