"""Params that are advice: they help an action, and are no reason to run it."""

from __future__ import annotations

from dataclasses import replace

from ovmake.contracts.values import JsonValue
from ovmake.graph.action import Action, Graph
from tests.engine.remotes import FakeRemote
from tests.engine.small import action, graph, repo
from tests.fakes import FakeRepo


def search(*layers: str) -> Action:
    """Return a search that is told which layers to try first."""
    params: dict[str, JsonValue] = {"limit": 7, **({"replay": layers} if layers else {})}
    return replace(action("control m", "models/m.pb", place="build/m/m.xml", params=params), advice=("replay",))


def advised(*layers: str) -> Graph:
    return graph(search(*layers))


def published(of: FakeRepo) -> bytes:
    return of.disk.files["build/m/m.xml"].data


def test_new_advice_leaves_a_result_fresh() -> None:
    here = repo()
    here.build(advised())

    for layers in (("a",), ("b",), ()):
        assert {"fresh"} == set(here.build(advised(*layers)).statuses.values())


def test_a_result_that_was_made_with_advice_is_fresh_without_it() -> None:
    here = repo()
    assert ["control m"] == here.build(advised("a")).ran

    assert [] == here.build(advised()).ran


def test_advice_is_in_the_digest() -> None:
    plain, told = repo(), repo()

    plain.build(advised())
    told.build(advised("a"))

    assert published(plain) != published(told)


def test_a_cached_result_without_advice_is_preferred() -> None:
    here = repo()
    here.build(advised())
    first = published(here)
    here.disk.put("models/m.pb", b"a1")
    here.build(advised("a"))
    here.disk.put("models/m.pb", b"a0")

    built = here.build(advised("a"))

    assert ({"restored"}, first) == (set(built.statuses.values()), published(here))


def test_a_cached_result_with_the_same_advice_will_do() -> None:
    here = repo()
    here.build(advised("a"))
    first = published(here)
    here.disk.put("models/m.pb", b"a1")
    here.build(advised("a"))
    here.disk.put("models/m.pb", b"a0")

    assert [] == here.build(advised("a")).ran
    assert first == published(here)
    here.disk.put("models/m.pb", b"a1")
    here.build(advised("a"))
    here.disk.put("models/m.pb", b"a0")
    assert ["control m"] == here.build(advised("b")).ran


def test_a_remote_cache_is_asked_for_both() -> None:
    plain, told, other = repo(), repo(), repo()
    remote = FakeRemote()
    told.build(advised("a"), remote=remote.at(told))
    remote.asked.clear()

    built = other.build(advised("a"), remote=remote.at(other))

    assert (["control m", "control m"], []) == (remote.asked, built.ran)
    assert published(told) == published(other)

    plain.build(advised(), remote=remote.at(plain))
    third = repo()
    assert [] == third.build(advised("a"), remote=remote.at(third)).ran
    assert published(plain) == published(third)


def test_another_setting_is_a_reason_as_ever() -> None:
    here = repo()
    here.build(advised("a"))
    changed = graph(replace(search("a"), params={"limit": 8, "replay": ("a",)}))

    assert ["control m"] == here.build(changed).ran
