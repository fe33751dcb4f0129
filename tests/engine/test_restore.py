"""The action cache: going back runs nothing, equal work is done once, and damaged bytes are noticed."""

from __future__ import annotations

from dataclasses import replace

from ovmake.engine.world import Options
from ovmake.graph.action import Action, Graph, Output
from ovmake.graph.digest import of_bytes
from ovmake.store.cas import Cas
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


def test_damaged_bytes_are_noticed_when_published_and_dropped() -> None:
    there = repo()
    there.build(plan())
    published = there.disk.under("build")
    there.disk.take_away("build")
    damage(there, path := Cas(there.disk).path(of_bytes(published["m/m.xml"])))

    there.build(plan())

    assert path not in there.disk.files
    assert there.disk.under("build") == {}


def test_after_damage_the_next_build_is_right() -> None:
    there = repo()
    there.build(plan())
    published = there.disk.under("build")
    there.disk.take_away("build")
    damage(there, Cas(there.disk).path(of_bytes(published["m/m.xml"])))
    there.build(plan())

    built = there.build(plan())

    assert built.outcome.exit_status == 0
    assert there.disk.under("build") == published


def test_damaged_record_is_made_again_at_once() -> None:
    there = repo()
    there.build(plan())
    published = there.disk.under("build")
    there.disk.take_away("build")
    damage(there, Cas(there.disk).path(of_bytes(published["m/record.json"])))

    built = there.build(plan())

    assert built.statuses == {"convert m": "fresh", "publish m": "ran"}
    assert there.disk.under("build") == published


def test_damage_says_what_happened() -> None:
    there = repo()
    there.build(plan())
    published = there.disk.under("build")
    there.disk.take_away("build")
    damage(there, Cas(there.disk).path(of_bytes(published["m/m.xml"])))

    diagnostic = there.build(plan()).actions["publish m"].diagnostic

    assert diagnostic is not None
    assert (diagnostic.code, diagnostic.help) == ("store-damaged", "run ovmake build again")


def test_a_full_disk_at_a_restore_leaves_what_was_published() -> None:
    there = repo()
    there.build(plan(batch=1))
    there.build(plan(batch=4))
    published = there.disk.under("build")
    there.disk.full = True

    built = there.build(plan(batch=1))

    assert built.outcome.exit_status == 1
    assert there.disk.under("build") == published
