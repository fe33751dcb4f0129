"""Blocks of a lock to text and back.

    render(lock) -> str
    parse(text, file=...) -> Lock               strictly: every mistake is a diagnostic with its line
    blocks(text, file=...) -> Parsed            as far as it can be read, for merging
    decode(data, file=...) -> str

The text is TOML. A block is a fact a line, in a fixed order:

    ["digits:int8"]
    inputs = "5f0c…"
    settings = "77ab…"
    sources."models/digits" = "9d1e…:2048"
    outputs."digits/int8/digits.xml" = "41aa…:9000"
    versions."openvino" = "2026.4.0"
    drop = 0.0029
    reverted = [
      "conv2d/Conv2D",
    ]
    digest = "c0de…"
    end = "digits:int8"

Rule 1: blocks stand in the order of their targets' names. Nothing in the file is about all of them: no version, no
        date, no digest of the whole.
Rule 2: what is not measured or empty has no line. Numbers come back as they were.
Rule 3: a block ends with a line that no edit of it changes. Git makes a conflict of two changes that touch each other;
        the end, the blank line and the next header keep changes of two blocks apart.
Rule 4: `digest` is of all lines of the block above it. Whoever changes a block changes that line, so two different
        edits of one block are always a conflict for git, and never a third block.
Rule 5: only what `render` writes is read: one line at a time, so that each mistake has a line, and a stranger's lock
        cannot nest or repeat anything. It is not read by a TOML parser, which has no positions of values.
"""

from __future__ import annotations

from dataclasses import dataclass

from ovmake.contracts.sharing.lock import Lock
from ovmake.diagnostics import Diagnostic, Label, OvmakeError, Span
from ovmake.lockfile.reading import ENOUGH, Block, Problem, read_blocks
from ovmake.lockfile.writing import block_text

HEADER = "# `ovmake lock` wrote this file: commit it, and do not edit it. It merges both sides of a conflict, too.\n"
# A lock of 36,000 targets, the most that an Ovfile may have, has about 45 MB.
LARGEST = 64_000_000
MOST_LINES = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """The blocks that can be read, in the order of the text, and what is wrong with the rest."""

    blocks: tuple[Block, ...]
    problems: tuple[Diagnostic, ...]


def render(lock: Lock) -> str:
    """Return the text of a lock."""
    return HEADER + "".join(f"\n{block_text(name, lock.targets[name])}" for name in sorted(lock.targets))


def decode(data: bytes, *, file: str) -> str:
    """Return the text of a lock; lines end with a line feed alone.

    Raises:
        OvmakeError: it is too large, or not UTF-8.
    """
    if len(data) > LARGEST:
        raise _unreadable(f"{file} is larger than the {LARGEST // 1_000_000} MB that are read")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise _unreadable(f"{file} is not UTF-8: byte {error.start} is 0x{data[error.start]:02x}") from None
    if text.count("\n") > MOST_LINES:
        raise _unreadable(f"{file} has more than the {MOST_LINES:,} lines that are read")
    return text.replace("\r\n", "\n")


def parse(text: str, *, file: str = "Ovfile.lock") -> Lock:
    """Return the lock that a text is of. An empty text is an empty lock.

    Raises:
        OvmakeError: with a diagnostic per mistake; `lock-conflict` if the text has conflict markers, or two blocks of
            one target. The status is 1.
    """
    parsed = blocks(text, file=file)
    if parsed.problems:
        raise OvmakeError(*parsed.problems, exit_status=1)
    return Lock(targets={one.target: one.found for one in parsed.blocks})


def blocks(text: str, *, file: str = "Ovfile.lock") -> Parsed:
    """Return what can be read of a text. A target may have several blocks; that is a problem, too."""
    lines = text.split("\n")
    found, problems = read_blocks(lines)
    told = [_diagnostic(one, lines, file) for one in problems]
    told += _twice(found, lines, file)
    told.sort(key=lambda one: one.span.line if one.span else 0)
    return Parsed(blocks=tuple(found), problems=tuple(told[:ENOUGH]))


def _twice(found: list[Block], lines: list[str], file: str) -> list[Diagnostic]:
    first: dict[str, Block] = {}
    return [
        Diagnostic(
            code="lock-conflict",
            message=f"{file} has two blocks of `{one.target}`",
            span=_span(one.line, lines, file),
            also=(Label(span=_span(before.line, lines, file), text="the first one"),),
            help="run `ovmake lock`: it keeps the one that the present inputs confirm",
        )
        for one in found
        if (before := first.setdefault(one.target, one)) is not one
    ]


def _diagnostic(problem: Problem, lines: list[str], file: str) -> Diagnostic:
    span = _span(problem.line, lines, file)
    if problem.kind != "syntax":
        what = "has conflict markers" if problem.kind == "marker" else problem.message
        hint = "run `ovmake lock`: it merges both sides block by block"
        return Diagnostic(code="lock-conflict", message=f"{file} {what}", span=span, help=hint)
    return Diagnostic(
        code="lock-unreadable",
        message=f"{file}: {problem.message}",
        span=span,
        help="take the file from git again, or remove it, and run `ovmake lock`",
    )


def _span(line: int, lines: list[str], file: str) -> Span:
    text = lines[line - 1]
    return Span(file=file, line=line, column=1, length=max(1, len(text)), text=text)


def _unreadable(message: str) -> OvmakeError:
    hint = "take the file from git again, or remove it, and run `ovmake lock`"
    return OvmakeError(Diagnostic(code="lock-unreadable", message=message, help=hint), exit_status=1)
