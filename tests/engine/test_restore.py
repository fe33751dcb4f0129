"""The action cache: going back runs nothing, equal work is done once, and damaged bytes are noticed."""

from __future__ import annotations

from dataclasses import replace

from ovmake.engine.job import Job
from ovmake.engine.world import Options
from ovmake.graph.action import Action, Graph, Output
from ovmake.graph.digest import of_bytes
from ovmake.store.cas import FOLDER, Cas
from tests.engine.small import action, graph, repo
from tests.fakes import FakeRepo


def plan(batch: int = 1) -> Graph:
    return graph(
        action("convert m", "models/m.pb", params={"batch": batch}),
        copying("publish m", "convert m", place="build/m/m.xml"),
    )


def copying(name: str, reads: str, *, place: str) -> Action:
    """Return an action that publishes what it reads, and a record of its own."""
    folder, _, _ = place.rpartition("/")
    copy = Output(role="copy", place=place, copy_of="in0")
    return replace(action(name, reads), outputs=(copy, Output(role="record", place=f"{folder}/record.json")))


def stored(there: FakeRepo, published: str) -> str:
    """Return where the CAS keeps the bytes of a published file."""
    return Cas(there.disk).path(of_bytes(there.disk.files[published].data))


def damage(there: FakeRepo, path: str) -> None:
    """Flip a byte, as a bad sector does: size, time and inode stay."""
    file = there.disk.files[path]
    there.disk.files[path] = replace(file, data=b"?" + file.data[1:])


def test_going_back_to_a_setting_runs_nothing() -> None:
    there = repo()
    there.build(plan(batch=1))
    published = there.disk.under("build")
    there.build(plan(batch=4))
    assert there.disk.under("build") != published

    built = there.build(plan(batch=1))

    assert built.ran == []
    assert built.statuses == {"convert m": "restored", "publish m": "restored"}
    assert there.disk.under("build") == published


def test_going_back_to_a_source_runs_nothing() -> None:
    there = repo()
    there.build(plan())
    for data in (b"b0", b"c0"):
        there.disk.tick()
        there.disk.put("models/m.pb", data)
        there.build(plan())
    there.disk.tick()
    there.disk.put("models/m.pb", b"a0")

    assert there.build(plan()).ran == []


def test_after_going_back_everything_is_fresh() -> None:
    there = repo()
    for batch in (1, 4, 1):
        there.build(plan(batch))

    assert there.build(plan(1)).statuses == {"convert m": "fresh", "publish m": "fresh"}


def test_deleted_output_is_restored() -> None:
    there = repo()
    there.build(plan())
    published = there.disk.under("build")
    there.disk.take_away("build")

    built = there.build(plan())

    assert built.statuses == {"convert m": "fresh", "publish m": "restored"}
    assert there.disk.under("build") == published


def test_edited_output_is_restored_and_its_neighbours_stay() -> None:
    there = repo()
    there.build(plan())
    published = there.disk.under("build")
    there.disk.tick()
    there.disk.put("build/m/m.xml", b"edited by hand")
    there.disk.put("build/m/notes.txt", b"mine")

    there.build(plan())

    assert there.disk.under("build") == {**published, "m/notes.txt": b"mine"}


def test_folder_in_the_place_of_an_output_is_replaced() -> None:
    there = repo()
    there.build(plan())
    published = there.disk.under("build")
    there.disk.take_away("build/m/m.xml")
    there.disk.put("build/m/m.xml/file", b"")

    there.build(plan())

    assert there.disk.under("build") == published


def test_equal_work_under_two_names_is_done_once() -> None:
    twins = graph(
        action("convert m", "models/m.pb", place="build/m/m.xml"),
        action("convert n", "models/m.pb", place="build/n/n.xml"),
    )
    there = repo()

    built = there.build(twins)

    assert built.statuses == {"convert m": "ran", "convert n": "restored"}
    assert there.disk.files["build/m/m.xml"].data == there.disk.files["build/n/n.xml"].data


