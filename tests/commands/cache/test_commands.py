"""`ovmake cache` with a folder or a web server as the remote: real processes, real bytes."""

from __future__ import annotations

import base64
import os
import pty
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ovmake.remote.signing import public_key_for
from tests.commands.cache.teams import TARGETS, Member, age, clone, objects
from tests.real import build, environment, published
from tests.remote.results import PUBLIC, SIGNER
from tests.remote.servers import WebServer, changed, flipped, proxy, stalled

SIGNING = {"OVMAKE_CACHE_SIGNING_KEY": base64.b64encode(SIGNER).decode()}


# trust


def test_trust_shows_all_and_needs_a_terminal_or_yes(built: Path, tmp_path: Path) -> None:
    member = clone(built, tmp_path / "repo")
    member.configure("s3://team/models", keys=(PUBLIC,), endpoint="https://minio.example.org", region="eu-1")
    shown = [
        f"repo      {tmp_path}/repo",
        "remote    s3://team/models",
        "endpoint  https://minio.example.org",
        "region    eu-1",
        f"keys      {PUBLIC}",
    ]

    asked, accepted, again = member.run("trust"), member.run("trust", "--yes"), member.run("trust")

    assert (1, shown) == (asked.status, asked.lines)
    assert "error[not-confirmed]" in asked.stderr
    assert (0, [*shown, "accepted"]) == (accepted.status, accepted.lines)
    assert 0 == again.status
    assert "accepted before, and nothing has changed" == again.lines[-1]


def test_trust_says_what_changed(member: Member, remote: Path) -> None:
    member.configure(f"file://{remote}", keys=(PUBLIC,))

    done = member.run("trust", "--remote")

    assert ["changed since you accepted it:", f"  key added: `{PUBLIC}`"] == done.lines[-2:]
    assert 1 == done.status


