"""The transcripts of README.md and of the pages agree with the commands' output.

A page's `console` blocks are run in their order, in a repo with the digits of `make_digits.py`. The Ovfile is the last
`toml` block before that has a source; on a page without one, the README's last, and it is built.

After a change of words: OVMAKE_BLESS=1 python -m pytest tests/docs/test_console.py
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import warm
from tests.docs.blocks import PAGES, PROMPT, README, Block, blocks, steps
from tests.once import copy_of

pytestmark = pytest.mark.heavy

HERE = Path(__file__).parent
SOURCE = 'source = "models/digits"'
# Text that differs from run to run, and from machine to machine.
VARYING = (
    (re.compile(r"\d+\.\d+"), "N"),
    (re.compile(r"drop -N"), "drop N"),  # INT8 may be a little better than TensorFlow, by processor
    (re.compile(r" with INFERENCE_PRECISION_HINT=\w+"), ""),
    (re.compile(r"^done in .*\n", re.MULTILINE), ""),
)


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a shell that finds this checkout's `ovmake`, with warm workers."""
    folder = tmp_path_factory.mktemp("bin")
    command = folder / "ovmake"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m ovmake "$@"\n')
    command.chmod(0o755)
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, **warm.environment(), "TERM": "dumb", "PATH": path, "PYTHONPATH": str(README.parent)}


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repo with the model and the data, and nothing built."""
    folder = tmp_path_factory.mktemp("digits")
    done = warm.run([str(HERE / "make_digits.py"), str(folder)], by="tensorflow")
    assert 0 == done.returncode, done.stderr
    (folder / ".git").mkdir()
    return folder


@pytest.fixture(scope="module")
def read(empty: Path, shell: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Ran]]:
    """The repo as the README leaves it, and what its commands printed."""
    folder = copy_of(empty, tmp_path_factory.mktemp("read") / "repo")
    return folder, list(walk(README, folder, shell))


Ran = tuple[Block, list[tuple[str, str, str]]]


def walk(page: Path, folder: Path, shell: dict[str, str]) -> Iterator[Ran]:
    """Run a page; yield each block with its commands, what they should print, and what they do."""
    for block in blocks(page):
        if block.info == "toml" and SOURCE in block.text:
            (folder / "Ovfile").write_text(block.text)
        if block.info == "console":
            yield block, [(said, expected, printed(said, folder, shell)) for said, expected in steps(block.text)]


def printed(command: str, folder: Path, shell: dict[str, str]) -> str:
    """Run a command; return its stdout, or its stderr where it failed."""
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=shell, capture_output=True, text=True, check=False, timeout=300
    )
    return done.stderr if done.returncode else done.stdout


def filtered(text: str) -> str:
    for pattern, replacement in VARYING:
        text = pattern.sub(replacement, text)
    return text


def bless(page: Path, ran: list[Ran]) -> None:
    """Write what the commands print into the page, where more than what varies is another."""
    lines = page.read_text(encoding="utf-8").splitlines(keepends=True)
    for block, found in reversed(ran):
        said = [
            PROMPT + command + "\n" + (expected if filtered(expected) == filtered(actual) else actual)
            for command, expected, actual in found
        ]
        lines[block.start : block.start + block.text.count("\n")] = said
    page.write_text("".join(lines), encoding="utf-8")


def compare(page: Path, ran: list[Ran]) -> None:
    assert ran
    if os.environ.get("OVMAKE_BLESS"):
        bless(page, ran)
        return
    for _, found in ran:
        for command, expected, actual in found:
            assert (command, filtered(expected)) == (command, filtered(actual))


def test_the_readme_prints_what_it_says(read: tuple[Path, list[Ran]]) -> None:
    compare(README, read[1])


# `test_sharing.py` runs the page that needs a server.
ELSEWHERE = {"sharing"}
RUN = [
    page
    for page in PAGES
    if page != README and page.stem not in ELSEWHERE and any(block.info == "console" for block in blocks(page))
]


@pytest.mark.parametrize("page", RUN, ids=[page.stem for page in RUN])
def test_a_page_prints_what_it_says(
    page: Path, read: tuple[Path, list[Ran]], shell: dict[str, str], tmp_path: Path
) -> None:
    compare(page, list(walk(page, copy_of(read[0], tmp_path / "repo"), shell)))