def test_renamed_target_runs_nothing() -> None:
    there = repo()
    there.build(graph(action("convert m", "models/m.pb", place="build/m/m.xml")))

    built = there.build(graph(action("convert renamed", "models/m.pb", place="build/renamed/m.xml")))

    assert built.ran == []


def test_force_runs_what_could_be_restored() -> None:
    there = repo()
    there.build(plan())

    built = there.build(plan(), options=Options(forced=frozenset({"convert"})))

    assert built.statuses == {"convert m": "ran", "publish m": "fresh"}


def test_without_the_database_everything_is_made_again_and_is_the_same() -> None:
    there = repo()
    there.build(plan())
    published = there.disk.under("build")
    there.lose_database()

    built = there.build(plan())

    assert built.ran == ["convert m", "publish m"]
    assert there.disk.under("build") == published


def test_lost_intermediate_is_made_again_and_nothing_after_it() -> None:
    there = repo()
    there.build(plan())
    there.disk.take_away(stored(there, "build/m/m.xml"))

    built = there.build(plan())

    assert (built.statuses["convert m"], built.outcome.exit_status) == ("ran", 0)
    assert there.build(plan()).statuses == {"convert m": "fresh", "publish m": "fresh"}


def test_stored_bytes_of_a_published_file_that_another_action_reads_are_made_again() -> None:
    there = repo()
    first = action("convert m", "models/m.pb", place="build/m/m.xml")
    there.build(graph(first))
    there.disk.take_away(stored(there, "build/m/m.xml"))

    built = there.build(graph(first, action("compress m", "convert m", place="build/m16/m.xml")))

    assert built.outcome.exit_status == 0


def test_damaged_bytes_are_noticed_when_published_and_made_again() -> None:
    there = repo()
    there.build(plan())
    published = there.disk.under("build")
    there.disk.take_away("build")
    damage(there, path := Cas(there.disk).path(of_bytes(published["m/m.xml"])))

    built = there.build(plan())

    assert built.statuses == {"convert m": "ran", "publish m": "restored"}
    assert there.disk.under("build") == published
    assert there.disk.files[path].data == published["m/m.xml"]


def test_damaged_bytes_are_noticed_before_an_action_reads_them() -> None:
    there = repo()
    there.build(chain(batch=1))
    intact = dict(there.disk.under("build"))
    damage(there, Cas(there.disk).path(of_bytes(intact["m/m.xml"])))

    built = there.build(chain(batch=4))

    healthy = repo()
    healthy.build(chain(batch=4))
    assert built.ran == ["convert m", "quantize m"]
    assert there.disk.under("build") == healthy.disk.under("build")
    assert set(there.build(chain(batch=4)).statuses.values()) == {"fresh"}


def test_damage_is_said_by_the_reasons_of_what_is_made_again() -> None:
    there = repo()
    there.build(chain(batch=1))
    damage(there, Cas(there.disk).path(of_bytes(there.disk.files["build/m/m.xml"].data)))

    built = there.build(chain(batch=4))

    decision = built.actions["convert m"].decision
    assert decision is not None
    assert [(reason.kind, reason.name) for reason in decision.reasons] == [("output-missing", "`out` of convert m")]


def test_a_chain_of_damaged_bytes_is_made_again_from_its_beginning() -> None:
    there = repo()
    there.build(chain(batch=1))
    published = there.disk.under("build")
    damage(there, Cas(there.disk).path(of_bytes(published["m/m.xml"])))
    damage(there, Cas(there.disk).path(of_bytes(published["q/q.xml"])))
    longer = graph(
        *chain(batch=1).actions.values(), action("evaluate m", "convert m", "quantize m", place="build/e/e.json")
    )

    built = there.build(longer)

    assert built.ran == ["convert m", "quantize m", "evaluate m"]
    assert there.disk.under("build").items() > published.items()


def test_a_folder_in_the_place_of_stored_bytes_is_damage_too() -> None:
    there = repo()
    there.build(chain(batch=1))
    path = Cas(there.disk).path(of_bytes(there.disk.files["build/m/m.xml"].data))
    there.disk.take_away(path)
    there.disk.put(f"{path}/file", b"")

    assert there.build(chain(batch=4)).outcome.exit_status == 0
    assert set(there.build(chain(batch=4)).statuses.values()) == {"fresh"}


