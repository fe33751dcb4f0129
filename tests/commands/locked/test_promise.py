"""What `--locked` and `--frozen` ask of a lock: the real command, in a repo whose actions were hashes."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from ovmake.contracts.sharing.lock import Lock
from ovmake.lockfile.file import read_lock, write_lock
from tests.lockfile.repos import build_and_lock, ovfile, put
from tests.real import ovmake

BIN = "a/fp32/a.bin"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A model, built, locked, and no longer published."""
    put(tmp_path, ovfile("a"), a="1")
    build_and_lock(tmp_path)
    shutil.rmtree(tmp_path / "build")
    return tmp_path


def name_files(root: Path, outputs: Mapping[str, str]) -> None:
    """Write a lock whose block is whole and names these files."""
    found = read_lock(root)
    assert found is not None
    write_lock(root, Lock(targets={"a:fp32": replace(found.targets["a:fp32"], outputs=outputs)}))


def locked_files(root: Path) -> Mapping[str, str]:
    found = read_lock(root)
    assert found is not None
    return found.targets["a:fp32"].outputs


def test_frozen_publishes_what_the_lock_names(repo: Path) -> None:
    done = ovmake(repo, "build", "--frozen")

    assert (0, "") == (done.returncode, done.stderr)
    assert set(locked_files(repo)) == {str(path.relative_to(repo / "build")) for path in repo.glob("build/*/*/*")}


@pytest.mark.parametrize("flag", ["--frozen", "--locked"])
def test_a_lock_without_the_weights_promises_nothing(repo: Path, flag: str) -> None:
    name_files(repo, {path: digest for path, digest in locked_files(repo).items() if path != BIN})

    done = ovmake(repo, "build", flag)

    assert (1, "") == (done.returncode, done.stdout)
    words = f"the block of a:fp32 does not name what the target publishes: it lacks build/{BIN}"
    assert f"error[lock-outdated]: Ovfile.lock: {words}\n" in done.stderr
    assert not (repo / "build").exists()


@pytest.mark.parametrize("flag", ["--frozen", "--locked"])
def test_a_lock_that_names_more_files_publishes_none(repo: Path, flag: str) -> None:
    name_files(repo, {**locked_files(repo), "a/fp32/more.so": locked_files(repo)[BIN]})

    done = ovmake(repo, "build", flag)

    assert 1 == done.returncode
    assert "build/a/fp32/more.so is none of its files\n" in done.stderr
    assert not (repo / "build").exists()


def test_an_ir_that_is_fresh_and_not_the_locked_one_does_not_read_as_up_to_date(repo: Path) -> None:
    assert 0 == ovmake(repo, "build", "--frozen").returncode
    files = locked_files(repo)
    name_files(repo, {**files, BIN: files["a/fp32/a.xml"]})

    done = ovmake(repo, "build", "--locked")

    assert (1, "") == (done.returncode, done.stdout)
    assert f"build/{BIN} is not the file of the lock" in done.stderr


def test_an_upgrade_check_runs_nothing_either_where_nothing_may_run(repo: Path) -> None:
    shutil.rmtree(repo / ".ovmake")

    done = ovmake(repo, "build", "--upgrade-check", "--remote-only")

    assert 1 == done.returncode
    assert "no cache has its result, and --remote-only runs nothing" in done.stderr
    assert "a:fp32                   no IR: " in done.stdout


def test_frozen_says_why_no_remote_cache_was_asked(repo: Path) -> None:
    shutil.rmtree(repo / ".ovmake")

    done = ovmake(repo, "build", "--frozen", "--no-remote")

    assert 1 == done.returncode
    assert "no remote cache is used: the Ovfile has no `[cache] remote`, or --no-remote was given\n" in done.stderr
