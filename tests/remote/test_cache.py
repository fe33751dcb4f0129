"""What one person's machine pushes, a colleague's restores: the same bytes, from every kind of remote."""

from __future__ import annotations

import os
from pathlib import Path

from ovmake.engine.job import Progress
from ovmake.engine.remote import Fetched, Missed, Traffic
from ovmake.graph.digest import of_bytes
from ovmake.remote.cache import SharedCache
from ovmake.remote.layout import blob_path, nearest_path, result_path
from ovmake.remote.objects import open_objects
from ovmake.remote.results import seen_of
from tests.remote.results import Fetches, Team, fetched, made, seen, wanted

BIG = os.urandom(12_000_000)  # three parts
FILES = {"xml": b"<net/>", "bin": BIG, "nothing": b""}


def test_a_colleague_gets_the_very_same_bytes(team: Team, tmp_path: Path) -> None:
    with_push = SharedCache(team.pusher())
    with_push.push(made(tmp_path / "made", "a", FILES))
    pushed = with_push.settle()
    with_push.close()

    reader = SharedCache(team.reader())
    found = fetched(reader, wanted(tmp_path / "got", "a", *FILES))
    reader.close()

    assert isinstance(found, Fetched), found
    assert {role: Path(path).read_bytes() for role, path in found.files.items()} == FILES
    assert found.outputs == {role: of_bytes(data) for role, data in FILES.items()}
    assert {"drop": 0.004, "layers": ("a", ("b", 3)), "ok": True} == found.facts
    assert (12.5, 123_456_789) == (found.seconds, found.peak_bytes)
    size = sum(map(len, FILES.values()))
    assert (1, size, {}, {}, "") == (
        pushed.uploaded,
        pushed.uploaded_bytes,
        pushed.errors,
        pushed.refused,
        pushed.off,
    )
    assert (1, size, 0) == (reader.traffic().restored, reader.traffic().restored_bytes, reader.traffic().misses)


def test_what_is_not_there_is_a_miss_without_a_reason(team: Team, tmp_path: Path) -> None:
    push_nothing(team)
    reader = SharedCache(team.reader())

    found = fetched(reader, wanted(tmp_path, "a", "xml"))

    assert Missed(key=seen("a").digest) == found
    assert (1, {}, "") == (reader.traffic().misses, reader.traffic().errors, reader.traffic().off)
    assert not (tmp_path / "xml").exists()
    reader.close()


def test_a_damaged_blob_is_replaced_by_whoever_met_it(team: Team, tmp_path: Path) -> None:
    push(team, tmp_path / "made", "a", {"xml": b"right", "bin": b"y" * 1000})
    objects = open_objects(team.pusher())
    objects.put(blob_path(of_bytes(b"right")), b"wrong")  # of the same size
    cache = SharedCache(team.pusher())

    missed = fetched(cache, wanted(tmp_path / "got", "a", "xml", "bin"))
    cache.push(made(tmp_path / "again", "a", {"xml": b"right", "bin": b"y" * 1000}))
    cache.settle()
    found = fetched(cache, wanted(tmp_path / "now", "a", "xml", "bin"))
    cache.close()
    objects.close()

    assert isinstance(missed, Missed)
    assert isinstance(found, Fetched), found


def test_a_blob_that_the_local_store_holds_is_not_downloaded(team: Team, tmp_path: Path) -> None:
    push(team, tmp_path / "made", "a", {"xml": b"x", "bin": b"y" * 1000})
    reader = SharedCache(team.reader())

    one = wanted(tmp_path / "got", "a", "xml", "bin", holds=lambda digest: digest == of_bytes(b"x"))
    found = fetched(reader, one)

    assert isinstance(found, Fetched)
    assert {"bin"} == set(found.files)
    assert {"xml", "bin"} == set(found.outputs)
    assert 1000 == reader.traffic().restored_bytes
    reader.close()


def test_a_disk_that_takes_nothing_is_not_blamed_on_the_remote(team: Team, tmp_path: Path) -> None:
    push(team, tmp_path / "made", "a", {"xml": b"x"})
    reader = SharedCache(team.reader())
    (tmp_path / "got" / "xml").mkdir(parents=True)

    found = fetched(reader, wanted(tmp_path / "got", "a", "xml"))
    said = reader.blob(of_bytes(b"x"), str(tmp_path / "got" / "xml"))

    why = "not written here: Is a directory"
    assert (why, {why: 1}, "") == (said, reader.traffic().errors, reader.traffic().off)
    assert isinstance(found, Missed)
    assert why == found.why
    reader.close()


