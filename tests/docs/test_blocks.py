"""Blocks in documents are valid: TOML has known keys, and transcripts are checked by a test."""

from __future__ import annotations

from pathlib import Path

import pytest

from ovmake.diagnostics import OvmakeError
from ovmake.ovfile.parse import parse
from tests.docs.blocks import PAGES, PROMPT, Block, blocks, steps
from tests.docs.test_console import bless, filtered

KINDS = {"", "console", "console no-run", "python", "sh", "toml"}
# Commands that do not run here: they would install from PyPI.
NOT_RUN = {"$ pip install 'ovmake[cpu]'\n"}
# Mistakes that are expected in a part of an Ovfile.
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


def test_a_transcript_is_commands_with_what_each_prints() -> None:
    assert [("a b", "1\n2\n"), ("c", ""), ("d", "3\n")] == steps("$ a b\n1\n2\n$ c\n$ d\n3\n")


def test_what_varies_is_left_out_of_a_comparison() -> None:
    printed = "m:fp32 built, drop 0.0021 m.xml with INFERENCE_PRECISION_HINT=f32\ndone in 3 s\n"

    assert filtered("m:fp32 built, drop 0.0042 m.xml\n") == filtered(printed)
    assert filtered(printed) != filtered(printed.replace("built", "fresh"))


def test_blessing_writes_what_is_another_and_leaves_what_varies(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("A\n```console\n$ a\n0.1\n$ b\nold\n```\nB\n")
    (block,) = blocks(page)
    ran: list[tuple[Block, list[tuple[str, str, str]]]]
    ran = [(block, [("a", "0.1\n", "0.2\n"), ("b", "old\n", "new\nlines\n")])]

    bless(page, ran)

    assert page.read_text() == "A\n```console\n$ a\n0.1\n$ b\nnew\nlines\n```\nB\n"
