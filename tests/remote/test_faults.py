"""A missing, slow, full or lying server costs time, and never a result: each fault with real bytes on real sockets."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ovmake.engine.remote import Fetched, Missed
from ovmake.graph.digest import of_bytes
from ovmake.remote.cache import SharedCache
from ovmake.remote.layout import blob_path, result_path
from ovmake.remote.objects import open_objects
from tests.remote.results import Fetches, Team, fetched, made, seen, wanted
from tests.remote.servers import (
    Harm,
    Proxy,
    changed,
    cut,
    dropped,
    first,
    flipped,
    free_ports,
    slowly,
    stalled,
    status,
)

SMALL = {"xml": b"<net/>" * 100, "bin": os.urandom(20_000)}
BIG = {"bin": os.urandom(3_000_000)}
MISMATCH = "a blob does not match its digest"
# Ten times what is needed where a deadline is 1 s.
SOON_S = 15.0

Harmed = tuple[Team, Proxy]


def push(team: Team, folder: Path, text: str, files: dict[str, bytes]) -> None:
    cache = SharedCache(team.pusher(timeout_s=10.0))
    cache.push(made(folder, text, files))
    traffic = cache.settle()
    cache.close()
    assert (1, {}) == (traffic.uploaded, traffic.errors)


def missed(team: Team, folder: Path, text: str, *roles: str) -> tuple[Missed, SharedCache]:
    """Fetch what must be a miss: soon, and without a file."""
    cache = SharedCache(team.reader())
    began = time.monotonic()
    found = fetched(cache, wanted(folder, text, *roles))
    assert time.monotonic() - began < SOON_S
    assert isinstance(found, Missed), found
    assert [] == list(folder.iterdir())
    cache.close()
    return found, cache


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (cut(10), "the connection failed"),
        (dropped, "the connection failed"),
        (stalled(5), "the server is too slow"),
        (status(500), "the server answers 500"),
        (status(503), "the server answers 503"),
        (status(403), "access is denied (403)"),
        (status(429), "the server answers 429"),
        (status(418), "the server answers 418"),
        (changed(lambda _: b""), "damaged, or of another version of ovmake"),
        (changed(lambda body: body[: len(body) // 2]), "damaged, or of another version of ovmake"),
        (changed(lambda _: b"[" * 500_000), "damaged, or of another version of ovmake"),
        (changed(lambda body: body + b" " * 1_000_000), "an object has more than 1,000,000 bytes"),
        (changed(lambda body: body.replace(b'"payload": "e', b'"payload": "f')), "its signature is wrong"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_result_that_does_not_come_whole_is_a_miss(harmed: Harmed, tmp_path: Path, harm: Harm, words: str) -> None:
    team, proxy = harmed
    push(team, tmp_path / "made", "a", SMALL)
    proxy.harm("GET .*/ac/", harm)

    found, cache = missed(team, tmp_path / "got", "a", "xml", "bin")

    assert words == found.why
    traffic = cache.traffic()
    assert {words: 1} == {**traffic.refused, **traffic.errors}
    assert (0, 0) == (traffic.misses, traffic.restored)


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (cut(10), "the connection failed"),
        (dropped, "the connection failed"),
        (stalled(5), "the server is too slow"),
        (slowly(1000), "the server is too slow"),
        (status(500), "the server answers 500"),
        (status(403), "access is denied (403)"),
        (changed(flipped), MISMATCH),
        (changed(lambda body: body[:-1]), MISMATCH),
        (changed(lambda body: body + b"x"), MISMATCH),
        (changed(lambda body: body * 20), MISMATCH),
        (changed(lambda _: b""), MISMATCH),
        (changed(lambda body: bytes(len(body))), MISMATCH),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("files", [BIG, {"bin": SMALL["bin"]}], ids=["large", "small"])
def test_a_blob_that_does_not_come_whole_is_a_miss(
    harmed: Harmed, tmp_path: Path, files: dict[str, bytes], harm: Harm, words: str
) -> None:
    team, proxy = harmed
    push(team, tmp_path / "made", "a", files)
    proxy.harm("GET .*/cas/", harm)

    found, cache = missed(team, tmp_path / "got", "a", "bin")

    assert words == found.why
    assert {words: 1} == {**cache.traffic().refused, **cache.traffic().errors}


@pytest.mark.parametrize("harm", [cut(500_000), slowly(5000, least=1_000_000)], ids=["cut", "slow"])
def test_a_blob_that_ends_again_and_again_is_a_miss(harmed: Harmed, tmp_path: Path, harm: Harm) -> None:
    team, proxy = harmed
    push(team, tmp_path / "made", "a", BIG)
    proxy.harm("GET .*/cas/", harm)

    found, _ = missed(team, tmp_path / "got", "a", "bin")

    assert found.why in {"the connection failed", "the server is too slow"}


def test_a_stream_that_ends_soon_after_its_start_does_not_hang(harmed: Harmed, tmp_path: Path) -> None:
    team, proxy = harmed
    push(team, tmp_path / "made", "a", BIG)
    proxy.harm("GET .*/cas/", changed(lambda body: body[:200_000]))

    found, _ = missed(team, tmp_path / "got", "a", "bin")

    assert MISMATCH == found.why


def test_swapped_blobs_are_not_believed(harmed: Harmed, tmp_path: Path) -> None:
    team, proxy = harmed
    one, two = os.urandom(5000), os.urandom(5000)
    push(team, tmp_path / "made", "a", {"one": one, "two": two})
    proxy.harm(of_bytes(one).sha256, changed(lambda _: two))
    proxy.harm(of_bytes(two).sha256, changed(lambda _: one))

    found, _ = missed(team, tmp_path / "got", "a", "one", "two")

    assert MISMATCH == found.why


def test_an_old_result_under_a_new_key_is_not_believed(harmed: Harmed, tmp_path: Path) -> None:
    team, proxy = harmed
    push(team, tmp_path / "one", "old", SMALL)
    push(team, tmp_path / "two", "new", {"xml": b"new", "bin": b"new"})
    objects = open_objects(team.reader())
    old = objects.get(result_path(seen("old").digest), 1_000_000)
    objects.close()
    assert old is not None
    proxy.harm(f"GET .*/{result_path(seen('new').digest)}", changed(lambda _: old))

    found, _ = missed(team, tmp_path / "got", "new", "xml", "bin")

    assert "the result of another action" == found.why


def test_a_blob_that_is_gone_when_it_is_asked_for_is_a_miss(harmed: Harmed, tmp_path: Path) -> None:
    team, proxy = harmed
    push(team, tmp_path / "made", "a", SMALL)
    objects = open_objects(team.reader())
    proxy.harm("GET .*/ac/", first(lambda: objects.delete(blob_path(of_bytes(SMALL["bin"])))))

    found, cache = missed(team, tmp_path / "got", "a", "xml", "bin")
    objects.close()

    assert "a blob of the result is missing" == found.why
    assert (1, {}, {}) == (cache.traffic().misses, cache.traffic().errors, cache.traffic().refused)


def test_a_blob_that_goes_after_it_was_found_there_leaves_a_result_that_is_a_miss(
    harmed: Harmed, tmp_path: Path
) -> None:
    team, proxy = harmed
    push(team, tmp_path / "one", "a", SMALL)
    objects = open_objects(team.reader())
    proxy.harm(
        f"HEAD .*/{blob_path(of_bytes(SMALL['bin']))}", first(lambda: objects.delete(blob_path(of_bytes(SMALL["bin"]))))
    )
    push(team, tmp_path / "two", "b", SMALL)
    objects.close()

    found, _ = missed(team, tmp_path / "got", "b", "xml", "bin")
    assert "a blob of the result is missing" == found.why

    proxy.harms.clear()
    push(team, tmp_path / "three", "b", SMALL)
    cache = SharedCache(team.reader())
    assert isinstance(fetched(cache, wanted(tmp_path / "got", "b", "xml", "bin")), Fetched)
    cache.close()


def test_a_failure_that_passes_is_tried_once_more(harmed: Harmed, tmp_path: Path) -> None:
    team, proxy = harmed
    push(team, tmp_path / "made", "a", SMALL)
    proxy.harm("GET .*/ac/", status(503), times=1)
    proxy.harm("GET .*/cas/", dropped, times=1)
    cache = SharedCache(team.reader())

    assert isinstance(fetched(cache, wanted(tmp_path / "got", "a", "xml", "bin")), Fetched)
    assert {} == cache.traffic().errors
    cache.close()


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (stalled(5), "the server is too slow"),
        (status(500), "the server answers 500"),
        (status(403), "access is denied (403)"),
        (dropped, "the connection failed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_after_three_failures_in_a_row_the_server_is_left_alone(
    harmed: Harmed, tmp_path: Path, harm: Harm, words: str
) -> None:
    team, proxy = harmed
    proxy.harm("GET .*/ac/", harm)
    cache = SharedCache(team.reader())
    began = time.monotonic()

    found = Fetches(cache, [wanted(tmp_path, str(number), "xml") for number in range(100)]).wait()

    assert time.monotonic() - began < SOON_S
    assert {words} == {one.why for one in found.values() if isinstance(one, Missed)}
    assert 100 == len(found)
    traffic = cache.traffic()
    assert words == traffic.off
    # At most six run at once, and each is tried twice.
    assert 3 <= traffic.errors[words] <= 8
    assert proxy.asked("GET .*/ac/") <= 16
    cache.close()


def test_a_lying_server_restores_nothing(harmed: Harmed, tmp_path: Path) -> None:
    team, proxy = harmed
    for number in range(12):
        push(team, tmp_path / f"made{number}", str(number), {"bin": b"%d" % number * 1000})
    proxy.harm("GET .*/cas/", changed(flipped))
    cache = SharedCache(team.reader())

    found = Fetches(cache, [wanted(tmp_path / "got", str(number), "bin") for number in range(12)]).wait()

    assert {MISMATCH} == {one.why for one in found.values() if isinstance(one, Missed)}
    assert (12, 0) == (len(found), cache.traffic().restored)
    assert [] == list((tmp_path / "got").iterdir())
    cache.close()


def test_nobody_listens(tmp_path: Path) -> None:
    team = Team(f"http://127.0.0.1:{free_ports(1)[0]}/team")

    found, _ = missed(team, tmp_path / "got", "a", "xml")

    assert "the connection failed" == found.why


@pytest.mark.parametrize(
    ("url", "words"),
    [("file:///nowhere/at/all", "there is no folder /nowhere/at/all"), ("s3://bucket/x", ""), ("gs://bucket", "")],
)
def test_a_remote_that_cannot_be_opened_is_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, words: str
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ak")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json")
    endpoint = f"http://127.0.0.1:{free_ports(1)[0]}" if url.startswith("s3") else ""
    cache = SharedCache(Team(url, endpoint=endpoint, timeout_s=1.0).reader())

    found = fetched(cache, wanted(tmp_path, "a", "xml"))

    assert isinstance(found, Missed)
    assert found.why
    assert words in found.why
    assert "\n" not in found.why
    cache.close()


# Uploads.


def pushed(team: Team, folder: Path, files: dict[str, bytes], count: int = 1) -> SharedCache:
    """Push results, and wait for them: soon, whatever happens."""
    cache = SharedCache(team.pusher())
    for number in range(count):
        cache.push(made(folder / str(number), f"a{number}", files))
    began = time.monotonic()
    cache.settle()
    assert time.monotonic() - began < 2 * SOON_S
    cache.close()
    return cache


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (dropped, "not uploaded: the connection failed"),
        (stalled(8), "not uploaded: the server is too slow"),
        (status(500), "not uploaded: the server answers 500"),
        (status(403), "not uploaded: access is denied (403)"),
        (status(507), "not uploaded: the remote is full"),
        (status(403, b"<Error><Code>QuotaExceeded</Code></Error>"), "not uploaded: the remote is full"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("what", ["cas", "ac"])
def test_an_upload_that_fails_leaves_no_result(
    harmed: Harmed, tmp_path: Path, what: str, harm: Harm, words: str
) -> None:
    team, proxy = harmed
    proxy.harm(f"(PUT|POST) .*/{what}/", harm)

    traffic = pushed(team, tmp_path, {"bin": b"y" * 1000}).traffic()

    assert [True] == [why.startswith(words) for why in traffic.errors], traffic
    assert 0 == traffic.uploaded
    proxy.harms.clear()
    missed(team, tmp_path / "got", "a0", "bin")


@pytest.mark.parametrize("harm", [dropped, status(500), status(507), status(403)])
def test_a_large_upload_that_fails_leaves_no_result(harmed: Harmed, tmp_path: Path, harm: Harm) -> None:
    team, proxy = harmed
    proxy.harm("(PUT|POST) .*/cas/", harm)

    traffic = pushed(team, tmp_path, {"bin": os.urandom(11_000_000)}).traffic()

    assert (0, 1) == (traffic.uploaded, sum(traffic.errors.values()))
    proxy.harms.clear()
    missed(team, tmp_path / "got", "a0", "bin")


def test_a_server_that_does_not_answer_what_it_has_gets_blobs_again(harmed: Harmed, tmp_path: Path) -> None:
    team, proxy = harmed
    push(team, tmp_path / "one", "a0", SMALL)
    proxy.harm("HEAD", status(418))

    traffic = pushed(team, tmp_path, SMALL).traffic()

    assert (1, sum(map(len, SMALL.values())), {}) == (traffic.uploaded, traffic.uploaded_bytes, traffic.errors)


def test_a_full_remote_gets_no_more_uploads_and_is_still_read(harmed: Harmed, tmp_path: Path) -> None:
    team, proxy = harmed
    push(team, tmp_path / "made", "old", SMALL)
    proxy.harm("PUT", status(507))
    cache = SharedCache(team.pusher())

    for number in range(20):
        cache.push(made(tmp_path / str(number), f"new{number}", {"bin": b"%d" % number}))
    traffic = cache.settle()

    assert "uploads: the remote is full (507)" == traffic.off
    assert proxy.asked("PUT .*/cas/") <= len(SMALL) + 2 * 3
    assert isinstance(fetched(cache, wanted(tmp_path / "got", "old", "xml", "bin")), Fetched)
    cache.close()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda path: path.unlink(), "an output cannot be read (No such file or directory)"),
        (lambda path: path.write_bytes(flipped(path.read_bytes())), "an output has changed"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), "an output has changed"),
        (lambda path: path.write_bytes(path.read_bytes() + b"x"), "an output has changed"),
    ],
    ids=["gone", "flipped", "shorter", "longer"],
)
@pytest.mark.parametrize("size", [1000, 11_000_000])
def test_a_local_file_that_is_not_the_output_stops_its_upload(
    team: Team, tmp_path: Path, change: Callable[[Path], object], words: str, size: int
) -> None:
    cache = SharedCache(team.pusher())
    one = made(tmp_path, "a", {"bin": os.urandom(size)})
    change(tmp_path / "bin")

    cache.push(one)
    traffic = cache.settle()
    cache.close()

    assert (0, {words: 1}) == (traffic.uploaded, traffic.errors)
    objects = open_objects(team.pusher())
    assert objects.exists(blob_path(one.outputs["bin"])) is None
    assert objects.exists(result_path(one.seen.digest)) is None
    objects.close()


def test_a_local_disk_that_takes_no_more_is_a_miss(team: Team, tmp_path: Path) -> None:
    push(team, tmp_path / "made", "a", BIG)
    cache = SharedCache(team.reader())
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limits[1]))
    try:
        found = fetched(cache, wanted(tmp_path / "got", "a", "bin"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    cache.close()

    assert isinstance(found, Missed)
    assert "not written here: File too large" == found.why
    assert [] == list((tmp_path / "got").iterdir())


def test_close_ends_transfers_at_once(harmed: Harmed, tmp_path: Path) -> None:
    team, proxy = harmed
    push(team, tmp_path / "made", "a", BIG)
    proxy.harm("GET .*/cas/", slowly(300_000))
    proxy.harm("PUT .*/cas/", stalled(20))
    cache = SharedCache(team.pusher(timeout_s=30.0))
    fetches = Fetches(cache, [wanted(tmp_path / "got", "a", "bin"), wanted(tmp_path / "got", "b", "bin")])
    cache.push(made(tmp_path / "new", "new", {"bin": b"new"}))
    while not (proxy.asked("GET .*/cas/") and proxy.asked("PUT .*/cas/") > 1):
        time.sleep(0.01)

    began = time.monotonic()
    cache.close()
    found = fetches.wait(1.0)
    assert time.monotonic() - began < 5

    assert "the cache was closed" == [one.why for one in found.values() if isinstance(one, Missed)][-1]
    assert "the cache was closed" in Fetches(cache, [wanted(tmp_path, "c", "bin")]).wait()[seen("c").digest].why  # type: ignore[union-attr]