@pytest.mark.parametrize(("typed", "status"), [("y\n", 0), ("\n", 1), ("n\n", 1)])
def test_trust_asks_on_a_terminal(built: Path, tmp_path: Path, remote: Path, typed: str, status: int) -> None:
    member = clone(built, tmp_path / "repo")
    member.configure(f"file://{remote}")
    ours, theirs = pty.openpty()
    os.write(ours, typed.encode())

    done = subprocess.run(
        [sys.executable, "-m", "ovmake", "cache", "trust"],
        cwd=member.root,
        env=environment(),
        stdin=theirs,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert status == done.returncode, done.stderr
    assert "use it here, with your credentials? [y/N] " in done.stdout
    assert (0 if status == 0 else 1) == member.run("ls").status


def test_neither_vouches_for_the_other(built: Path, tmp_path: Path, remote: Path) -> None:
    member = clone(built, tmp_path / "repo")
    member.configure(f"file://{remote}")
    other = {"OVMAKE_STATE_KEY": "somebody else, elsewhere"}

    both = member.run("trust", "--yes", **other)
    assert (2, "") == (both.status, both.stdout)
    assert "error[trust-which]" in both.stderr

    state = member.run("trust", "--state", **other)
    assert state.stdout.startswith("trusted ")
    assert "error[remote-not-accepted]" in member.run("ls", **other).stderr

    assert 0 == member.run("trust", "--yes", **other).status
    assert 0 == member.run("ls", **other).status


def test_trusting_a_remote_trusts_no_state(built: Path, tmp_path: Path, remote: Path) -> None:
    member = clone(built, tmp_path / "repo")
    member.configure(f"file://{remote}")
    other = {"OVMAKE_STATE_KEY": "somebody else, elsewhere"}

    assert 0 == member.run("trust", "--remote", "--yes", **other).status

    assert "uploaded 0 results" in member.run("push", **other).stdout


def test_where_ci_names_the_remote_there_is_nothing_to_accept(member: Member) -> None:
    done = member.run("trust", "--yes", OVMAKE_CACHE_REMOTE="s3://ci")

    assert 1 == done.status
    assert "error[cache-environment]" in done.stderr


# keygen


def test_keygen_prints_a_pair_and_writes_no_file(tmp_path: Path) -> None:
    first, second = (Member(tmp_path).run("keygen") for _ in range(2))

    assert first.stdout != second.stdout
    public = first.lines[1].removeprefix('trusted-keys = ["').removesuffix('"]')
    name, _, private = first.lines[3].partition("=")
    assert ("OVMAKE_CACHE_SIGNING_KEY", public) == (name, public_key_for(base64.b64decode(private)))
    assert [] == list(tmp_path.iterdir())
    (pair,) = Member(tmp_path).run("keygen", "--json").objects
    assert pair["public_key"] == public_key_for(base64.b64decode(pair["signing_key"]))


# push, ls


def test_what_is_pushed_is_listed_and_whole(member: Member, remote: Path) -> None:
    pushed = member.run("push")

    assert (0, "") == (pushed.status, pushed.stderr)
    assert pushed.stdout.startswith("uploaded 18 results, ")
    listed = member.run("ls")
    assert [f"{name:<24} {count} of {count} results" for name, count in zip(TARGETS, (5, 6, 5, 6), strict=True)] == [
        line.partition(",")[0] for line in listed.lines[:4]
    ]
    assert f"file://{remote} has 66 objects" == listed.lines[4].rpartition(",")[0]
    assert ["checked 18 results and 30 blobs", "938 kB: all whole"] == member.run("verify").stdout.strip().split(", ")
    assert "checked 18 results and 30 blobs" in member.run("verify", "--all").stdout


def test_what_is_there_is_not_pushed_again(member: Member, remote: Path) -> None:
    assert 0 == member.run("push", "a:fp32").status
    before = {path: one.stat().st_mtime_ns for path, one in objects(remote).items()}

    done = member.run("push", "a:fp32")

    assert "uploaded 0 results, 0 B; the remote already had 5 results\n" == done.stdout
    assert before == {path: one.stat().st_mtime_ns for path, one in objects(remote).items()}


def test_a_result_that_lost_a_blob_is_pushed_again(member: Member, remote: Path) -> None:
    assert 0 == member.run("push").status
    whole = set(objects(remote))
    lost = next(path for path in whole if path.startswith("cas/"))
    (remote / lost).unlink()

    assert 0 == member.run("push").status

    assert whole == set(objects(remote))


def test_a_cold_clone_lists_and_verifies_as_far_as_the_remote_knows(
    member: Member, built: Path, tmp_path: Path, remote: Path
) -> None:
    assert 0 == member.run("push", "a").status
    cold = clone(built, tmp_path / "cold", cold=True)
    cold.configure(f"file://{remote}")
    cold.trust()

    rows = cold.run("ls", "--json").objects

    assert [("a:fp32", 5, 5), ("a:fp16", 6, 6), ("b:fp32", 5, 0), ("b:fp16", 6, 0)] == [
        (row["target"], row["actions"], row["results"]) for row in rows[:4]
    ]
    assert "9 actions of these targets have no result on the remote" == cold.run("verify").lines[-1]
    assert not (cold.root / ".ovmake").exists()


def test_only_fresh_targets_are_pushed(member: Member) -> None:
    (member.root / "models/b.pb").write_text("another")

    done, asked = member.run("push"), member.run("push", "b:fp32")

    assert (0, 1) == (done.status, asked.status)
    assert ["b:fp32", "b:fp16"] == [line.partition(" ")[0] for line in done.lines[1:]]
    assert [5, 6, 0, 0] == [row["results"] for row in member.run("ls", "--json").objects[:4]]


def test_a_damaged_stored_file_is_not_pushed(member: Member, remote: Path) -> None:
    damaged = max((member.root / ".ovmake/cas").glob("*/*"), key=lambda path: path.stat().st_size)
    damaged.write_bytes(flipped(damaged.read_bytes()))

    done = member.run("push")

    assert 1 == done.status
    assert "error[remote-failed]: not everything was uploaded" in done.stderr
    assert f"cas/{damaged.parent.name}{damaged.name}" not in objects(remote)
    assert 0 == member.run("verify", "--all").status


def test_results_that_nobody_would_believe_are_not_pushed(member: Member, remote: Path) -> None:
    member.configure(f"file://{remote}", keys=(PUBLIC,))
    member.trust()
    stranger = base64.b64encode(bytes(32)).decode()

    without, wrong = member.run("push"), member.run("push", OVMAKE_CACHE_SIGNING_KEY=stranger)

    assert [1, 1] == [without.status, wrong.status]
    assert ["error[cannot-sign]"] * 2 == [done.stderr.partition(":")[0] for done in (without, wrong)]
    assert {} == objects(remote)
    assert 0 == member.run("push", **SIGNING).status
    assert 0 == member.run("verify", "--all").status


# verify


@pytest.fixture
def filled(member: Member) -> Member:
    """Somebody whose results are on the remote."""
    assert 0 == member.run("push").status
    return member


def test_verify_names_what_is_wrong(filled: Member, remote: Path) -> None:
    blobs = [path for path in objects(remote) if path.startswith("cas/")]
    (remote / blobs[0]).unlink()
    (remote / blobs[1]).write_bytes(flipped((remote / blobs[1]).read_bytes()))
    (remote / blobs[2]).write_bytes((remote / blobs[2]).read_bytes() + b"more")
    (remote / blobs[3]).write_bytes((remote / blobs[3]).read_bytes()[:-1])

    done = filled.run("verify")

    assert 1 == done.status
    whys = {line.partition("(")[2].partition("):")[0]: line.rpartition(": ")[2] for line in done.lines[:4]}
    other = "its bytes do not match its digest"
    expected = ("it is missing, and a result needs it", other, other, other)
    assert {f"cas/{path[4:16]}": why for path, why in zip(blobs, expected, strict=False)} == whys
    assert done.lines[4].endswith(": 4 wrong")
    wrong = filled.run("verify", "--json").objects
    assert set(blobs[:4]) == {one["path"] for one in wrong[:-1]}


def test_verify_finds_results_that_are_swapped_damaged_or_unsigned(filled: Member, remote: Path) -> None:
    results = [path for path in objects(remote) if path.startswith("ac/")]
    first, second = (remote / path for path in results[:2])
    first.write_bytes(second.read_bytes())
    (remote / results[2]).write_bytes(b"{}")

    done = filled.run("verify", "--all")

    assert 1 == done.status
    assert {
        f"{results[0][:15]}: the result of another action",
        f"{results[2][:15]}: damaged, or of another version",
    } <= {line.removeprefix("wrong: ").removesuffix(" of ovmake") for line in done.lines}

    filled.configure(f"file://{remote}", keys=(PUBLIC,))
    filled.trust()
    assert "unsigned" in filled.run("verify").stdout
    assert "; 5 not used: unsigned" in filled.run("ls", "b:fp32").stdout or "not used" in filled.run("ls").stdout


def test_a_blob_that_no_result_needs_is_verified_too(filled: Member, remote: Path) -> None:
    (remote / f"cas/{'0' * 64}").write_bytes(b"not nothing")

    assert 0 == filled.run("verify").status
    assert f"wrong: cas/{'0' * 12}: its bytes do not match its digest" == filled.run("verify", "--all").lines[0]


# gc

OLD = 40 * 86_400


def test_gc_keeps_what_the_present_targets_need(filled: Member, remote: Path) -> None:
    for path in objects(remote).values():
        age(path, OLD)

    done = filled.run("gc", "--older-than", "30d")

    assert ["nothing to drop", "left: 18 results, 30 blobs"] == [
        line.rpartition(", ")[0] or line for line in done.lines
    ]
    assert 0 == filled.run("verify").status
    assert [5, 6, 5, 6] == [row["results"] for row in filled.run("ls", "--json").objects[:4]]


def test_gc_drops_what_is_old_and_not_needed_here(filled: Member, remote: Path) -> None:
    for path in objects(remote).values():
        age(path, OLD)
    shutil.rmtree(filled.root / ".ovmake")
    (filled.root / "models/b.pb").write_text("another")

    planned = filled.run("gc", "--older-than", "30d", "--dry-run")
    before = set(objects(remote))
    done = filled.run("gc", "--older-than", "30d")

    assert len(before) > len(objects(remote))
    assert planned.stdout.replace("would drop", "dropped") == done.stdout
    assert [5, 6, 0, 0] == [row["results"] for row in filled.run("ls", "--json").objects[:4]]
    assert "all whole" in filled.run("verify", "--all").stdout


def test_gc_leaves_what_was_uploaded_today(filled: Member, remote: Path) -> None:
    shutil.rmtree(filled.root / "models")
    (remote / f"cas/{'0' * 64}").write_bytes(b"of an upload that runs")
    before = set(objects(remote))

    done = filled.run("gc", "--max-size", "1kB", "--older-than", "0h")

    assert before == set(objects(remote))
    assert "nothing to drop" == done.lines[0]
    assert done.lines[2].startswith(
        "this is over the limit, but the targets of the Ovfile need the rest, or it is newer"
    )


def test_gc_touches_nothing_that_ovmake_did_not_name(filled: Member, remote: Path) -> None:
    shutil.rmtree(filled.root / "models")
    for name in ("ac/README", "cas/readme.txt", "other/x"):
        (remote / name).parent.mkdir(exist_ok=True)
        (remote / name).write_bytes(b"x")

    assert 0 == filled.run("gc", "--max-size", "0", "--grace", "0h").status

    assert {"ac/README", "cas/readme.txt", "other/x"} == set(objects(remote))


# remotes that fail


def test_a_web_server_takes_pushes_and_cannot_list(built: Path, tmp_path: Path, web: WebServer) -> None:
    member = clone(built, tmp_path / "repo")
    member.configure(f"{web.url}/team")
    member.trust()

    assert 0 == member.run("push").status
    assert f"{web.url}/team cannot be listed, so there are no totals" == member.run("ls").lines[-1]
    assert 0 == member.run("verify").status
    for words in (("gc", "--max-size", "0"), ("verify", "--all")):
        done = member.run(*words)
        assert (1, "") == (done.status, done.stdout)
        assert "error[remote-cannot-list]" in done.stderr
    assert not [line for line in web.log if line.startswith("DELETE")]


@pytest.mark.parametrize("command", ["ls", "verify", "push", "gc"])
def test_an_unreachable_remote_is_an_error(member: Member, command: str) -> None:
    member.configure("s3://team/models", endpoint="http://127.0.0.1:9")
    member.trust()

    done = member.run(command)

    assert (1, "") == (done.status, done.stdout)
    assert done.stderr.startswith("error[remote-failed]: the remote cache s3://team/models cannot be used: ")


def test_an_ovfile_without_a_remote_uses_that_of_ci(built: Path, tmp_path: Path, remote: Path) -> None:
    member = clone(built, tmp_path / "repo")
    ci = {"OVMAKE_CACHE_REMOTE": f"file://{remote}", "OVMAKE_CACHE_TRUSTED_KEYS": PUBLIC}

    assert 0 == member.run("push", **ci, **SIGNING).status

    assert "all whole" in member.run("verify", **ci).stdout
    assert "error[no-remote]" in member.run("verify").stderr


@pytest.mark.parametrize("command", ["ls", "verify", "push"])
def test_a_remote_that_does_not_answer_is_given_up(member: Member, web: WebServer, command: str) -> None:
    with proxy(web.url) as between:
        between.harm(".*", stalled(600))
        member.configure(f"{between.url}/team")
        member.trust()
        began_s = time.monotonic()

        done = member.run(command, OVMAKE_CACHE_TIMEOUT="0.5")

    assert (1, "") == (done.status, done.stdout)
    assert done.stderr.startswith("error[remote-failed]: ")
    assert time.monotonic() - began_s < 60


def test_a_remote_that_lies_is_found_out(member: Member, web: WebServer) -> None:
    member.configure(f"{web.url}/team")
    member.trust()
    assert 0 == member.run("push").status
    with proxy(web.url) as between:
        between.harm("GET .*/cas/[0-7]", changed(flipped))
        between.harm("GET .*/ac/[0-3]", changed(lambda _: b"<html>please log in</html>"))
        member.configure(f"{between.url}/team")
        member.trust()

        done = member.run("verify")

    assert 1 == done.status
    whys = {line.rpartition(": ")[2] for line in done.lines if line.startswith("wrong: ")}
    assert {"damaged, or of another version of ovmake", "its bytes do not match its digest"} == whys


@pytest.mark.parametrize("command", ["ls", "verify", "push", "gc"])
def test_without_a_remote_each_command_says_so(built: Path, tmp_path: Path, command: str) -> None:
    done = clone(built, tmp_path / "repo").run(command)

    assert (1, "") == (done.status, done.stdout)
    assert done.stderr.startswith("error[no-remote]: no remote cache is configured\n")


def test_an_unknown_target_or_command_is_wrong_use(member: Member) -> None:
    for command in ("ls", "verify", "push"):
        done = member.run(command, "c:fp32")
        assert (2, True) == (done.status, "error[unknown-target]" in done.stderr)
    assert "help: did you mean `ls`?" in member.run("lss").stderr
    assert (2, "") == ((done := member.run()).status, done.stdout)


def test_errors_are_events_with_json(member: Member) -> None:
    member.configure("s3://elsewhere")

    (event,) = member.run("ls", "--json").objects

    assert ("diagnostic", "remote-not-accepted") == (event["event"], event["code"])


def test_a_restored_state_gives_the_same_files(filled: Member, built: Path) -> None:
    assert published(filled.root) == published(built)
    assert [] == build(filled.root)[1]
