"""How far apart cores are: which are compared, from made-up caches, and the time itself, between real processes."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from ovmake.workers.measurement import core_latency
from ovmake.workers.measurement.core_latency import FAR_NS, MOST_PAIRS, Cores, neighbours

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="no other system pins threads to cores")
several = pytest.mark.skipif(not core_latency.neighbours(), reason="no two cores here are known to share a cache")


def machine(root: Path, caches: Mapping[int, Mapping[int, str]]) -> str:
    """Make up the caches of cores: by core and level, the list of cores that share it."""
    for core, levels in caches.items():
        for level, shared in levels.items():
            index = root / f"sys/devices/system/cpu/cpu{core}/cache/index{level}"
            index.mkdir(parents=True)
            (index / "level").write_text(f"{level}\n")
            (index / "shared_cpu_list").write_text(f"{shared}\n")
    return str(root)


@pytest.fixture
def usable(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    found = set(range(8))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(found))
    return found


def test_cores_are_compared_that_share_their_last_cache(tmp_path: Path, usable: set[int]) -> None:
    root = machine(tmp_path, {core: {1: f"{core}", 3: "0-3" if core < 4 else "4-7"} for core in usable})

    assert [(0, 1), (1, 2), (2, 3), (4, 5), (5, 6), (6, 7)] == neighbours(root)


def test_only_cores_that_we_may_use_are_compared(tmp_path: Path, usable: set[int]) -> None:
    usable.intersection_update({1, 3, 6})
    root = machine(tmp_path, {core: {3: "0,1,3" if core < 4 else "4-7"} for core in range(8)})

    assert [(1, 3)] == neighbours(root)


def test_of_many_cores_a_few_pairs_are_compared_from_all_over(tmp_path: Path, usable: set[int]) -> None:
    usable.update(range(64))
    root = machine(tmp_path, {core: {3: f"{core // 8 * 8}-{core // 8 * 8 + 7}"} for core in usable})

    found = neighbours(root)

    assert MOST_PAIRS == len(found)
    assert 8 == len({first // 8 for first, _ in found})


@pytest.mark.parametrize("listed", ["", "all", "0-"])
def test_where_the_kernel_does_not_tell_nothing_is_compared(tmp_path: Path, usable: set[int], listed: str) -> None:
    assert [] == neighbours(str(tmp_path))
    root = machine(tmp_path, {core: {3: listed} for core in usable})

    assert [] == neighbours(root)
    with closing(Cores(root)) as found:
        assert (None, None) == (found.core_latency_ns(), found.gather(5))


@several
@pytest.mark.heavy
@pytest.mark.alone
def test_a_value_takes_some_time_and_this_thread_may_run_everywhere_again() -> None:
    before = os.sched_getaffinity(0)

    with closing(Cores()) as found:
        times = [found.core_latency_ns() for _ in range(5)]

    # Where others use a core, one look or another gets no answer in time.
    known = [ns for ns in times if ns is not None]
    assert known
    assert all(0 <= ns < 100_000 for ns in known)
    assert before == os.sched_getaffinity(0)


@several
@pytest.mark.heavy
@pytest.mark.alone
def test_a_partner_that_was_killed_is_no_reason_to_wait() -> None:
    with closing(Cores()) as found:
        assert found._partner is not None
        found._partner.kill()
        found._partner.wait()

        assert (None, None) == (found.core_latency_ns(), found.gather(5))


@several
@pytest.mark.heavy
@pytest.mark.alone
def test_the_partner_ends_with_its_owner() -> None:
    found = Cores()
    partner = found._partner
    assert partner is not None

    found.close()
    found.close()

    assert partner.poll() is not None
    assert found.core_latency_ns() is None


@several
@pytest.mark.heavy
@pytest.mark.alone
def test_cores_are_gathered_until_they_are_close_or_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(Cores()) as found:
        pair, handed = found._pairs[0], 0
        # Where cores lie is the host's to say, so what is seen of it is made up; the handing is real.
        seen = iter([(FAR_NS * 2, pair), (FAR_NS * 2, pair), (FAR_NS / 2, pair)])
        monkeypatch.setattr(Cores, "_furthest", lambda _: next(seen, (FAR_NS * 2, pair)))
        order = found._order

        def counted(what: bytes, core: int) -> bool:
            nonlocal handed
            handed += 1
            return order(what, core)

        monkeypatch.setattr(found, "_order", counted)

        assert FAR_NS / 2 == found.gather(10)
        assert handed > 10

        started = time.monotonic()
        assert FAR_NS * 2 == found.gather(0.15)
        assert time.monotonic() - started >= 0.15


@several
@pytest.mark.heavy
@pytest.mark.alone
@pytest.mark.parametrize("place", [0, 1])
def test_a_core_that_may_not_be_used_any_more_is_no_reason_to_fail(place: int) -> None:
    with closing(Cores()) as found:
        pair = list(found._pairs[0])
        pair[place] = 60_000
        found._pairs = [(pair[0], pair[1])]

        assert (None, None) == (found.core_latency_ns(), found.gather(0.1))
