"""Split a text with git's conflict markers into its sides. Pure.

    has_markers(text) -> bool
    sides_of(text, file=...) -> Sides

All styles of git are read: `merge`, `diff3` and `zdiff3` (with a base), and nested conflicts. Conflicts are nested
after a rebase of a commit with conflict markers, and in a criss-cross merge, where git puts longer markers into the
base.

Rule 1: A side is a whole text: its part of every conflict, and the lines between the conflicts.
Rule 2: Nested conflicts give one text for each path through them: ours in ours, theirs in ours, and so on.
Rule 3: The base is known if every conflict has a base without a conflict in it. With `zdiff3` git removes lines that
        both sides share; then the base may not be a lock, and a merge cannot use it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product

from ovmake.diagnostics import Diagnostic, OvmakeError, Span

# Each level doubles the texts: at most eight.
DEEPEST = 3

_ANY = re.compile(r"^(?:<{7,}|={7,}|>{7,}|\|{7,})(?: .*)?$", re.MULTILINE)
_MARKER = re.compile(r"(<{7,}|={7,}|>{7,}|\|{7,})(?: .*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """The texts of a conflict. `ours` and `theirs` are git's: in a rebase, ours is the branch that one rebases onto.

    `more` are the other paths through nested conflicts. `base` is None if it is not known.
    """

    ours: str
    theirs: str
    base: str | None = None
    more: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """Every text but the base."""
        return (self.ours, self.theirs, *self.more)


def has_markers(text: str) -> bool:
    """Whether a text has a line that looks like one of git's conflict markers. A lock has no such line."""
    return _ANY.search(text) is not None


def sides_of(text: str, *, file: str) -> Sides:
    """Split a text with conflicts.

    Raises:
        OvmakeError: a marker is in the wrong place, or conflicts are nested more than three deep.
    """
    lines = text.split("\n")
    top = _Reader(lines, file).read()
    depth = _depth(top)
    texts = {way: "\n".join(_through(top, way)) for way in product((0, 1), repeat=depth)}
    ours = texts.pop((0,) * depth)
    theirs = texts.pop((1,) * depth, ours)  # without a conflict, both are the text
    return Sides(ours=ours, theirs=theirs, base=_base(top), more=tuple(texts.values()))


@dataclass(slots=True)
class _Conflict:
    """A conflict. A part is a list of lines and conflicts; `parts` are ours and theirs."""

    size: int
    line: int
    parts: tuple[_Part, _Part] = field(default_factory=lambda: ([], []))
    base: _Part | None = None
    at: _Part = field(default_factory=list)  # the part that is being read
    has_theirs: bool = False


_Part = list["str | _Conflict"]


class _Reader:
    """Reads lines; markers belong to the innermost conflict, and must have its length."""

    def __init__(self, lines: Sequence[str], file: str) -> None:
        self._lines = lines
        self._file = file
        self._top: _Part = []
        self._open: list[_Conflict] = []

    def read(self) -> _Part:
        for number, line in enumerate(self._lines, 1):
            if (marker := _MARKER.fullmatch(line)) is None:
                self._at().append(line)
            else:
                self._mark(number, marker[1])
        if self._open:
            raise self._wrong(self._open[-1].line, "a conflict has no end marker")
        return self._top

    def _at(self) -> _Part:
        return self._open[-1].at if self._open else self._top

    def _mark(self, number: int, marker: str) -> None:
        kind, size = marker[0], len(marker)
        if kind == "<":
            self._begin(number, size)
            return
        if not self._open or self._open[-1].size != size:
            raise self._wrong(number, "this conflict marker belongs to no conflict")
        conflict = self._open[-1]
        if kind == "|" and conflict.base is None and not conflict.has_theirs:
            conflict.base = conflict.at = []
        elif kind == "=" and not conflict.has_theirs:
            conflict.has_theirs, conflict.at = True, conflict.parts[1]
        elif kind == ">" and conflict.has_theirs:
            self._open.pop()
        else:
            raise self._wrong(number, "this conflict marker is in the wrong place")

    def _begin(self, number: int, size: int) -> None:
        if len(self._open) == DEEPEST:
            raise self._wrong(number, f"conflicts are nested more than {DEEPEST} deep")
        conflict = _Conflict(size=size, line=number)
        conflict.at = conflict.parts[0]
        self._at().append(conflict)
        self._open.append(conflict)

    def _wrong(self, number: int, message: str) -> OvmakeError:
        text = self._lines[number - 1]
        return OvmakeError(
            Diagnostic(
                code="lock-conflict",
                message=f"{self._file}: {message}",
                span=Span(file=self._file, line=number, column=1, length=max(1, len(text)), text=text),
                help=f"restore the markers: `git checkout --conflict=merge {self._file}`",
            ),
            exit_status=1,
        )


def _depth(part: _Part) -> int:
    """Return how deep conflicts are nested; conflicts in a base do not count."""
    inner = (max(map(_depth, one.parts)) + 1 for one in part if isinstance(one, _Conflict))
    return max(inner, default=0)


def _through(part: _Part, way: Sequence[int]) -> list[str]:
    """Return the lines of one path through all conflicts: `way` has the side to take at each depth."""
    lines: list[str] = []
    for one in part:
        lines += [one] if isinstance(one, str) else _through(one.parts[way[0]], way[1:])
    return lines


def _base(part: _Part) -> str | None:
    lines: list[str] = []
    for one in part:
        if isinstance(one, str):
            lines.append(one)
        elif one.base is None or any(isinstance(inner, _Conflict) for inner in one.base):
            return None
        else:
            lines += [line for line in one.base if isinstance(line, str)]
    return "\n".join(lines)
