"""Read the lines of a lock into blocks, with one pattern for each kind of line. Pure.

    read_blocks(lines) -> blocks, problems

A block with a mistake is left out, and its mistakes are returned. Reading ends after `ENOUGH` problems.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ovmake.contracts.sharing.lock import LockedTarget
from ovmake.diagnostics import harmless
from ovmake.lockfile import values
from ovmake.lockfile.writing import block_digest

ENOUGH = 100
LONGEST_SHOWN = 60

_STRING = r'"(?:[^"\\\x00-\x1f\x7f]|\\(?:["\\/bfnrt]|u(?![dD][89abAB])[0-9a-fA-F]{4}))*+"'
_HEADER = re.compile(rf"\[({_STRING})\]")
_NUMBER = r"-?[0-9]{1,20}(?:\.[0-9]{1,30})?(?:e[+-]?[0-9]{1,3})?"
_FACT = re.compile(rf"([a-z-]{{1,20}})(?:\.({_STRING}))? = (?:({_STRING})|({_NUMBER})|(\[))")
_ELEMENT = re.compile(rf"  ({_STRING}),")
_MARKER = re.compile(r"(<{7,}|={7,}|>{7,}|\|{7,})(?: .*)?")

# The keys of a block, by the type of their values.
SHA256 = ("inputs", "settings", "digest")
WORDS = ("isa", "metric")
TABLES = ("sources", "outputs", "versions")
NUMBERS = ("tensorflow", "openvino", "drop", "drop-low", "drop-high")
LIST = "reverted"
END = "end"
NEEDED = SHA256


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A mistake in a line; lines count from 1.

    marker: the line is a conflict marker of git; mixed: the block was edited or merged.
    """

    line: int
    message: str = ""
    kind: Literal["syntax", "marker", "mixed"] = "syntax"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A block that was read, and the line of its header."""

    target: str
    line: int
    found: LockedTarget


def read_blocks(lines: Sequence[str]) -> tuple[list[Block], list[Problem]]:
    """Return the blocks that have no mistake, in the order of the text, and all mistakes up to `ENOUGH`."""
    reader = _Reader()
    for number, line in enumerate(lines, 1):
        reader.take(number, line)
        if len(reader.problems) >= ENOUGH:
            return reader.found, reader.problems
    reader.finish()
    return reader.found, reader.problems


@dataclass(slots=True)
class _Open:
    """The block that is being read. Facts are checked as they come."""

    target: str
    line: int
    texts: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, float] = field(default_factory=dict)
    tables: dict[str, dict[str, str]] = field(default_factory=dict)
    reverted: list[str] | None = None
    in_list: bool = False
    wrong: bool = False

    @property
    def ended(self) -> bool:
        return END in self.texts

    def closed(self) -> LockedTarget:
        return LockedTarget(
            inputs=self.texts["inputs"],
            settings=self.texts["settings"],
            sources=self.tables.get("sources", {}),
            outputs=self.tables.get("outputs", {}),
            versions=self.tables.get("versions", {}),
            isa=self.texts.get("isa", ""),
            metric=self.texts.get("metric", ""),
            tensorflow=self.numbers.get("tensorflow"),
            openvino=self.numbers.get("openvino"),
            drop=self.numbers.get("drop"),
            drop_low=self.numbers.get("drop-low"),
            drop_high=self.numbers.get("drop-high"),
            reverted=tuple(self.reverted or ()),
        )


class _Reader:
    def __init__(self) -> None:
        self.found: list[Block] = []
        self.problems: list[Problem] = []
        self._open: _Open | None = None

    def take(self, number: int, line: str) -> None:
        """Read one line."""
        if _MARKER.fullmatch(line):
            self.problems.append(Problem(line=number, kind="marker"))
        elif self._open is not None and self._open.in_list:
            self._element(number, line, self._open)
        elif line and not line.startswith("#"):
            self._begin_or_add(number, line)

    def _begin_or_add(self, number: int, line: str) -> None:
        if header := _HEADER.fullmatch(line):
            self.finish()
            target = _decoded(header[1])
            self._open = _Open(target, number)
            if why := values.wrong_target(target):
                self._wrong(number, f"`{_shown(target)}` {why}")
        elif self._open is None or self._open.ended:
            self._wrong(number, "a line outside of a block")
        elif fact := _FACT.fullmatch(line):
            self._fact(number, self._open, fact)
        else:
            self._wrong(number, f"`{_shown(line)}` is not a line of a lock")

    def finish(self) -> None:
        """End the block that is being read."""
        block, self._open = self._open, None
        if block is None:
            return
        if not block.ended:
            self._open = block
            self._wrong(block.line, f"the block of `{_shown(block.target)}` does not end with its `{END}`")
            self._open = None
        elif not block.wrong:
            self._close(block, block.closed())

    def _close(self, block: _Open, found: LockedTarget) -> None:
        if block_digest(block.target, found) == block.texts["digest"]:
            self.found.append(Block(target=block.target, line=block.line, found=found))
            return
        message = f"has a block of `{block.target}` that was edited, or combined from two by a merge"
        self.problems.append(Problem(line=block.line, message=message, kind="mixed"))

    def _wrong(self, number: int, message: str) -> None:
        self.problems.append(Problem(line=number, message=message))
        if self._open is not None:
            self._open.wrong = True

    def _element(self, number: int, line: str, block: _Open) -> None:
        if line == "]":
            block.in_list = False
        elif (found := _ELEMENT.fullmatch(line)) and block.reverted is not None:
            layer = _decoded(found[1])
            if why := values.wrong_words(layer):
                self._wrong(number, f"`{_shown(layer)}` {why}")
            block.reverted.append(layer)
        else:
            block.in_list = False  # so that what follows is read again
            self._wrong(number, f"`{_shown(line)}` is not an element of `{LIST}`")

    def _fact(self, number: int, block: _Open, fact: re.Match[str]) -> None:
        key, name, text, figure, bracket = fact.groups()
        if name is not None and key in TABLES and text is not None:
            self._entry(number, block, key, _decoded(name), _decoded(text))
        elif name is None and text is not None and key in (*SHA256, *WORDS, END):
            self._text(number, block, key, _decoded(text))
        elif name is None and figure is not None and key in NUMBERS:
            self._number(number, block, key, float(figure))
        elif name is None and bracket is not None and key == LIST:
            if block.reverted is not None:
                self._wrong(number, f"`{key}` appears twice")
            block.reverted, block.in_list = [], True
        elif key in (*SHA256, *WORDS, *TABLES, *NUMBERS, LIST, END):
            self._wrong(number, f"`{key}` has a value of another type")
        else:
            self._wrong(number, f"unknown key `{key}`")

    def _entry(self, number: int, block: _Open, key: str, name: str, text: str) -> None:
        table = block.tables.setdefault(key, {})
        if name in table:
            self._wrong(number, f"`{_shown(name)}` appears twice in `{key}`")
        wrong_name = values.wrong_output(name, block.target) if key == "outputs" else values.wrong_words(name)
        wrong_text = values.wrong_words(text) if key == "versions" else values.wrong_digest(text)
        for shown, why in ((name, wrong_name), (text, wrong_text)):
            if why:
                self._wrong(number, f"`{_shown(shown)}` in `{key}` {why}")
        table[name] = text

    def _text(self, number: int, block: _Open, key: str, text: str) -> None:
        if key in block.texts:
            self._wrong(number, f"`{key}` appears twice")
        block.texts[key] = text
        if why := _check_of(key, block)(text):
            self._wrong(number, f"`{key}`: `{_shown(text)}` {why}")
        if key == END:
            missing = [one for one in NEEDED if one not in block.texts]
            missing += [one for one in ("sources", "outputs", "versions") if one not in block.tables]
            for one in missing:
                self._wrong(block.line, f"the block of `{_shown(block.target)}` has no `{one}`")

    def _number(self, number: int, block: _Open, key: str, value: float) -> None:
        if key in block.numbers:
            self._wrong(number, f"`{key}` appears twice")
        if why := values.wrong_number(value):
            self._wrong(number, f"`{key}` {why}")
        block.numbers[key] = value


def _check_of(key: str, block: _Open) -> Callable[[str], str]:
    if key in SHA256:
        return values.wrong_sha256
    if key == END:
        return lambda text: "" if text == block.target else f"is not `{_shown(block.target)}`"
    return values.wrong_words


def _decoded(quoted: str) -> str:
    return str(json.loads(quoted))


def _shown(text: str) -> str:
    short = text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
    return harmless(short)
