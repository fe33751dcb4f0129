"""Real processes that push at once, are killed while they push, or end in the middle of a transfer."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from ovmake.engine.remote import Fetched, Missed
from ovmake.graph.digest import of_bytes
from ovmake.remote.cache import SharedCache
from ovmake.remote.layout import blob_path, nearest_path, result_path
from ovmake.remote.objects import Objects, open_objects
from ovmake.remote.results import from_bytes, outputs_of
from tests.remote.conftest import s3_team
from tests.remote.pusher import blobs
from tests.remote.results import PUBLIC, Fetches, Team, made, seen, wanted
from tests.remote.servers import S3, WebServer, proxy, slowly, stalled

ROOT = Path(__file__).parent.parent.parent
TEXTS = [f"model{number}" for number in range(8)]
PATIENCE_S = 60


def start(what: str, team: Team, folder: Path, **more: object) -> subprocess.Popen[bytes]:
    given = {"url": team.url, "endpoint": team.endpoint, "folder": str(folder), "texts": TEXTS, **more}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.remote.pusher", what, json.dumps(given)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert b"begun\n" == process.stdout.readline(), process.communicate()
    return process


def results_there(objects: Objects, paths: list[str]) -> int:
    """Check each result that is there: all of its blobs are, with the right bytes. Return how many results."""
    count = 0
    for path in paths:
        data = objects.get(path, 1_000_000)
        if data is None:
            continue
        count += 1
        for digest in outputs_of(from_bytes(data, (PUBLIC,))).values():
            blob = objects.get(blob_path(digest), 100_000_000)
            assert blob is not None, "a result without its blob"
            assert digest == of_bytes(blob)
    return count


@pytest.mark.heavy
@pytest.mark.parametrize("size_bytes", [300_000, 6_000_000])
def test_a_push_that_is_killed_leaves_no_result_without_its_blobs(team: Team, tmp_path: Path, size_bytes: int) -> None:
    chance = random.Random(17)  # noqa: S311 - moments of a test
    counts = []
    window_s = 0.0
    for attempt in range(8):
        mine = replace(team, url=f"{team.url}{attempt}")
        with start("push", mine, tmp_path / f"made{attempt}", size_bytes=size_bytes) as process:
            begun = time.monotonic()
            if attempt:
                time.sleep(window_s * chance.random() * (attempt - 1) / 7)
                process.kill()
            else:
                assert process.stdout is not None
                process.stdout.readline()
                window_s = time.monotonic() - begun

        objects = open_objects(mine.pusher())
        paths = [path(of) for of in TEXTS for path in (lambda of: result_path(seen(of).digest), nearest_of)]
        counts.append(results_there(objects, paths))
        objects.close()

    assert 2 * len(TEXTS) == counts[0]
    assert any(count < 2 * len(TEXTS) for count in counts), f"all kills came too late: {counts}"


def nearest_of(text: str) -> str:
    return nearest_path(f"convert {text}")


@pytest.mark.heavy
def test_two_pushers_at_once_leave_whole_results(team: Team, tmp_path: Path) -> None:
    both = [start("push", team, tmp_path / name, size_bytes=6_000_000) for name in ("one", "two")]
    said = [json.loads(process.communicate(timeout=PATIENCE_S)[0]) for process in both]

    assert [[len(TEXTS), {}, ""]] * 2 == said
    reader = SharedCache(team.reader())
    found = Fetches(reader, [wanted(tmp_path / f"got{text}", text, "own", "shared") for text in TEXTS]).wait()
    assert all(isinstance(one, Fetched) for one in found.values())
    for text in TEXTS:
        got = {role: (tmp_path / f"got{text}" / role).read_bytes() for role in ("own", "shared")}
        assert got == blobs(text, 6_000_000)
    reader.close()


@pytest.mark.parametrize("ending", ["close", "no close"])
@pytest.mark.parametrize("wait_s", [0.0, 0.3])
def test_a_process_that_ends_in_the_middle_of_transfers_ends_at_once(
    web: WebServer, tmp_path: Path, wait_s: float, ending: str
) -> None:
    with proxy(web.url) as between:
        team = Team(f"{between.url}/team", trusted=(PUBLIC,))
        push = start("push", team, tmp_path / "made", size_bytes=1_000_000)
        assert [len(TEXTS), {}, ""] == json.loads(push.communicate(timeout=PATIENCE_S)[0])
        between.harm("GET .*/cas/", slowly(500_000))
        between.harm("PUT", stalled(20))

        process = start("fetch", team, tmp_path / "got", wait_s=wait_s, close=ending == "close")
        began = time.monotonic()
        _, stderr = process.communicate(timeout=PATIENCE_S)

    assert (0, b"") == (process.returncode, stderr)
    assert time.monotonic() - began < 5 + wait_s


@pytest.mark.heavy
def test_wrong_credentials_are_off_at_once(s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for key, secret in (("ak", "wrong"), ("nobody", "sk")):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
        cache = SharedCache(s3_team(s3.endpoint).reader())

        Fetches(cache, [wanted(tmp_path / str(number), str(number), "xml") for number in range(20)]).wait()

        assert "access is denied (403)" == cache.traffic().off
        cache.close()


@pytest.mark.heavy
@pytest.mark.usefixtures("admin")
def test_who_may_read_and_not_write_restores_and_says_why_nothing_is_uploaded(
    s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    team = s3_team(s3.endpoint)
    push(team, tmp_path / "made", "a")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "rk")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "rs")
    cache = SharedCache(team.pusher())

    for number in range(10):
        cache.push(made(tmp_path / str(number), str(number), {"xml": b"%d" % number}))
    traffic = cache.settle()

    assert "uploads: access is denied (403)" == traffic.off
    assert {"not uploaded: access is denied (403)"} == set(traffic.errors)
    assert isinstance(Fetches(cache, [wanted(tmp_path / "got", "a", "xml")]).wait()[seen("a").digest], Fetched)
    cache.close()


@pytest.mark.heavy
@pytest.mark.usefixtures("admin")
def test_a_bucket_that_is_not_there_is_off_at_once(s3: S3, tmp_path: Path) -> None:
    team = replace(s3_team(s3.endpoint), url="s3://no-such-bucket/x")
    cache = SharedCache(team.reader())

    found = Fetches(cache, [wanted(tmp_path, "a", "xml")]).wait()[seen("a").digest]

    assert isinstance(found, Missed)
    assert "there is no such bucket" == found.why == cache.traffic().off
    cache.close()


@pytest.mark.heavy
@pytest.mark.usefixtures("admin")
def test_a_bucket_that_is_full_takes_no_more_and_is_still_read(s3: S3, tmp_path: Path) -> None:
    team = replace(s3_team(s3.endpoint), url="s3://small/x")
    push(team, tmp_path / "made", "a", size_bytes=3_000_000)
    s3.shell("s3.bucket.quota -name small -op set -sizeMB 1")
    cache = SharedCache(team.pusher())

    # The master hears of sizes every few seconds, and the filer of what is full.
    until = time.monotonic() + PATIENCE_S
    while not cache.traffic().errors and time.monotonic() < until:
        s3.shell("s3.bucket.quota.enforce -apply")
        number = str(time.monotonic())
        cache.push(made(tmp_path / number, number, {"xml": number.encode()}))
        cache.settle()

    assert [True] == [why.startswith("not uploaded: ") for why in cache.traffic().errors]
    assert isinstance(Fetches(cache, [wanted(tmp_path / "got", "a", "xml")]).wait()[seen("a").digest], Fetched)
    cache.close()


def push(team: Team, folder: Path, text: str, size_bytes: int = 1000) -> None:
    cache = SharedCache(team.pusher())
    cache.push(made(folder, text, {"xml": bytes(size_bytes)}))
    assert 1 == cache.settle().uploaded
    cache.close()
