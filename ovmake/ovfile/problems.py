"""Mistakes at key paths, before their positions in the text are looked up.

    Problem(code, at, message, ...)    one mistake
    Problems.add(problem)              collect mistakes, each once, up to a maximum
    toml(value) -> str                 a value in TOML, for messages

Rule: quotes from the Ovfile go through `toml` or `clipped`, so that messages stay short.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Literal

from ovmake.diagnostics import Severity
from ovmake.ovfile.words import KeyPath

LONGEST = 60
# Maximum number of mistakes to report.
ENOUGH = 100
BARE = re.compile(r"[A-Za-z0-9_-]+\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Also:
    """A second position of a problem, and its label."""

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
    """The maximum number of mistakes is found: the check can stop."""


@dataclass(slots=True)
class Problems:
    """Collects problems, so that one run shows all of them. `cut`: there are more errors, or warnings, than these."""

    found: list[Problem] = field(default_factory=list)
    cut: set[Severity] = field(default_factory=set)
    _known: set[tuple[str, KeyPath]] = field(default_factory=set)
    _count: dict[Severity, int] = field(default_factory=dict)

    def add(self, problem: Problem) -> None:
        """Add `problem` once: several targets may report the same setting.

        Raises:
            EnoughError: it is one error more than the maximum.
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
        """Drop all problems."""
        self.found.clear()
        self.cut.clear()
        self._known.clear()
        self._count.clear()

    @property
    def errors(self) -> list[Problem]:
        """The problems that end the command."""
        return [problem for problem in self.found if problem.severity == "error"]

    @property
    def warnings(self) -> list[Problem]:
        """The problems that do not end it."""
        return [problem for problem in self.found if problem.severity == "warning"]


def dotted(at: KeyPath) -> str:
    """Return a key path in TOML's spelling: `models.digits.inputs."x:0".shape[0]`."""
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
    """Return the problem of a wrong value of the right type; `is_what` continues "... is"."""
    label = f"expected {expected}" if expected else ""
    return Problem(code="bad-value", at=at, message=f"`{dotted(at)}` is {is_what}", label=label, help=hint)


def not_yet(at: KeyPath, value: object, ready: str) -> Problem:
    """Return the problem of a valid value that this version does not support; it must not be ignored.

    `ready` lists the supported values.
    """
    return Problem(
        code="not-yet-supported",
        at=at,
        message=f"`{dotted(at)} = {toml(value)}` is not supported yet",
        label=f"only {ready} so far",
        help="leave it out: this version of ovmake cannot do it",
    )