def test_a_second_push_sends_no_blob_again(team: Team, tmp_path: Path) -> None:
    push(team, tmp_path / "one", "a", {"bin": b"y" * 1000})

    cache = SharedCache(team.pusher())
    cache.push(made(tmp_path / "two", "b", {"bin": b"y" * 1000}))
    traffic = cache.settle()
    cache.close()

    assert (1, 0) == (traffic.uploaded, traffic.uploaded_bytes)
    assert isinstance(fetched(SharedCache(team.reader()), wanted(tmp_path / "got", "b", "bin")), Fetched)


def test_without_push_nothing_is_written(team: Team, tmp_path: Path) -> None:
    push_nothing(team)
    cache = SharedCache(team.pusher(push=False))

    cache.push(made(tmp_path / "made", "a", {"xml": b"x"}))

    assert Traffic() == cache.settle()
    cache.close()
    objects = open_objects(team.pusher())
    assert objects.exists(result_path(seen("a").digest)) is None
    objects.close()


def test_the_nearest_result_is_the_last_of_that_name(team: Team, tmp_path: Path) -> None:
    push(team, tmp_path / "one", "a", {"xml": b"1"})
    push(team, tmp_path / "two", "b", {"xml": b"2"})
    reader = SharedCache(team.reader())

    found = reader.nearest("convert digits")

    assert found is not None
    assert seen("b").digest == found.key
    assert seen("b") == seen_of(found)
    assert reader.nearest("convert faces") is None
    reader.close()


def test_many_results_come_at_once(team: Team, tmp_path: Path) -> None:
    cache = SharedCache(team.pusher())
    for number in range(40):
        cache.push(made(tmp_path / f"made{number}", str(number), {"xml": b"%d" % number, "bin": os.urandom(3000)}))
    assert 40 == cache.settle().uploaded
    cache.close()
    reader = SharedCache(team.reader())

    found = Fetches(reader, [wanted(tmp_path / f"got{number}", str(number), "xml", "bin") for number in range(40)])

    assert all(isinstance(one, Fetched) for one in found.wait().values())
    assert b"17" == (tmp_path / "got17/xml").read_bytes()
    reader.close()


def test_progress_is_told_in_megabytes(team: Team, tmp_path: Path) -> None:
    told: list[Progress] = []
    cache = SharedCache(team.pusher())
    cache.push(made(tmp_path / "made", "a", {"bin": BIG}))
    cache.settle(told.append)
    cache.close()
    sent = list(told)
    told.clear()
    reader = SharedCache(team.reader())

    fetched(reader, wanted(tmp_path / "got", "a", "bin", tell=told.append))

    assert Progress(done=12, of=12, unit="MB") == told[-1]
    assert sorted(one.done for one in told) == [one.done for one in told]
    assert all((one.of, one.unit) == (12, "MB") for one in sent)
    reader.close()


def test_objects_are_listed_and_deleted(team: Team, tmp_path: Path) -> None:
    push(team, tmp_path / "made", "a", {"xml": b"x"})
    if team.url.startswith("http"):  # this server cannot list
        return
    objects = open_objects(team.pusher())

    results = {one.path for one in objects.list("ac")}
    blobs = list(objects.list("cas"))

    assert {result_path(seen("a").digest), nearest_path("convert digits")} == results
    assert [(blob_path(of_bytes(b"x")), 1)] == [(one.path, one.size_bytes) for one in blobs]
    objects.delete(blobs[0].path)
    objects.delete(blobs[0].path)
    assert [] == list(objects.list("cas"))
    objects.close()


def push(team: Team, folder: Path, text: str, files: dict[str, bytes]) -> None:
    """Push a result and wait for it."""
    cache = SharedCache(team.pusher())
    cache.push(made(folder, text, files))
    traffic = cache.settle()
    cache.close()
    assert (1, {}) == (traffic.uploaded, traffic.errors)


def push_nothing(team: Team) -> None:
    """Make the folder or bucket, as a first push does."""
    objects = open_objects(team.pusher())
    objects.put("ac/0", b"")
    objects.close()
