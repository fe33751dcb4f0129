"""The lock in real git repos: git's own merge, `ovmake lock` on its conflicts, and the merge driver."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ovmake.commands.lock.stages import sides_in_index
from ovmake.contracts.sharing.lock import Lock
from ovmake.lockfile.conflicts import has_markers
from ovmake.lockfile.file import read_lock, write_lock
from ovmake.lockfile.text import parse, render
from ovmake.store.files.ignoring import declare_lock, ignore_outputs
from tests.lockfile.locks import GitRepo, digest, lock
from tests.lockfile.repos import build_and_lock, out_of_date, ovfile, put
from tests.once import copy_of
from tests.real import environment, ovmake

ALL = ("a", "b", "c", "d")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> GitRepo:
    """Four models, built, locked and committed on `main`, with what `ovmake init` tells git. No driver is set up."""
    found = GitRepo.init(tmp_path_factory.mktemp("base"))
    put(found.folder, ovfile(*ALL), **dict.fromkeys(ALL, "1"))
    ignore_outputs(str(found.folder), "build")
    declare_lock(str(found.folder), "Ovfile.lock")
    build_and_lock(found.folder)
    found.commit("base")
    return found


@pytest.fixture
def repo(base: GitRepo, tmp_path: Path) -> GitRepo:
    """A copy of that."""
    return GitRepo(copy_of(base.folder, tmp_path / "repo"))


def driver(repo: GitRepo) -> None:
    """Set the merge driver up, as `ovmake help sharing` says."""
    repo.git("config", "merge.ovmake.name", "Ovfile.lock, block by block")
    root = environment()["PYTHONPATH"]
    repo.git("config", "merge.ovmake.driver", f"PYTHONPATH={root} {sys.executable} -m ovmake lock --merge %O %A %B")


def unbuilt(repo: GitRepo) -> None:
    """Remove all that was built."""
    for name in ("build", ".ovmake"):
        shutil.rmtree(repo.folder / name)


def change(repo: GitRepo, branch: str, **contents: str) -> None:
    """On a new branch of `main`, change sources, build, lock and commit."""
    repo.branch(branch)
    put(repo.folder, repo.read("Ovfile"), **contents)
    build_and_lock(repo.folder)
    repo.commit(branch)


# What a merge, a rebase or a cherry-pick of `two` and `one` is; one of them is what git calls ours.
def merging(repo: GitRepo) -> bool:
    repo.git("checkout", "-q", "one")
    return repo.run("merge", "-q", "--no-edit", "two").returncode == 0


def rebasing(repo: GitRepo) -> bool:
    repo.git("checkout", "-q", "two")
    return repo.run("rebase", "-q", "one").returncode == 0


def picking(repo: GitRepo) -> bool:
    repo.git("checkout", "-q", "one")
    return repo.run("cherry-pick", "two").returncode == 0


HOW = pytest.mark.parametrize("join", [merging, rebasing, picking], ids=["merge", "rebase", "cherry-pick"])


@pytest.mark.parametrize(
    ("names", "join"),
    [(("a", "b"), merging), (("a", "d"), merging), (("b", "c"), rebasing), (("c", "a"), picking)],
)
def test_disjoint_models_merge_by_git_alone(
    names: tuple[str, str], join: Callable[[GitRepo], bool], repo: GitRepo
) -> None:
    for branch, name in zip(("one", "two"), names, strict=True):
        change(repo, branch, **{name: branch})

    assert join(repo)
    assert [] == out_of_date(repo.folder)


def test_neighbouring_blocks_changed_to_the_last_line_merge_by_git_alone(tmp_path: Path) -> None:
    # Every line of both blocks differs but headers and ends.
    repo = GitRepo.init(tmp_path)
    for branch, versions in (("main", {}), ("one", {"a": 2}), ("two", {"b": 2})):
        if branch != "main":
            repo.branch(branch)
        repo.write("Ovfile.lock", render(lock("a:fp32", "b:fp32", **versions)))
        repo.commit(branch)

    assert merging(repo)
    assert lock("a:fp32", "b:fp32", a=2, b=2) == parse(repo.read())


def test_deletion_beside_a_change_merges_by_git_alone(repo: GitRepo) -> None:
    change(repo, "one", b="2")
    repo.branch("two")
    put(repo.folder, ovfile("b", "c", "d"))
    build_and_lock(repo.folder)
    repo.commit("two")

    assert merging(repo)
    assert [] == out_of_date(repo.folder)
    found = read_lock(repo.folder)
    assert found is not None
    assert ["b:fp32", "c:fp32", "d:fp32"] == list(found.targets)


@pytest.mark.parametrize(
    ("style", "join"),
    [("merge", merging), ("merge", rebasing), ("merge", picking), ("diff3", rebasing), ("zdiff3", merging)],
)
def test_same_model_on_both_sides_is_decided_by_the_present_inputs(
    style: str, join: Callable[[GitRepo], bool], repo: GitRepo
) -> None:
    repo.git("config", "merge.conflictStyle", style)
    change(repo, "one", a="one", b="one")
    change(repo, "two", a="two", c="two")
    assert not join(repo)
    assert has_markers(repo.read())

    refused = ovmake(repo.folder, "lock", "--check")
    assert (1, "error[lock-conflict]: Ovfile.lock has conflict markers\n") == (
        refused.returncode,
        refused.stderr.splitlines(keepends=True)[0],
    )

    # The user decides for two, in a folder where nothing is built: the lock of two is of these inputs.
    unbuilt(repo)
    put(repo.folder, repo.read("Ovfile"), a="two")
    done = ovmake(repo.folder, "lock")

    assert 0 == done.returncode, done.stdout + done.stderr
    assert (
        "a:fp32                   kept          both sides differ; one matches the Ovfile and the sources; "
        in done.stdout
    )
    assert not has_markers(repo.read())
    assert [] == out_of_date(repo.folder)


@HOW
def test_newer_tools_on_one_side_and_a_changed_model_on_the_other(
    join: Callable[[GitRepo], bool], repo: GitRepo
) -> None:
    # Git takes the versions of one side and the source of the other, and makes a conflict of the rest of the block.
    change(repo, "one", a="one")
    right = repo.read()
    repo.branch("two")
    found = read_lock(repo.folder)
    assert found is not None
    newer = {
        name: replace(
            block,
            versions={**block.versions, "openvino": "2999.1"},
            outputs={path: digest(path, "newer") for path in block.outputs},
        )
        for name, block in found.targets.items()
    }
    write_lock(repo.folder, Lock(targets=newer))
    repo.commit("two")
    assert not join(repo)
    unbuilt(repo)

    done = ovmake(repo.folder, "lock")

    assert 0 == done.returncode, done.stdout
    assert [] == out_of_date(repo.folder)
    merged = read_lock(repo.folder)
    assert merged is not None
    assert {**newer, "a:fp32": parse(right).targets["a:fp32"]} == merged.targets


def test_third_state_on_neither_side_must_be_built(repo: GitRepo) -> None:
    change(repo, "one", a="one")
    change(repo, "two", a="two")
    assert not merging(repo)
    put(repo.folder, repo.read("Ovfile"), a="both")

    done = ovmake(repo.folder, "lock")

    assert 1 == done.returncode
    assert (
        "a:fp32                   must be built both sides differ; neither matches the Ovfile and the sources; "
        in done.stdout
    )
    assert not has_markers(repo.read())
    assert ["a:fp32 is not in the lock"] == out_of_date(repo.folder)
    build_and_lock(repo.folder)
    assert [] == out_of_date(repo.folder)


def test_edit_of_one_side_in_settings_and_of_the_other_in_the_source_is_found_stale(repo: GitRepo) -> None:
    # Git merges Ovfile and source without a conflict; the target of both edits was built by nobody.
    change(repo, "one", a="one")
    repo.branch("two")
    put(repo.folder, ovfile(*ALL, a="batch = 4"))
    build_and_lock(repo.folder)
    repo.commit("two")
    assert not merging(repo)

    done = ovmake(repo.folder, "lock")

    assert 1 == done.returncode
    assert "a:fp32                   must be built" in done.stdout


def test_models_added_in_one_place_are_both_kept(repo: GitRepo) -> None:
    # Git cannot put both between c and d; `ovmake lock` can.
    for branch in ("c1", "c2"):
        repo.branch(branch)
        put(repo.folder, ovfile(*ALL, branch), **{branch: "1"})
        build_and_lock(repo.folder)
        repo.commit(branch)
    assert 0 != repo.run("merge", "-q", "c1").returncode
    put(repo.folder, ovfile(*ALL, "c1", "c2"))
    repo.git("checkout", "-q", "--conflict=merge", "Ovfile.lock")

    done = ovmake(repo.folder, "lock")

    assert 0 == done.returncode, done.stdout + done.stderr
    assert [] == out_of_date(repo.folder)


@HOW
def test_driver_merges_additions_in_one_place(join: Callable[[GitRepo], bool], repo: GitRepo) -> None:
    driver(repo)
    for branch in ("one", "two"):
        repo.branch(branch)
        text = repo.read("Ovfile")
        # Far apart in the Ovfile, beside each other in the lock.
        table = f'[models.c{branch}]\nsource = "models/c{branch}.pb"\n'
        put(repo.folder, f"{text}\n{table}" if branch == "one" else text.replace("[models.a]", f"{table}\n[models.a]"))
        put(repo.folder, repo.read("Ovfile"), **{f"c{branch}": "1"})
        build_and_lock(repo.folder)
        repo.commit(branch)

    assert join(repo)
    assert [] == out_of_date(repo.folder)


@HOW
def test_driver_leaves_markers_around_what_both_sides_changed(join: Callable[[GitRepo], bool], repo: GitRepo) -> None:
    driver(repo)
    change(repo, "one", a="one", b="one")
    change(repo, "two", a="two", c="two")

    assert not join(repo)

    text = repo.read()
    assert (1, 1, 1) == tuple(text.count(f"\n{mark}") for mark in ("<<<<<<< ours\n", "=======\n", ">>>>>>> theirs\n"))
    assert "UU Ovfile.lock" in repo.git("status", "--porcelain")
    put(repo.folder, repo.read("Ovfile"), a="one")
    assert 0 == ovmake(repo.folder, "lock").returncode
    assert [] == out_of_date(repo.folder)


@HOW
def test_driver_merges_a_renamed_model(join: Callable[[GitRepo], bool], repo: GitRepo) -> None:
    driver(repo)
    change(repo, "one", c="one")
    repo.branch("two")
    repo.git("mv", "models/a.pb", "models/new.pb")
    put(repo.folder, repo.read("Ovfile").replace("models.a]", "models.new]").replace("a.pb", "new.pb"))
    build_and_lock(repo.folder)
    repo.commit("two")

    assert join(repo)
    assert [] == out_of_date(repo.folder)
    found = read_lock(repo.folder)
    assert found is not None
    assert ["b:fp32", "c:fp32", "d:fp32", "new:fp32"] == list(found.targets)


def test_renamed_model_that_the_other_side_changed_must_be_built(repo: GitRepo) -> None:
    driver(repo)
    change(repo, "one", a="one")
    repo.branch("two")
    repo.git("mv", "models/a.pb", "models/new.pb")
    put(repo.folder, repo.read("Ovfile").replace("models.a]", "models.new]").replace("a.pb", "new.pb"))
    build_and_lock(repo.folder)
    repo.commit("two")
    assert not merging(repo)  # deleted there, changed here

    done = ovmake(repo.folder, "lock")

    assert 1 == done.returncode
    assert "a:fp32                   removed       both sides differ" in done.stdout
    assert "new:fp32                 must be built" in done.stdout


def test_rebase_of_several_commits_with_conflicts_in_each(repo: GitRepo) -> None:
    driver(repo)
    change(repo, "one", a="one")
    repo.branch("two")
    for step in ("two", "three"):
        put(repo.folder, repo.read("Ovfile"), a=step)
        build_and_lock(repo.folder)
        repo.commit(step)

    assert 0 != repo.run("rebase", "-q", "one").returncode
    for step, last in (("one and two", False), ("all", True)):
        put(repo.folder, repo.read("Ovfile"), a=step)
        build_and_lock(repo.folder)
        repo.git("add", "-A")
        assert last == (repo.run("rebase", "--continue").returncode == 0)
    assert [] == out_of_date(repo.folder)


def test_conflict_that_was_committed_with_its_markers_is_merged_in_the_next_one(repo: GitRepo) -> None:
    change(repo, "one", a="one")
    change(repo, "two", a="two")
    change(repo, "three", a="three")
    assert not merging(repo)
    put(repo.folder, repo.read("Ovfile"), a="three")
    repo.commit("with markers")
    assert 0 != repo.run("merge", "-q", "three").returncode
    put(repo.folder, repo.read("Ovfile"), a="three")

    done = ovmake(repo.folder, "lock")

    assert 0 == done.returncode, repo.read()
    assert [] == out_of_date(repo.folder)


@pytest.mark.parametrize("set_up", [lambda _: None, driver], ids=["git alone", "driver"])
def test_criss_cross_merge(set_up: Callable[[GitRepo], None], repo: GitRepo) -> None:
    set_up(repo)
    change(repo, "one", a="one")
    change(repo, "two", a="two")
    for branch, other, name in (("one", "two~0", "x"), ("two", "one~1", "y")):
        repo.git("checkout", "-q", branch)
        assert 0 != repo.run("merge", "-q", other).returncode
        put(repo.folder, repo.read("Ovfile"), a=name)
        build_and_lock(repo.folder)
        repo.commit(f"{branch} and {other}")
    repo.git("checkout", "-q", "one")
    assert 0 != repo.run("merge", "-q", "two").returncode
    put(repo.folder, repo.read("Ovfile"), a="y")

    done = ovmake(repo.folder, "lock")

    assert 0 == done.returncode, repo.read()
    assert [] == out_of_date(repo.folder)


def test_driver_keeps_both_texts_of_what_is_no_lock(tmp_path: Path) -> None:
    for name, said in (("base", ""), ("ours", "nonsense"), ("theirs", render(lock("a:fp32")))):
        (tmp_path / name).write_text(said)

    done = ovmake(tmp_path, "lock", "--merge", "base", "ours", "theirs")

    assert 1 == done.returncode
    assert "the lock stays in conflict as a whole: ours: a line outside of a block\n" == done.stderr
    text = (tmp_path / "ours").read_text()
    assert text == f"<<<<<<< ours\nnonsense\n=======\n{render(lock('a:fp32'))}>>>>>>> theirs\n"


@pytest.mark.parametrize("base", ["", "nonsense", None])
def test_driver_without_a_base(base: str | None, tmp_path: Path) -> None:
    # Both sides added the file: git gives an empty base.
    for name, said in (("base", base), ("ours", render(lock("a:fp32"))), ("theirs", render(lock("b:fp32")))):
        if said is not None:
            (tmp_path / name).write_text(said)

    done = ovmake(tmp_path, "lock", "--merge", "base", "ours", "theirs")

    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)
    assert lock("a:fp32", "b:fp32") == parse((tmp_path / "ours").read_text())


def test_driver_that_is_not_told_three_files_is_wrong_use(tmp_path: Path) -> None:
    assert 2 == ovmake(tmp_path, "lock", "--merge", "a", "b").returncode
    assert 2 == ovmake(tmp_path, "lock", "--merge", "a", "b", "c", "d").returncode
    assert 2 == ovmake(tmp_path, "lock", "--check", "--merge", "a", "b", "c").returncode


def test_driver_refuses_links_and_binary_files_and_leaves_them(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("mine\n")
    (tmp_path / "base").write_text("")
    (tmp_path / "theirs").write_bytes(b"\xff\x00")
    (tmp_path / "ours").symlink_to("secret")

    for names in (("base", "ours", "theirs"), ("base", "theirs", "base")):
        done = ovmake(tmp_path, "lock", "--merge", *names)
        assert 1 == done.returncode
        assert done.stderr.startswith("error[")
    assert "mine\n" == (tmp_path / "secret").read_text()
    assert b"\xff\x00" == (tmp_path / "theirs").read_bytes()


def test_index_is_asked_below_the_root_of_the_repo(tmp_path: Path) -> None:
    repo = GitRepo.init(tmp_path)
    for branch, version in (("main", 1), ("one", 2), ("two", 3)):
        if branch != "main":
            repo.branch(branch)
        repo.write("below/Ovfile.lock", render(lock("a:fp32", a=version)))
        repo.commit(branch)
    assert () == sides_in_index(tmp_path / "below", "Ovfile.lock")

    assert not merging(repo)

    found = sides_in_index(tmp_path / "below", "Ovfile.lock")
    assert [lock("a:fp32", a=version) for version in (2, 3)] == [parse(text) for text in found]
    assert () == sides_in_index(tmp_path, "Ovfile.lock")
    assert () == sides_in_index(tmp_path / "nowhere", "Ovfile.lock")
