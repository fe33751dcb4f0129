"""Laws of what `ovmake cache gc` drops, on remotes of all kinds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ovmake.commands.cache.plan import DropPlan, Entry, Found, Limits, Stored, plan

NOW_S = 1_000_000.0
BLOBS = tuple(f"cas/{number}" for number in range(6))
SIZES = st.integers(min_value=0, max_value=50)
TIMES = st.integers(min_value=0, max_value=int(NOW_S)).map(float)


@st.composite
def remotes(draw: st.DrawFn) -> Found:
    """Return a remote: results that need some blobs, of which some are missing or of another size."""
    blobs = {
        path: Stored(path=path, size_bytes=draw(SIZES), modified_s=draw(TIMES))
        for path in draw(st.sets(st.sampled_from(BLOBS)))
    }
    entries = tuple(
        Entry(
            stored=Stored(path=f"ac/{number}", size_bytes=draw(SIZES), modified_s=draw(TIMES)),
            key=str(number),
            blobs={
                path: draw(st.just(blobs[path].size_bytes) | SIZES | st.none()) if path in blobs else draw(SIZES)
                for path in draw(st.sets(st.sampled_from(BLOBS), max_size=3))
            },
            damaged=draw(st.booleans()),
        )
        for number in range(draw(st.integers(min_value=0, max_value=5)))
    )
    needed = frozenset(draw(st.sets(st.sampled_from("01234"))))
    return Found(entries=entries, blobs=blobs, needed=needed, now_s=NOW_S)


limits = st.builds(
    Limits,
    age_s=st.none() | TIMES,
    size_bytes=st.none() | st.integers(min_value=0, max_value=300),
    grace_s=TIMES,
)


def kept(found: Found, planned: DropPlan) -> list[Entry]:
    dropped = {entry.stored.path for entries in planned.results.values() for entry in entries}
    return [entry for entry in found.entries if entry.stored.path not in dropped]


def whole(found: Found, entry: Entry) -> bool:
    return not entry.damaged and all(
        size is None or (path in found.blobs and found.blobs[path].size_bytes == size)
        for path, size in entry.blobs.items()
    )


@given(found=remotes(), limits=limits)
def test_no_kept_result_loses_a_blob(found: Found, limits: Limits) -> None:
    planned = plan(found, limits)

    needed = {path for entry in kept(found, planned) for path in entry.blobs}
    assert needed.isdisjoint({one.path for one in planned.blobs})


@given(found=remotes(), limits=limits)
def test_what_is_young_or_needed_and_whole_stays(found: Found, limits: Limits) -> None:
    planned = plan(found, limits)

    stays = {entry.stored.path for entry in kept(found, planned)}
    for entry in found.entries:
        young = entry.stored.modified_s > NOW_S - limits.grace_s
        if young or (entry.key in found.needed and whole(found, entry)):
            assert entry.stored.path in stays
    assert all(one.modified_s <= NOW_S - limits.grace_s for one in planned.blobs)


@given(found=remotes(), limits=limits)
def test_every_limit_is_reached_or_said_to_be_missed(found: Found, limits: Limits) -> None:
    planned = plan(found, limits)

    left = kept(found, planned)
    gone = {one.path for one in planned.blobs}
    blobs = [one for path, one in found.blobs.items() if path not in gone]
    size = sum(one.size_bytes for one in blobs) + sum(entry.stored.size_bytes for entry in left)
    assert (len(left), len(blobs), size) == (planned.kept_results, planned.kept_blobs, planned.kept_bytes)
    assert planned.too_large == (limits.size_bytes is not None and size > limits.size_bytes)
    grace_s = NOW_S - limits.grace_s
    free = [entry for entry in left if entry.key not in found.needed and entry.stored.modified_s <= grace_s]
    if planned.too_large:
        assert not free
    if limits.age_s is not None:
        assert all(entry.stored.modified_s >= NOW_S - limits.age_s for entry in free)


@given(found=remotes(), limits=limits)
def test_older_results_go_first(found: Found, limits: Limits) -> None:
    planned = plan(found, limits)

    dropped = [entry.stored.modified_s for entry in planned.results["large"]]
    left = [entry.stored.modified_s for entry in kept(found, planned) if entry.key not in found.needed]
    assert not dropped or not left or max(dropped) <= min(left)


@given(found=remotes())
def test_without_limits_only_the_useless_goes(found: Found) -> None:
    planned = plan(found, Limits(grace_s=0))

    stays = kept(found, planned)
    assert [entry for entry in found.entries if whole(found, entry)] == stays
    needed = {path for entry in stays for path in entry.blobs}
    assert {one.path for one in planned.blobs} == found.blobs.keys() - needed
