"""A build that asks a remote cache: what it takes, what it runs, what it uploads, and what a liar can do."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ovmake.engine.events import ActionDownloading, ActionFinished, BuildFinished, Uploading
from ovmake.engine.job import Progress, ignore_progress
from ovmake.engine.remote import Answer, Fetched, Missed, Traffic, Wanted
from ovmake.engine.world import LockedFile, Options
from ovmake.graph.action import Graph, Output
from ovmake.graph.digest import of_bytes
from ovmake.store.cas import Cas
from ovmake.store.files.disk import DigestMismatchError
from ovmake.store.files.handles import ForeignEntryError
from tests.engine.projects import Build, History, Project, histories
from tests.engine.rebuilders import Engine
from tests.engine.remotes import FakeRemote
from tests.engine.small import action, graph, repo
from tests.examples import tries
from tests.fakes import FakeRepo

ANY = settings(
    max_examples=tries(daily=15, ci=50, long=1_000),
    deadline=None,
    suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much),
)
EVERYTHING = Build(targets=(), jobs=2, seed=0)


def chain() -> Graph:
    return graph(
        action("convert m", "models/m.pb"),
        action("quantize m", "convert m"),
        action("publish m", "quantize m", "convert m", place="build/m/m.xml"),
    )


def filled() -> FakeRemote:
    """Return a remote cache that has the results of `chain`."""
    remote, maker = FakeRemote(), repo()
    maker.build(chain(), remote=remote.at(maker))
    assert ["convert m", "quantize m", "publish m"] == remote.pushed
    remote.asked.clear()
    return remote


def published(of: FakeRepo) -> bytes:
    return of.disk.files["build/m/m.xml"].data


def test_a_second_repo_runs_nothing_and_publishes_the_same_bytes() -> None:
    remote, other, alone = filled(), repo(), repo()
    alone.build(chain())

    built = other.build(chain(), remote=remote.at(other))

    assert [] == built.ran
    assert {"restored"} == set(built.statuses.values())
    assert published(alone) == published(other)
    finished = [event for event in built.events if isinstance(event, ActionFinished)]
    assert all(event.remote for event in finished)
    assert {"remote": True, "status": "restored"}.items() <= finished[0].to_json().items()


def test_the_build_after_it_asks_nobody() -> None:
    remote, other = filled(), repo()
    other.build(chain(), remote=remote.at(other))
    remote.asked.clear()

    built = other.build(chain(), remote=remote)

    assert [] == remote.asked
    assert {"fresh"} == set(built.statuses.values())


def test_a_result_that_is_not_there_is_made_and_uploaded() -> None:
    remote, other = filled(), repo({"models/m.pb": b"a1"})

    built = other.build(chain(), remote=remote.at(other))

    assert ["convert m", "quantize m", "publish m"] == built.ran == remote.asked
    assert 6 == len(remote.pushed)


def test_what_is_restored_is_not_uploaded_again() -> None:
    remote, other = filled(), repo()
    remote.pushed.clear()

    other.build(chain(), remote=remote.at(other))

    assert [] == remote.pushed


def test_forced_actions_are_not_looked_for() -> None:
    remote, other = filled(), repo()
    forced = Options(forced=frozenset({"convert", "quantize", "publish"}))

    built = other.build(chain(), options=forced, remote=remote.at(other))

    assert [] == remote.asked
    assert 3 == len(built.ran)


def test_a_dry_run_asks_nobody() -> None:
    remote, other = filled(), repo()

    built = other.build(chain(), options=Options(dry_run=True), remote=remote.at(other))

    assert ([], []) == (remote.asked, built.ran)
    assert {"would-run", "may-run"} >= set(built.statuses.values())


def test_a_blob_that_is_gone_makes_its_producer_run_again() -> None:
    remote, other = filled(), repo()
    made = next(one for one in remote.results.values() if one.action == "quantize m")
    del remote.blobs[made.outputs["out"]]

    built = other.build(chain(), remote=remote.at(other))

    assert ["quantize m"] == built.ran
    assert 0 == built.outcome.exit_status


def _other_bytes(_: Wanted, found: Fetched | Missed) -> Fetched | Missed:
    """Say that an output is something else than what was downloaded."""
    if isinstance(found, Missed):
        return found
    return replace(found, outputs=dict.fromkeys(found.outputs, of_bytes(b"poison")), files={})


def _more_outputs(_: Wanted, found: Fetched | Missed) -> Fetched | Missed:
    return found if isinstance(found, Missed) else replace(found, outputs={**found.outputs, "x": of_bytes(b"")})


def _no_outputs(_: Wanted, found: Fetched | Missed) -> Fetched | Missed:
    return found if isinstance(found, Missed) else replace(found, outputs={}, files={})


@pytest.mark.parametrize("lie", [_other_bytes, _more_outputs, _no_outputs])
def test_a_result_that_does_not_fit_the_action_is_a_miss(
    lie: object,
) -> None:
    remote, other, alone = filled(), repo(), repo()
    alone.build(chain())
    remote.answers = lie  # type: ignore[assignment]

    built = other.build(chain(), remote=remote.at(other))

    assert 3 == len(built.ran)
    assert published(alone) == published(other)


def test_a_copy_of_an_input_must_be_that_input() -> None:
    copying = replace(
        action("publish m", "convert m"),
        outputs=(Output(role="copy", place="build/m/m.xml", copy_of="in0"), Output(role="note")),
    )
    both = graph(action("convert m", "models/m.pb"), copying)
    remote, maker, other = FakeRemote(), repo(), repo()
    maker.build(both, remote=remote.at(maker))
    poison = of_bytes(b"poison")
    remote.blobs[poison] = b"poison"

    def lie(_: Wanted, found: Fetched | Missed) -> Fetched | Missed:
        if isinstance(found, Missed) or "copy" not in found.outputs:
            return found
        return replace(found, outputs={**found.outputs, "copy": poison})

    remote.answers = lie
    built = other.build(both, remote=remote.at(other))

    assert ["publish m"] == built.ran
    assert published(maker) == published(other)


def test_bytes_that_are_damaged_after_the_download_are_not_published() -> None:
    remote, other = filled(), repo()

    def rots(wanted: Wanted, found: Fetched | Missed) -> Fetched | Missed:
        if isinstance(found, Fetched) and wanted.action == "publish m":
            (path,) = found.files.values()
            other.disk.put(other.relative(path), b"rot")
        return found

    remote.answers = rots
    built = other.build(chain(), remote=remote.at(other))

    assert ["publish m"] == built.ran
    assert b"rot" != published(other)


def test_a_full_disk_ends_in_the_error_of_the_action() -> None:
    remote, other = filled(), repo()
    other.disk.full = True

    built = other.build(chain(), remote=remote.at(other))

    assert 1 == built.outcome.exit_status
    failed = built.actions["convert m"].diagnostic
    assert failed is not None
    assert "cannot-write" == failed.code


def test_a_cache_that_is_off_costs_nothing_but_a_word() -> None:
    remote, other = FakeRemote(off=True), repo()

    built = other.build(chain(), remote=remote.at(other))

    (last,) = (event for event in built.events if isinstance(event, BuildFinished))
    assert (0, 3) == (built.outcome.exit_status, len(built.ran))
    assert last.traffic is not None
    assert {"uploaded": 3, "off": "it is off"} == last.to_json()["remote"]


def test_with_only_cached_the_first_action_that_would_run_fails() -> None:
    remote, other = FakeRemote(off=True), repo()

    built = other.build(chain(), options=Options(only_cached=True), remote=remote.at(other))

    failed = built.actions["convert m"].diagnostic
    assert ([], 1) == (built.ran, built.outcome.exit_status)
    assert failed is not None
    assert ("not-cached", ("the remote cache: it is off",)) == (failed.code, failed.notes)


def test_with_only_cached_and_no_remote_cache_the_failure_says_so_too() -> None:
    other = repo()

    built = other.build(chain(), options=Options(only_cached=True))

    failed = built.actions["convert m"].diagnostic
    assert failed is not None
    assert ("not-cached", ()) == (failed.code, failed.notes)


def test_a_measurement_waits_until_uploads_are_done() -> None:
    timed = graph(action("convert m", "models/m.pb"), action("benchmark m", "convert m", exclusive=True))
    remote, other = FakeRemote(), repo()

    other.build(timed, remote=remote.at(other))

    assert 2 == remote.settled  # before the measurement, and at the end


def test_downloads_and_uploads_are_told() -> None:
    remote, other = filled(), repo()

    def slow(wanted: Wanted, found: Fetched | Missed) -> Fetched | Missed:
        wanted.tell(Progress(done=3, of=9, unit="MB"))
        return found

    remote.answers = slow
    built = other.build(chain(), remote=remote.at(other))

    told = [event.to_json() for event in built.events if isinstance(event, ActionDownloading | Uploading)]
    assert {
        "event": "action-downloading",
        "action": "convert",
        "target": "m",
        "done": 3,
        "of": 9,
        "unit": "MB",
    } == told[0]
    assert {"event": "uploading", "done": 1, "of": 1, "unit": "MB"} == told[-1]


# --- laws ---------------------------------------------------------------------------------------------------


@ANY
@given(histories(failures=True), st.integers(0, 99))
def test_whatever_a_remote_has_and_misses_a_build_publishes_what_a_clean_build_publishes(
    history: History, seed: int
) -> None:
    random = Random(seed)  # noqa: S311
    remote = FakeRemote(answers=lambda wanted, found: Missed(key=wanted.key) if random.random() < 0.3 else found)
    projects = [Project(history.nodes, Engine(), root=root) for root in ("/one", "/two")]
    for step in history.steps:
        project = projects[random.random() < 0.5]
        if not isinstance(step, Build):
            project.edit(step)
            continue
        wanted = project.expected(project.graph())
        built = project.build(step, choose=random.randrange, remote=remote.at(project.repo))
        for one in project.needed(project.graph(), built):
            assert project.published(one) == project.due(one, wanted), one.name


@ANY
@given(histories())
def test_what_one_repo_pushed_another_one_with_the_same_sources_does_not_run(history: History) -> None:
    remote = FakeRemote()
    one, other = (Project(history.nodes, Engine(), root=root) for root in ("/one", "/two"))
    one.build(EVERYTHING, remote=remote.at(one.repo))

    built = other.build(EVERYTHING, remote=remote.at(other.repo))

    assert [] == built.ran
    assert 0 == built.outcome.exit_status
    cas = Cas(other.repo.disk)
    assert all(cas.holds(digest) for done in built.actions.values() for digest in (done.outputs or {}).values())


def test_an_answer_is_data() -> None:
    assert Answer(action="a m", found=Missed(key="5b")) == Answer(action="a m", found=Missed(key="5b"))


class Careful(FakeRemote):
    """A cache that lets nothing out of its threads, as the real one; it counts what it sent."""

    def fetch(self, wanted: Wanted, done: Callable[[Fetched | Missed], None]) -> None:
        """See `RemoteCache`."""
        with contextlib.suppress(Exception):
            super().fetch(wanted, done)

    def settle(self, tell: Callable[[Progress], None] = ignore_progress) -> Traffic:
        """See `RemoteCache`."""
        return replace(super().settle(tell), restored=3)


def careful() -> Careful:
    known = filled()
    return Careful(results=known.results, blobs=known.blobs)


def test_what_storing_a_result_raises_ends_the_build(monkeypatch: pytest.MonkeyPatch) -> None:
    remote, other = careful(), repo()

    def refuse(*_: object) -> None:
        raise ForeignEntryError("build/m", "is a link")

    monkeypatch.setattr(other.disk, "publish", refuse)

    with pytest.raises(ForeignEntryError):
        other.build(chain(), remote=remote.at(other))


def test_a_result_that_does_not_fit_does_not_count_as_restored() -> None:
    remote, other = careful(), repo()
    remote.answers = lambda wanted, found: _more_outputs(wanted, found) if wanted.action == "publish m" else found

    built = other.build(chain(), remote=remote.at(other))

    assert ["publish m"] == built.ran
    (last,) = (event for event in built.events if isinstance(event, BuildFinished))
    assert last.traffic is not None
    assert (2, {"its outputs are not those of the action": 1}) == (last.traffic.restored, last.traffic.refused)


# --- disks that fail, and locks -----------------------------------------------------------------------------


def once(error: Exception, real: Callable[..., None]) -> Callable[..., None]:
    """Return a function that raises at its first call."""
    calls: list[object] = []

    def call(*given: Any) -> None:
        calls.append(given)
        if len(calls) == 1:
            raise error
        real(*given)

    return call


@pytest.mark.parametrize(
    ("where", "error"),
    [
        ("adopt", OSError(28, "No space left on device")),
        ("publish", DigestMismatchError("x")),
    ],
)
def test_a_result_that_cannot_be_stored_is_made_here(
    monkeypatch: pytest.MonkeyPatch, where: str, error: Exception
) -> None:
    remote, other = filled(), repo()
    monkeypatch.setattr(other.disk, where, once(error, getattr(other.disk, where)))

    built = other.build(chain(), remote=remote.at(other))

    assert (0, 1) == (built.outcome.exit_status, len(built.ran))


def test_a_result_that_cannot_be_recorded_is_made_here(monkeypatch: pytest.MonkeyPatch) -> None:
    remote, other = filled(), repo()
    failing = once(OSError(28, "No space left on device"), other.database.succeed)
    monkeypatch.setattr(other.database, "succeed", failing)

    built = other.build(chain(), remote=remote.at(other))

    assert (0, ["convert m"]) == (built.outcome.exit_status, built.ran)


def test_no_other_file_is_published_than_the_lock_names() -> None:
    copying = replace(
        action("publish m", "convert m"),
        outputs=(Output(role="copy", place="build/m/m.xml", copy_of="in0"), Output(role="note")),
    )
    both = graph(action("convert m", "models/m.pb"), copying)
    right, locked = repo(), repo()
    right.build(both)
    of_right = of_bytes(right.disk.files["build/m/m.xml"].data)

    kept = locked.build(both, options=Options(locked={"build/m/m.xml": LockedFile(digest=of_right)}))
    locked.disk.put("models/m.pb", b"a1")
    other = locked.build(
        both, options=Options(locked={"build/m/m.xml": LockedFile(digest=of_right, notes=("nncf is newer",))})
    )

    failed = other.actions["publish m"].diagnostic
    assert (0, 1) == (kept.outcome.exit_status, other.outcome.exit_status)
    assert failed is not None
    assert ("not-as-locked", ("nncf is newer",)) == (failed.code, failed.notes)
    assert right.disk.files["build/m/m.xml"].data == locked.disk.files["build/m/m.xml"].data
