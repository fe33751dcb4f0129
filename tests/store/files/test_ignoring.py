"""What `init` tells git: builds are not committed, the report and the lock are; and how the lock is merged."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ovmake.store.files.ignoring import declare_lock, ignore_outputs


def ignored(folder: Path, path: str) -> bool:
    """Ask git."""
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text("x")
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    return subprocess.run(["git", "-C", str(folder), "check-ignore", "-q", path], check=False).returncode == 0


def test_new_file_ignores_what_is_built_and_not_the_report_beside_the_ovfile(tmp_path: Path) -> None:
    assert ignore_outputs(str(tmp_path), "build") == "wrote .gitignore"

    assert ignored(tmp_path, "build/m/fp32/m.xml")
    assert ignored(tmp_path, "build/report/report.json")
    assert ignored(tmp_path, ".ovmake/state.db")
    assert not ignored(tmp_path, "Ovfile.report.json")
    assert not ignored(tmp_path, "Ovfile.lock")
    assert not ignored(tmp_path, "src/build/notes.txt")


@pytest.mark.parametrize("before", ["*.pyc\n", "*.pyc", "# build\n", "!build\n", "rebuild/\n"])
def test_lines_that_are_there_stay(before: str, tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text(before)

    assert ignore_outputs(str(tmp_path), "build") == "added /.ovmake/ and /build/ to .gitignore"

    text = (tmp_path / ".gitignore").read_text()
    assert text.startswith(before)
    assert text.splitlines()[: before.count("\n") or 1] == before.splitlines()
    assert ignored(tmp_path, "build/m.xml")


@pytest.mark.parametrize("line", ["build", "build/", "/build", "/build/", "build/*", "**/build/"])
def test_folder_that_is_ignored_needs_no_line(line: str, tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text(f"x\n.ovmake\n  {line}\n")

    assert ignore_outputs(str(tmp_path), "build") == ""
    assert (tmp_path / ".gitignore").read_text() == f"x\n.ovmake\n  {line}\n"


def test_link_is_not_followed_and_the_line_is_said(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("mine\n")
    (tmp_path / "repo").mkdir()
    (tmp_path / "repo/.gitignore").symlink_to(tmp_path / "elsewhere")

    said = ignore_outputs(str(tmp_path / "repo"), "build")

    assert said.startswith(".gitignore was left as it is: `.gitignore` is a link")
    assert said.endswith("add `/.ovmake/` and `/build/` to it")
    assert (tmp_path / "elsewhere").read_text() == "mine\n"


def test_folder_in_its_place_is_said(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").mkdir()

    assert ignore_outputs(str(tmp_path), "build").endswith("add `/.ovmake/` and `/build/` to it")


def test_bytes_that_are_no_text_stay(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_bytes(b"caf\xe9\n")

    ignore_outputs(str(tmp_path), "build")

    assert (tmp_path / ".gitignore").read_bytes().startswith(b"caf\xe9\n")


def attributes(folder: Path, path: str) -> dict[str, str]:
    """Ask git for the attributes of the lock."""
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    command = ["git", "-C", str(folder), "check-attr", "merge", "text", "eol", "--", path]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {name: value for _, name, value in (line.split(": ") for line in said.splitlines())}


def test_lock_gets_its_driver_and_its_ends_of_line(tmp_path: Path) -> None:
    assert declare_lock(str(tmp_path), "Ovfile.lock") == "wrote .gitattributes"

    assert attributes(tmp_path, "Ovfile.lock") == {"merge": "ovmake", "text": "set", "eol": "lf"}
    assert attributes(tmp_path, "below/Ovfile.lock")["merge"] == "unspecified"
    assert declare_lock(str(tmp_path), "Ovfile.lock") == ""


def test_attributes_that_are_there_stay(tmp_path: Path) -> None:
    (tmp_path / ".gitattributes").write_text("*.png binary")

    assert declare_lock(str(tmp_path), "Other.lock").startswith("added /Other.lock merge=ovmake text eol=lf to ")

    assert (tmp_path / ".gitattributes").read_text().startswith("*.png binary\n# ")
    assert attributes(tmp_path, "Other.lock")["merge"] == "ovmake"
    assert attributes(tmp_path, "x.png")["merge"] == "unset"


@pytest.mark.parametrize("line", ["Ovfile.lock merge=union", "/Ovfile.lock -text", "**/Ovfile.lock merge=ours"])
def test_what_the_user_says_of_the_lock_stays(line: str, tmp_path: Path) -> None:
    (tmp_path / ".gitattributes").write_text(f"{line}\n")

    assert declare_lock(str(tmp_path), "Ovfile.lock") == ""
    assert (tmp_path / ".gitattributes").read_text() == f"{line}\n"


def test_name_that_is_a_pattern_is_left_to_the_user(tmp_path: Path) -> None:
    assert declare_lock(str(tmp_path), "my *.lock").startswith(".gitattributes was left as it is")
    assert not (tmp_path / ".gitattributes").exists()
