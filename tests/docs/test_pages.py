"""Documents are short, their links are valid, and a wheel contains them."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from ovmake.commands.help import pages
from tests.docs.blocks import ROOT

README, DESIGN = ROOT / "README.md", ROOT / "ovmake/DESIGN.md"
DOCUMENTS = sorted(
    [README, ROOT / "CHANGELOG.md", ROOT / "tests/README.md", *(ROOT / "ovmake").rglob("*.md"), *ROOT.glob("*/*/*.md")]
)
MOST_BYTES = {README: 10_000, DESIGN: 18_000, ROOT / "ovmake/docs/report.png": 150_000}
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)(?:#[^)]*)?\)")
# A module or folder in backticks: `engine/staleness.py`, `workers/measurement/`.
NAMED = re.compile(r"`(?:ovmake/)?((?:[a-z_0-9]+/)+(?:[a-z_0-9]+\.py)?)`")
ROOMS = {path.name for path in (ROOT / "ovmake").iterdir() if path.is_dir()}


@pytest.mark.parametrize("path", MOST_BYTES, ids=lambda path: path.name)
def test_documents_are_short(path: Path) -> None:
    assert path.stat().st_size <= MOST_BYTES[path]


def test_links_lead_to_files() -> None:
    wrong = [
        f"{document.relative_to(ROOT)}: {link}"
        for document in DOCUMENTS
        for link in LINK.findall(document.read_text(encoding="utf-8"))
        if not (document.parent / link).exists()
    ]
    assert wrong == []


def test_modules_that_documents_name_are_there() -> None:
    wrong = [
        f"{document.relative_to(ROOT)}: {name}"
        for document in DOCUMENTS
        if "tests" not in document.relative_to(ROOT).parts  # where paths are those of tests
        for name in NAMED.findall(document.read_text(encoding="utf-8"))
        if name.partition("/")[0] in ROOMS and not (ROOT / "ovmake" / name).exists()
    ]
    assert wrong == []


@pytest.mark.heavy
def test_a_wheel_has_the_pages_and_the_licence(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stderr
    (wheel,) = tmp_path.glob("*.whl")

    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()

    assert {f"ovmake/docs/{topic}.md" for topic in pages.ORDER} <= set(names)
    assert ["LICENSE"] == [Path(name).name for name in names if "/licenses/" in name]
