"""The `.gitignore` that `init` writes: builds are not committed, the report beside the Ovfile is."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ovmake.store.files.ignoring import ignore_outputs


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
    assert not ignored(tmp_path, "Ovfile.report.json")
    assert not ignored(tmp_path, "src/build/notes.txt")


@pytest.mark.parametrize("before", ["*.pyc\n", "*.pyc", "# build\n", "!build\n", "rebuild/\n"])
def test_lines_that_are_there_stay(before: str, tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text(before)

    assert ignore_outputs(str(tmp_path), "build") == "added /build/ to .gitignore"

    text = (tmp_path / ".gitignore").read_text()
    assert text.startswith(before)
    assert text.splitlines()[: before.count("\n") or 1] == before.splitlines()
    assert ignored(tmp_path, "build/m.xml")


@pytest.mark.parametrize("line", ["build", "build/", "/build", "/build/", "build/*", "**/build/"])
def test_folder_that_is_ignored_needs_no_line(line: str, tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text(f"x\n  {line}\n")

    assert ignore_outputs(str(tmp_path), "build") == ""
    assert (tmp_path / ".gitignore").read_text() == f"x\n  {line}\n"


def test_link_is_not_followed_and_the_line_is_said(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("mine\n")
    (tmp_path / "repo").mkdir()
    (tmp_path / "repo/.gitignore").symlink_to(tmp_path / "elsewhere")

    said = ignore_outputs(str(tmp_path / "repo"), "build")

    assert said.startswith(".gitignore was left as it is: `.gitignore` is a link")
    assert said.endswith("add `/build/` to it")
    assert (tmp_path / "elsewhere").read_text() == "mine\n"


def test_folder_in_its_place_is_said(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").mkdir()

    assert ignore_outputs(str(tmp_path), "build").endswith("add `/build/` to it")


def test_bytes_that_are_no_text_stay(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_bytes(b"caf\xe9\n")

    ignore_outputs(str(tmp_path), "build")

    assert (tmp_path / ".gitignore").read_bytes().startswith(b"caf\xe9\n")
