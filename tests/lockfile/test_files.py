"""The lock as a file, and the present inputs: read from a folder, and from nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from ovmake.contracts.sharing.lock import Lock
from ovmake.diagnostics import OvmakeError
from ovmake.lockfile.file import read_lock, write_lock
from ovmake.lockfile.inputs import TargetInputs
from ovmake.lockfile.present import PresentFiles, present_inputs
from ovmake.project.repo import Where, really_inside
from ovmake.store.database import Database
from ovmake.store.files.disk import RealDisk
from tests.lockfile.locks import lock
from tests.lockfile.repos import graph_of, ovfile, put


def test_what_is_written_is_read(tmp_path: Path) -> None:
    assert read_lock(tmp_path) is None

    write_lock(tmp_path, lock("a:fp32"))

    assert lock("a:fp32") == read_lock(tmp_path)
    assert ["Ovfile.lock"] == [path.name for path in tmp_path.iterdir()]


def test_link_is_replaced_and_its_target_stays(tmp_path: Path) -> None:
    (tmp_path / "repo").mkdir()
    (tmp_path / "mine").write_text("mine\n")
    (tmp_path / "repo/Ovfile.lock").symlink_to("../mine")

    write_lock(tmp_path / "repo", Lock())

    assert "mine\n" == (tmp_path / "mine").read_text()
    assert Lock() == read_lock(tmp_path / "repo")


def test_hard_link_is_replaced_and_the_other_name_stays(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine\n")
    (tmp_path / "Ovfile.lock").hardlink_to(tmp_path / "mine")

    write_lock(tmp_path, Lock())

    assert "mine\n" == (tmp_path / "mine").read_text()


def present(root: Path) -> TargetInputs:
    where = Where(folder=root)
    inside = really_inside(where)
    database = Database.in_memory()
    try:
        files = PresentFiles(disk=RealDisk(root, inside=inside), database=database, inside=inside)
        return present_inputs(graph_of(ovfile("a")), ["a:fp32"], files)["a:fp32"]
    finally:
        database.close()


def test_content_of_a_source_counts_and_its_time_does_not(tmp_path: Path) -> None:
    put(tmp_path, ovfile("a"), a="1")
    before = present(tmp_path)

    (tmp_path / "models/a.pb").touch()
    assert before == present(tmp_path)

    put(tmp_path, ovfile("a"), a="2")
    assert before.settings == present(tmp_path).settings
    assert before.inputs != present(tmp_path).inputs


@pytest.mark.parametrize("folder", [False, True], ids=["file", "file of a folder"])
def test_source_that_is_a_link_out_of_the_repo_is_not_read(folder: bool, tmp_path: Path) -> None:  # noqa: FBT001
    repo = tmp_path / "repo"
    put(repo, ovfile("a"))
    link = repo / "models/a.pb"
    if folder:
        link.mkdir()
        link /= "variables"
    link.symlink_to("/etc/passwd")

    with pytest.raises(OvmakeError) as caught:
        present(repo)

    assert ["path-outside"] == [one.code for one in caught.value.diagnostics]


def test_source_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    put(tmp_path, ovfile("a"))
    (tmp_path / "models/a.pb").symlink_to("a.pb")  # a circle

    with pytest.raises(OvmakeError) as caught:
        present(tmp_path)

    assert "source-unreadable" == caught.value.diagnostics[0].code
