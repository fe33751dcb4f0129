"""What `ovmake gc` removes, and that a kill in the middle of it harms nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ovmake.commands.gc.command import collect
from ovmake.commands.gc.plan import Limits, RemovalPlan
from ovmake.engine.results import journal_name
from ovmake.graph.action import Action, Graph
from ovmake.store.cas import FOLDER
from ovmake.store.database import decoded
from tests.engine.small import action, graph, repo
from tests.fakes import FakeRepo, Killed

DAY_S = 86_400
MONTH = Limits(age_s=30 * DAY_S)


def chain(name: str, *, batch: int = 1) -> tuple[Action, Action]:
    """Return an action and the one that publishes what it makes."""
    convert = action(f"convert {name}", f"models/{name}.pb", params={"batch": batch})
    return convert, action(f"publish {name}", convert.name, place=f"build/{name}/{name}.xml")


def m_and_n() -> FakeRepo:
    """A repo in which the models m and n are built."""
    there = repo({"models/m.pb": b"m", "models/n.pb": b"n"})
    there.build(graph(*chain("m"), *chain("n")))
    return there


def gc(there: FakeRepo, current: Graph, limits: Limits | None = None, *, dry_run: bool = False) -> RemovalPlan:
    return collect(current.actions, there.disk, there.database, limits or Limits(), dry_run=dry_run)


def age(there: FakeRepo, days: int) -> None:
    """Let all that was done lie further back."""
    with there.database._connection as connection:
        connection.execute("UPDATE results SET used_s = used_s - ?", (days * DAY_S,))


def rows(there: FakeRepo) -> dict[str, set[str]]:
    """Return the keys of all rows."""
    return {
        "results": {result.digest for result in there.database.results()},
        "traces": set(there.database.traces()),
        "failures": set(there.database.failures()),
        "files": set(there.database.files()),
    }


def promised(there: FakeRepo) -> set[str]:
    """Return the sha-256 of everything that a result says is stored."""
    return {digest.sha256 for result in there.database.results() for digest in result.trace.outputs.values()}


def stored(there: FakeRepo) -> set[str]:
    """Return the names in the store."""
    return {name.replace("/", "") for name in there.disk.under(FOLDER)}


def removed(plan: RemovalPlan) -> dict[str, list[str]]:
    """Return the removed files by reason."""
    return {why: [file.path for file in files] for why, files in plan.files.items() if files}


# without limits


def test_where_all_is_referred_to_nothing_goes() -> None:
    there = m_and_n()
    before = (rows(there), dict(there.disk.files))

    plan = gc(there, graph(*chain("m"), *chain("n")))

    assert plan.empty
    assert before == (rows(there), there.disk.files)


def test_bytes_that_no_row_refers_to_go() -> None:
    there = m_and_n()
    kept = stored(there)
    there.disk.put(f"{FOLDER}/ab/cdef", b"left by a killed run")
    there.disk.put(f"{FOLDER}/ab/.cdef.7.tmp", b"half of a file")

    plan = gc(there, graph(*chain("m"), *chain("n")))

    assert {"unreferenced": [f"{FOLDER}/ab/.cdef.7.tmp", f"{FOLDER}/ab/cdef"]} == removed(plan)
    assert kept == stored(there)


def test_stored_file_of_the_wrong_size_goes_for_it_is_of_no_use() -> None:
    there = m_and_n()
    path = next(f"{FOLDER}/{name}" for name in there.disk.under(FOLDER))
    there.disk.put(path, b"torn")

    plan = gc(there, graph(*chain("m"), *chain("n")))

    assert {"unreferenced": [path]} == removed(plan)


def test_results_of_earlier_settings_and_of_models_that_are_gone_stay() -> None:
    there = m_and_n()
    there.build(graph(*chain("m", batch=4)))
    before = rows(there)

    plan = gc(there, graph(*chain("m", batch=4)))

    assert (True, before) == (plan.empty, rows(there))


def test_scratch_goes_of_builds_and_of_checks() -> None:
    there = m_and_n()
    there.disk.put(".ovmake/tmp/1/xml", b"half")
    there.disk.put(".ovmake/check/cas/ab/cd", b"again")

    plan = gc(there, graph(*chain("m"), *chain("n")))

    assert {"scratch": [".ovmake/tmp/1/xml", ".ovmake/check/cas/ab/cd"]} == removed(plan)
    assert ({}, {}) == (there.disk.under(".ovmake/tmp"), there.disk.under(".ovmake/check"))


def test_databases_set_aside_go_but_for_those_of_other_formats() -> None:
    there = m_and_n()
    for name in ("state.db", "state.db.unreadable", "state.db.unreadable-wal", "state.db.format-9"):
        there.disk.put(f".ovmake/{name}", b"rows")

    plan = gc(there, graph(*chain("m"), *chain("n")))

    assert {"set-aside": [".ovmake/state.db.unreadable", ".ovmake/state.db.unreadable-wal"]} == removed(plan)
    assert b"rows" == there.disk.files[".ovmake/state.db.format-9"].data


def test_logs_and_failures_go_with_their_actions() -> None:
    there = m_and_n()
    for name in ("convert-m", "convert-n", "worker-openvino"):
        there.disk.put(f".ovmake/logs/{name}.log", b"said")
    there.database.fail("convert m", "d", "it broke")
    there.database.fail("convert n", "d", "it broke")

    plan = gc(there, graph(*chain("m")))

    assert {"logs": [".ovmake/logs/convert-n.log"]} == removed(plan)
    assert ("convert n",) == plan.failures
    assert {"convert m"} == rows(there)["failures"]


def test_digests_of_files_that_are_gone_go() -> None:
    there = m_and_n()
    there.disk.take_away("models/n.pb")

    gc(there, graph(*chain("m")))

    assert {"models/m.pb", "build/m/m.xml", "build/n/n.xml"} >= rows(there)["files"] >= {"models/m.pb"}


def test_journal_goes_when_its_search_has_a_result_and_another_stays() -> None:
    there = repo({"models/m.pb": b"m"})
    search = replace(action("control m", "models/m.pb", params={"max-drop": 1}), journal=("max-drop",))
    there.build(graph(search))
    done = journal_name(decoded(there.database.traces()["control m"]).seen, ("max-drop",), there.database)
    there.disk.put(f".ovmake/journals/{done}", b"trials")
    there.disk.put(".ovmake/journals/interrupted", b"trials")

    plan = gc(there, graph(search))

    assert {"journals": [f".ovmake/journals/{done}"]} == removed(plan)


def test_result_that_cannot_be_restored_goes() -> None:
    there = m_and_n()
    there.build(graph(*chain("m", batch=4)))
    old = decoded(there.database.traces()["convert n"])
    there.disk.take_away(f"{FOLDER}/{old.outputs['out'].sha256[:2]}/{old.outputs['out'].sha256[2:]}")

    plan = gc(there, graph(*chain("m", batch=4)))

    assert ((old.seen.digest,), ("convert n",)) == (plan.results, plan.traces)


# by age


def test_results_not_used_for_long_go_with_their_bytes() -> None:
    there = m_and_n()
    old = stored(there)
    there.build(graph(*chain("m", batch=4)))
    current = decoded(there.database.traces()["convert m"])
    age(there, 31)

    plan = gc(there, graph(*chain("m", batch=4)), MONTH)

    assert {"unused"} == set(removed(plan))
    assert {"convert m", "publish m"} == rows(there)["traces"]
    assert {current.seen.digest} < rows(there)["results"]
    assert stored(there) == promised(there)
    assert not stored(there) & old


def test_result_that_was_the_newest_until_lately_is_not_old() -> None:
    there = m_and_n()
    age(there, 31)
    there.build(graph(*chain("m", batch=4), *chain("n")))

    gc(there, graph(*chain("m", batch=4), *chain("n")), MONTH)

    assert {"convert m": "restored", "publish m": "restored"} == there.build(graph(*chain("m"))).statuses


def test_what_the_targets_need_stays_however_old_it_is() -> None:
    there = m_and_n()
    age(there, 10_000)

    plan = gc(there, graph(*chain("m"), *chain("n")), Limits(age_s=0, size_bytes=0))

    assert plan.empty
    assert (True, plan.needed_bytes) == (plan.too_large, sum(map(len, there.disk.under(FOLDER).values())))


def lossy(batch: int) -> Graph:
    """Return an action that makes one of two files, whatever its settings."""
    return graph(action("lossy m", "models/m.pb", params={"batch": batch}))


def made(current: Graph) -> set[str]:
    elsewhere = repo({"models/m.pb": b"m"})
    elsewhere.build(current)
    return stored(elsewhere)


def test_bytes_that_a_newer_result_has_too_stay() -> None:
    there = repo({"models/m.pb": b"m"})
    there.build(lossy(1))
    current = next(lossy(batch) for batch in range(2, 50) if made(lossy(batch)) == stored(there))
    age(there, 31)
    there.build(current)
    age(there, 31)

    plan = gc(there, current, MONTH)

    assert (1, {}) == (len(plan.results), removed(plan))


# by size


def test_least_recently_used_results_go_until_the_store_is_small_enough() -> None:
    there = repo({"models/m.pb": b"m"})
    for batch in (1, 2, 3, 4):
        age(there, 1)
        there.build(graph(*chain("m", batch=batch)))
    # `convert` and `publish` make two files for each batch, all of one size.
    sizes = [len(data) for data in there.disk.under(FOLDER).values()]
    limit = sum(sizes) - sum(sizes) // 4

    gc(there, graph(*chain("m", batch=4)), Limits(size_bytes=limit))

    assert sum(len(data) for data in there.disk.under(FOLDER).values()) <= limit
    assert stored(there) == promised(there)
    restored = {batch: set(there.build(graph(*chain("m", batch=batch))).statuses.values()) for batch in (4, 3, 2, 1)}
    assert {4: {"fresh"}, 3: {"restored"}, 2: {"restored"}, 1: {"ran"}} == restored


def test_small_enough_is_left_alone() -> None:
    there = m_and_n()
    there.build(graph(*chain("m", batch=4)))

    assert gc(there, graph(*chain("m", batch=4)), Limits(size_bytes=10**9)).empty


# dry run, and kills


def untidy() -> tuple[FakeRepo, Graph]:
    """A repo with everything that gc removes, and its current graph."""
    there = m_and_n()
    age(there, 31)
    current = graph(*chain("m", batch=4))
    there.build(current)
    for path in (f"{FOLDER}/ab/cdef", ".ovmake/tmp/1/xml", ".ovmake/logs/convert-n.log", ".ovmake/state.db.unreadable"):
        there.disk.put(path, b"old")
    there.database.fail("convert n", "d", "it broke")
    there.disk.take_away("models/n.pb")
    return there, current


OLD = Limits(age_s=30 * DAY_S, size_bytes=0)


def test_dry_run_says_the_same_and_removes_nothing() -> None:
    there, current = untidy()
    before = (rows(there), dict(there.disk.files))

    foreseen = gc(there, current, OLD, dry_run=True)

    assert before == (rows(there), there.disk.files)
    assert foreseen == gc(there, current, OLD)


def steps_of_gc() -> int:
    there, current = untidy()
    there.fuse.mend()
    gc(there, current, OLD)
    return there.fuse.steps


def test_there_are_steps_of_every_kind() -> None:
    there, current = untidy()

    plan = gc(there, current, OLD)

    assert {"unreferenced", "unused", "scratch", "logs", "set-aside"} == set(removed(plan))
    assert min(map(len, (plan.results, plan.traces, plan.failures, plan.gone_files))) > 0


@pytest.mark.parametrize("step", range(1, steps_of_gc() + 1))
def test_killed_at_any_step_it_leaves_what_the_next_build_and_the_next_gc_need(step: int) -> None:
    there, current = untidy()
    published = there.disk.under("build")
    there.fuse.mend(burns_at=step)
    with pytest.raises(Killed):
        gc(there, current, OLD)
    there.fuse.mend()

    # No row speaks of bytes that are gone: rows go before the files that only they refer to.
    assert promised(there) <= stored(there)
    built = there.build(current)
    assert ([], {"fresh"}) == (built.ran, set(built.outcome.targets.values()))
    assert published == there.disk.under("build")
    gc(there, current, OLD)
    whole, _ = untidy()
    gc(whole, current, OLD)
    assert (rows(whole), stored(whole)) == (rows(there), stored(there))
    assert set(whole.disk.files) == set(there.disk.files)
