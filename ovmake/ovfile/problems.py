"""Mistakes at key paths, before anybody knows where in the text they stand.

    Problem(code, at, message, ...)    one mistake
    Problems.add(problem)              collects them, each once, and not without end
    toml(value) -> str                 a value as its writer would write it, for messages

Rule: what a message quotes from the Ovfile goes through `toml` or `clipped`, so that no message outgrows its reader.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Literal

from ovmake.diagnostics import Severity
from ovmake.ovfile.words import KeyPath

LONGEST = 60
# Mistakes that are told. Whoever has more mends these first.
ENOUGH = 100
BARE = re.compile(r"[A-Za-z0-9_-]+\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Also:
    """A second place of a problem, and what is to be said of it."""

    at: KeyPath
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A mistake at a key path; `on` says whether the caret goes under the key or the value."""

    code: str
    at: KeyPath
    message: str
    label: str = ""
    help: str = ""
    on: Literal["key", "value"] = "value"
    also: Also | None = None
    severity: Severity = "error"


class EnoughError(Exception):
    """There are more mistakes than are told: no more of them need be looked for."""


@dataclass(slots=True)
class Problems:
    """Collects problems, so that one run shows all of them. `cut`: there are more errors, or warnings, than these."""

    found: list[Problem] = field(default_factory=list)
    cut: set[Severity] = field(default_factory=set)
    _known: set[tuple[str, KeyPath]] = field(default_factory=set)
    _count: dict[Severity, int] = field(default_factory=dict)

    def add(self, problem: Problem) -> None:
        """Add `problem`, once: several targets may run into the same place of the Ovfile.

        Raises:
            EnoughError: it is one error more than are told.
        """
        if (problem.code, problem.at) in self._known:
            return
        count = self._count.get(problem.severity, 0)
        if count < ENOUGH:
            self._count[problem.severity] = count + 1
            self._known.add((problem.code, problem.at))
            self.found.append(problem)
            return
        self.cut.add(problem.severity)
        if problem.severity == "error":
            raise EnoughError

    def forget(self) -> None:
        """Drop what was found."""
        self.found.clear()
        self.cut.clear()
        self._known.clear()
        self._count.clear()

    @property
    def errors(self) -> list[Problem]:
        """Those that end the command."""
        return [problem for problem in self.found if problem.severity == "error"]

    @property
    def warnings(self) -> list[Problem]:
        """Those that do not."""
        return [problem for problem in self.found if problem.severity == "warning"]


def dotted(at: KeyPath) -> str:
    """Return a key path as a user writes it: `models.digits.inputs."x:0".shape[0]`."""
    text = ""
    for part in at:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if BARE.match(part) else json.dumps(part, ensure_ascii=False))
    return clipped(text, 2 * LONGEST)


def clipped(text: str, longest: int = LONGEST) -> str:
    """Return `text`, cut if it is long."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def toml(value: object) -> str:
    """Return a value as TOML writes it, cut if it is long."""
    return clipped(_toml(value))


def _toml(value: object) -> str:
    if isinstance(value, str):
        return json.dumps(value[: 2 * LONGEST], ensure_ascii=False)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value) if abs(value) < 1 << 63 else "a huge integer"
    if isinstance(value, list):
        return "[...]" if any(isinstance(e, list | dict) for e in value) else f"[{', '.join(map(_toml, value))}]"
    return "{...}" if isinstance(value, dict) else str(value)


def toml_type(value: object) -> str:
    """Return TOML's name for the type of a parsed value, with its article."""
    # bool before int: True is an int in Python
    names = (
        (bool, "a boolean"),
        (int, "an integer"),
        (float, "a float"),
        (str, "a string"),
        (list, "an array"),
        (dict, "a table"),
    )
    return next((name for kind, name in names if isinstance(value, kind)), "a date or time")


def wrong_type(expected: str, value: object, at: KeyPath, hint: str = "") -> Problem:
    """Return the problem of a value of the wrong TOML type."""
    message = f"`{dotted(at)}` is {toml_type(value)}, not {expected}"
    return Problem(code="wrong-type", at=at, message=message, label=f"expected {expected}", help=hint)


def bad_value(is_what: str, expected: str, at: KeyPath, hint: str = "") -> Problem:
    """Return the problem of a value of the right type that will not do; `is_what` goes on after "... is"."""
    label = f"expected {expected}" if expected else ""
    return Problem(code="bad-value", at=at, message=f"`{dotted(at)}` is {is_what}", label=label, help=hint)


def not_yet(at: KeyPath, value: object, ready: str) -> Problem:
    """Return the problem of a value that has a meaning, and that this version cannot do: it must not pass in silence.

    `ready` says what can stand there instead.
    """
    return Problem(
        code="not-yet-supported",
        at=at,
        message=f"`{dotted(at)} = {toml(value)}` is not supported yet",
        label=f"only {ready} so far",
        help="leave it out: this version of ovmake cannot do it",
    )