def test_stored_bytes_nobody_can_read_are_made_again() -> None:
    there = repo()
    there.build(chain(batch=1))
    path = Cas(there.disk).path(of_bytes(there.disk.files["build/m/m.xml"].data))
    there.disk.unreadable.add(path)

    built = there.build(chain(batch=4), during=lambda _: there.disk.unreadable.discard(path))

    assert built.statuses == {"convert m": "ran", "quantize m": "ran"}


def test_what_runs_again_replaces_damaged_bytes() -> None:
    there = repo()
    there.build(chain(batch=1))
    published = there.disk.under("build")
    damage(there, path := Cas(there.disk).path(of_bytes(published["m/m.xml"])))

    there.build(chain(batch=1), options=Options(forced=frozenset({"convert"})))

    assert there.disk.files[path].data == published["m/m.xml"]


def test_stored_bytes_are_read_once_and_only_for_what_runs() -> None:
    there = repo()
    there.build(chain(batch=1))
    path = Cas(there.disk).path(of_bytes(there.disk.files["build/m/m.xml"].data))
    there.disk.reads.clear()
    there.build(chain(batch=1))
    assert path not in there.disk.reads
    twice = graph(*chain(batch=4).actions.values(), action("evaluate m", "convert m"))

    there.build(twice)

    assert there.disk.reads.count(path) == 1


def test_a_disk_that_damages_everything_again_is_said_and_does_not_go_on_for_ever() -> None:
    there = repo()
    there.build(chain(batch=1))
    damage(there, path := Cas(there.disk).path(of_bytes(there.disk.files["build/m/m.xml"].data)))
    slow, late = action("slow m", "models/m.pb"), action("late m", "convert m", after=("slow m",))
    beside = graph(*chain(batch=4).actions.values(), slow, late)

    built = there.build(beside, options=Options(jobs=1), during=lambda job: take(there, path, job))

    diagnostic = built.actions["late m"].diagnostic
    assert diagnostic is not None
    assert (diagnostic.code, diagnostic.message) == (
        "store-damaged",
        "late m: `out` of convert m was damaged on the disk, made again, and damaged again",
    )


def take(there: FakeRepo, path: str, job: Job) -> None:
    """Take stored bytes away while a certain action runs."""
    if job.action.name == "slow m":
        there.disk.take_away(path)


def test_bytes_that_are_damaged_while_they_are_copied_are_not_published() -> None:
    there = repo()
    there.build(plan(), "convert m")
    (path,) = (f"{FOLDER}/{name}" for name in there.disk.under(FOLDER))

    built = there.build(plan(), during=lambda _: damage(there, path))

    diagnostic = built.actions["publish m"].diagnostic
    assert diagnostic is not None
    assert ("store-damaged", {}) == (diagnostic.code, there.disk.under("build"))
    assert {"convert m": "ran", "publish m": "ran"} == there.build(plan()).statuses


def chain(batch: int) -> Graph:
    return graph(
        action("convert m", "models/m.pb", place="build/m/m.xml"),
        action("quantize m", "convert m", params={"batch": batch}, place="build/q/q.xml"),
    )


def test_damaged_record_is_made_again_at_once() -> None:
    there = repo()
    there.build(plan())
    published = there.disk.under("build")
    there.disk.take_away("build")
    damage(there, Cas(there.disk).path(of_bytes(published["m/record.json"])))

    built = there.build(plan())

    assert built.statuses == {"convert m": "fresh", "publish m": "ran"}
    assert there.disk.under("build") == published


def test_a_full_disk_at_a_restore_leaves_what_was_published() -> None:
    there = repo()
    there.build(plan(batch=1))
    there.build(plan(batch=4))
    published = there.disk.under("build")
    there.disk.full = True

    built = there.build(plan(batch=1))

    assert built.outcome.exit_status == 1
    assert there.disk.under("build") == published
