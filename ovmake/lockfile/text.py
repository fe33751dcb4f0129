"""Render and parse the text of a lock.

    render(lock) -> str
    parse(text, file=...) -> Lock               strict: one diagnostic with a line per mistake
    blocks(text, file=...) -> Parsed            all readable blocks, for merging
    decode(data, file=...) -> str

The text is TOML. A block has one fact per line, in a fixed order:

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

Rule 1: Blocks are sorted by the names of their targets. The file has no version, no date and no digest of the whole.
Rule 2: Empty facts and figures that were not measured have no line. Numbers survive a round trip.
Rule 3: The last line of a block never changes. Git reports a conflict if two changes touch each other; the last line,
        the blank line and the next header separate changes of two blocks.
Rule 4: `digest` covers all lines of the block above it. Each edit of a block changes that line, so two different edits
        of one block are always a conflict for git, and never a third block.
Rule 5: `parse` accepts only the form that `render` writes, line by line. So each mistake has a line, and a stranger's
        lock cannot nest or repeat anything. A TOML parser would not return the positions of values.
"""

from __future__ import annotations

from dataclasses import dataclass

from ovmake.contracts.sharing.lock import Lock
from ovmake.diagnostics import Diagnostic, Label, OvmakeError, Span
from ovmake.lockfile.reading import ENOUGH, Block, Problem, read_blocks
from ovmake.lockfile.writing import block_text

HEADER = "# `ovmake lock` wrote this file: commit it, and do not edit it. It merges both sides of a conflict, too.\n"
# An Ovfile has at most 36,000 targets; their lock has about 45 MB.
LARGEST = 64_000_000
MOST_LINES = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """The readable blocks in the order of the text, and the mistakes of the others."""

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
        raise _unreadable(f"{file} is larger than {LARGEST // 1_000_000} MB, the limit")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise _unreadable(f"{file} is not UTF-8: byte {error.start} is 0x{data[error.start]:02x}") from None
    if text.count("\n") > MOST_LINES:
        raise _unreadable(f"{file} has more than {MOST_LINES:,} lines, the limit")
    return text.replace("\r\n", "\n")


def parse(text: str, *, file: str = "Ovfile.lock") -> Lock:
    """Return the lock in a text. An empty text is an empty lock.

    Raises:
        OvmakeError: with a diagnostic per mistake; `lock-conflict` if the text has conflict markers, or two blocks of
            one target. The status is 1.
    """
    parsed = blocks(text, file=file)
    if parsed.problems:
        raise OvmakeError(*parsed.problems, exit_status=1)
    return Lock(targets={one.target: one.found for one in parsed.blocks})


def blocks(text: str, *, file: str = "Ovfile.lock") -> Parsed:
    """Return the readable blocks of a text. Two blocks of one target are a problem, too."""
    lines = text.split("\n")
    found, problems = read_blocks(lines)
    if marker := next((one for one in problems if one.kind == "marker"), None):  # other problems follow from it
        return Parsed(blocks=tuple(found), problems=(_diagnostic(marker, lines, file),))
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
            help="run `ovmake lock`: it keeps the block that matches the Ovfile and the sources",
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
        help="restore the file from git, or remove it and run `ovmake lock`",
    )


def _span(line: int, lines: list[str], file: str) -> Span:
    text = lines[line - 1]
    return Span(file=file, line=line, column=1, length=max(1, len(text)), text=text)


def _unreadable(message: str) -> OvmakeError:
    hint = "restore the file from git, or remove it and run `ovmake lock`"
    return OvmakeError(Diagnostic(code="lock-unreadable", message=message, help=hint), exit_status=1)
