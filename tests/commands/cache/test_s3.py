"""The commands of `ovmake cache` on a real S3 server, SeaweedFS."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands.cache.teams import Member, clone
from tests.real import environment
from tests.remote.results import PUBLIC, SIGNER
from tests.remote.servers import S3, Asked, proxy, status

pytestmark = pytest.mark.heavy

SIGNING = {"OVMAKE_CACHE_SIGNING_KEY": base64.b64encode(SIGNER).decode()}
READER = {"AWS_ACCESS_KEY_ID": "rk", "AWS_SECRET_ACCESS_KEY": "rs"}
WRONG = {"AWS_ACCESS_KEY_ID": "ak", "AWS_SECRET_ACCESS_KEY": "not this"}


@pytest.fixture
def team(built: Path, tmp_path: Path, s3: S3, bucket: str) -> Member:
    """Somebody who has built all; the team signs."""
    member = clone(built, tmp_path / "repo")
    member.configure(bucket, endpoint=s3.endpoint, keys=(PUBLIC,))
    member.trust()
    return member


def test_a_team_from_push_to_gc(team: Member, built: Path, tmp_path: Path, s3: S3, bucket: str) -> None:
    assert team.run("push", **SIGNING).stdout.startswith("uploaded 18 results, ")
    assert "the remote already had 18 results" in team.run("push", **SIGNING).stdout

    cold = clone(built, tmp_path / "cold", cold=True)
    cold.configure(bucket, endpoint=s3.endpoint, keys=(PUBLIC,))
    cold.trust()
    rows = cold.run("ls", "--json", **READER).objects
    assert [5, 6, 5, 6] == [row["results"] for row in rows[:4]]
    assert {"results": 36, "blobs": 30} == {name: rows[4]["totals"][name] for name in ("results", "blobs")}
    for words in (("verify",), ("verify", "--all")):
        done = cold.run(*words, **READER)
        assert (0, True) == (done.status, "all whole" in done.stdout), done

    (cold.root / "models/b.pb").write_text("another")
    assert cold.run("gc", "--max-size", "0", **READER).stdout.startswith("nothing to drop\n")  # all of it is young
    (found,) = cold.run("gc", "--max-size", "0", "--grace", "0h", "--json").objects
    assert found["too_large"]
    assert [5, 6, 0, 0] == [row["results"] for row in cold.run("ls", "--json").objects[:4]]
    assert "all whole" in cold.run("verify", "--all").stdout
    assert 0 == team.run("push", **SIGNING).status
    assert [5, 6, 5, 6] == [row["results"] for row in team.run("ls", "--json").objects[:4]]


@pytest.mark.parametrize("command", ["ls", "verify", "push", "gc"])
def test_wrong_credentials_are_an_error_that_names_them(team: Member, command: str) -> None:
    done = team.run(command, **SIGNING, **WRONG)

    assert (1, "") == (done.status, done.stdout)
    assert "access is denied (403)" in done.stderr
    assert "help: check the credentials in the environment" in done.stderr
    assert "not this" not in done.stderr


def test_who_may_only_read_pushes_and_drops_nothing(team: Member) -> None:
    pushed = team.run("push", **SIGNING, **READER)
    assert (1, True) == (pushed.status, "access is denied (403)" in pushed.stderr)

    assert 0 == team.run("push", **SIGNING).status
    (team.root / "models/a.pb").write_text("another")
    dropped = team.run("gc", "--max-size", "0", "--grace", "0h", **READER)

    assert (1, True) == (dropped.status, dropped.stderr.startswith("error[remote-failed]: "))
    assert "all whole" in team.run("verify", "--all").stdout


def test_a_bucket_that_is_missing_is_an_error(team: Member, s3: S3) -> None:
    team.configure("s3://missing/models", endpoint=s3.endpoint)
    team.trust()

    done = team.run("ls")

    assert (1, "") == (done.status, done.stdout)
    assert "there is no such bucket" in done.stderr


def test_a_server_that_answers_500_is_an_error(team: Member, s3: S3, bucket: str) -> None:
    assert 0 == team.run("push", **SIGNING).status
    with proxy(s3.endpoint) as between:
        between.harm("GET .*", status(500))
        team.configure(bucket, endpoint=between.url, keys=(PUBLIC,))
        team.trust()
        for command in ("ls", "verify", "gc"):
            done = team.run(command)
            assert (1, "") == (done.status, done.stdout)
            assert done.stderr.startswith("error[remote-failed]: ")


def test_one_object_that_cannot_be_read_is_told_and_the_rest_is_checked(team: Member, s3: S3, bucket: str) -> None:
    assert 0 == team.run("push", **SIGNING).status
    with proxy(s3.endpoint) as between:
        between.harm("GET .*/cas/0", status(500))
        team.configure(bucket, endpoint=between.url, keys=(PUBLIC,))
        team.trust()
        done = team.run("verify")

    assert 1 == done.status
    assert "it cannot be read: the server answers 500" in done.stdout


def test_two_that_push_at_once_leave_all_of_it_whole(team: Member) -> None:
    both = [
        subprocess.Popen(
            [sys.executable, "-m", "ovmake", "cache", "push"], cwd=team.root, env={**environment(), **SIGNING}
        )
        for _ in range(2)
    ]

    assert [0, 0] == [process.wait(timeout=120) for process in both]
    assert "checked 18 results and 30 blobs" in (done := team.run("verify", "--all")).stdout
    assert 0 == done.status


def test_gc_beside_a_push_leaves_all_of_it_whole(team: Member) -> None:
    assert 0 == team.run("push", **SIGNING).status
    (team.root / "models").rename(team.root / "elsewhere")  # nothing is needed here
    gc = [sys.executable, "-m", "ovmake", "cache", "gc", "--max-size", "0", "--grace", "0h"]
    dropping = subprocess.Popen(gc, cwd=team.root, env=environment())
    (team.root / "elsewhere").rename(team.root / "models")

    pushed = team.run("push", **SIGNING)

    assert (0, 0) == (dropping.wait(timeout=120), pushed.status)
    assert 0 == team.run("verify", "--all").status


def killed_at(team: Member, s3: S3, bucket: str, pattern: str, number: int, *words: str) -> bool:
    """Run a command behind a proxy that kills it with the so many-th request of a kind; whether it came that far."""
    asked: list[str] = []
    running: list[subprocess.Popen[bytes]] = []

    def kill(request: Asked) -> None:
        asked.append(request.path)
        if len(asked) == number:
            running[0].kill()
            running[0].wait()
        request.send(*request.pass_on())

    with proxy(s3.endpoint) as between:
        between.harm(pattern, kill)
        team.configure(bucket, endpoint=between.url, keys=(PUBLIC,))
        team.trust()
        command = [sys.executable, "-m", "ovmake", "cache", *words]
        running.append(subprocess.Popen(command, cwd=team.root, env={**environment(), **SIGNING}))
        running[0].wait(timeout=120)
    team.configure(bucket, endpoint=s3.endpoint, keys=(PUBLIC,))
    team.trust()
    return len(asked) >= number


@pytest.mark.parametrize("number", [1, 5, 20, 40])
def test_a_push_that_is_killed_leaves_no_broken_result(team: Member, s3: S3, bucket: str, number: int) -> None:
    assert killed_at(team, s3, bucket, "PUT .*", number, "push")

    assert 0 == team.run("verify", "--all").status
    assert 0 == team.run("push", **SIGNING).status
    assert [5, 6, 5, 6] == [row["results"] for row in team.run("ls", "--json").objects[:4]]


@pytest.mark.parametrize("number", [1, 3, 12])
def test_a_gc_that_is_killed_leaves_no_broken_result(team: Member, s3: S3, bucket: str, number: int) -> None:
    assert 0 == team.run("push", **SIGNING).status
    for name in "ab":
        (team.root / f"models/{name}.pb").write_text("another")  # nothing is needed here
    gc = ("gc", "--max-size", "0", "--grace", "0h")

    assert killed_at(team, s3, bucket, "(DELETE|POST) .*", number, *gc)

    assert 0 == team.run("verify", "--all").status
    assert 0 == team.run(*gc).status
    assert {"results": 0, "blobs": 0, "bytes": 0} == team.run("ls", "--json").objects[-1]["totals"]
