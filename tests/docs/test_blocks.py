"""What stands in blocks is true: TOML has keys that there are, and transcripts are those of a test."""

from __future__ import annotations

from pathlib import Path

import pytest

from ovmake.diagnostics import OvmakeError
from ovmake.ovfile.parse import parse
from tests.docs.blocks import PAGES, PROMPT, blocks

KINDS = {"", "console", "console no-run", "python", "sh", "toml"}
# What does not run here: it would install from PyPI.
NOT_RUN = {"$ pip install 'ovmake[cpu]'\n"}
# What a part of an Ovfile lacks, and no more.
OF_PARTS = {
    *("missing-key", "no-models", "unknown-dataset", "unused-precision", "missing-calibration", "missing-dataset"),
    *("unlabelled-dataset", "without-effect"),
}


def names(path: Path) -> str:
    return path.name


@pytest.mark.parametrize("path", PAGES, ids=names)
def test_blocks_are_of_known_kinds(path: Path) -> None:
    assert {block.info for block in blocks(path)} <= KINDS


@pytest.mark.parametrize("path", PAGES, ids=names)
def test_transcripts_are_run(path: Path) -> None:
    found = [block for block in blocks(path) if any(line.startswith(PROMPT) for line in block.text.splitlines())]

    assert [] == [block.text for block in found if not block.info.startswith("console")]
    assert {block.text for block in found if block.info == "console no-run"} <= NOT_RUN


@pytest.mark.parametrize("path", PAGES, ids=names)
def test_parts_of_an_ovfile_have_keys_and_values_that_there_are(path: Path) -> None:
    wrong = [(block.start, code) for block in blocks(path) if block.info == "toml" for code in said_of(block.text)]

    assert [] == wrong


def said_of(text: str) -> list[str]:
    """Return the codes of what is wrong with a part of an Ovfile."""
    try:
        parse(text)
    except OvmakeError as error:
        return [found.code for found in error.diagnostics if found.code not in OF_PARTS]
    return []


def test_an_unknown_key_in_a_block_is_found() -> None:
    assert ["unknown-key"] == said_of('[models.m]\nsource = "m"\nprecison = "fp32"\n')
