"""Turn key paths into positions in the text: carets for problems, and for errors of tomli.

Runs only if there is a diagnostic:

    Pointer(text, file).diagnostic(problem) -> Diagnostic
    Pointer(text, file).span(at) -> Span | None
    not_toml(error, text, file) -> Diagnostic
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import tomli

from ovmake.diagnostics import Diagnostic, Label, Span
from ovmake.ovfile.problems import LONGEST, Problem, clipped, dotted
from ovmake.ovfile.text.cures import cure
from ovmake.ovfile.words import KeyPath

if TYPE_CHECKING:
    from ovmake.ovfile.text.locate import Position

TWICE = re.compile(r"Cannot (declare|overwrite|mutate|redefine)|Duplicate")
# Python does not convert longer decimal integers; its ValueError has no position.
TOO_LONG = re.compile(r"[0-9_]{4300,}")


@dataclass(frozen=True, slots=True)
class Pointer:
    """Finds positions in the text of an Ovfile that tomli has accepted."""

    text: str
    file: str

    def diagnostic(self, problem: Problem) -> Diagnostic:
        """Return the diagnostic of a problem, without a span if there is none: an Ovfile can be empty."""
        also: tuple[Label, ...] = ()
        if problem.also is not None and (second := self.span(problem.also.at)):
            also = (Label(span=second, text=problem.also.text),)
        return Diagnostic(
            code=problem.code,
            message=problem.message,
            span=self.span(problem.at, on=problem.on),
            label=problem.label,
            also=also,
            help=problem.help,
            severity=problem.severity,
        )

    def span(self, at: KeyPath, *, on: Literal["key", "value"] = "value") -> Span | None:
        """Return the span of a key or its value; for a table, its header; for a missing key, the span of its table."""
        places = _places(self.text)
        while at and at not in places:
            at = at[:-1]
        if not at:
            return None
        place = places[at]
        offsets = (place.key if on == "key" else None) or place.value or place.header or place.key
        return None if offsets is None else Span.of_offsets(self.file, self.text, *offsets)


@lru_cache(maxsize=1)
def _places(text: str) -> dict[KeyPath, Position]:
    from ovmake.ovfile.text.locate import locate  # noqa: PLC0415 - needed only for diagnostics

    return locate(text)


def not_toml(error: ValueError | RecursionError, text: str, file: str) -> Diagnostic:
    """Return the diagnostic of an error of tomli, with our caret."""
    if isinstance(error, tomli.TOMLDecodeError):
        # tomli's positions are in the text with LF for CRLF
        return _refused(error, text.replace("\r\n", "\n"), file)
    if isinstance(error, RecursionError):
        hint = "nest them less deeply"
        message = "the Ovfile nests tables or arrays too deeply"
        return Diagnostic(code="too-large", message=message, help=hint)
    number = TOO_LONG.search(text)
    span = Span.of_offsets(file, text, *number.span()) if number else None
    return Diagnostic(
        code="toml-syntax", message="the Ovfile is not valid TOML", span=span, label="this number is too long"
    )


def _refused(error: tomli.TOMLDecodeError, text: str, file: str) -> Diagnostic:
    if TWICE.match(error.msg):
        return _twice(error, text, file)
    label = clipped(error.msg[:1].lower() + error.msg[1:], 2 * LONGEST)
    if error.pos >= len(text):
        label = f"the Ovfile ends here: {label}"
    span = _at(error, text, file)
    return Diagnostic(
        code="toml-syntax", message="the Ovfile is not valid TOML", span=span, label=label, help=cure(text, error.pos)
    )


def _twice(error: tomli.TOMLDecodeError, text: str, file: str) -> Diagnostic:
    """Point at both declarations, if we can find them: tomli names only the position where it noticed them."""
    from ovmake.ovfile.text.locate import declared_twice  # noqa: PLC0415 - see `_places`

    hint = "keep one of them, with all its settings"
    if (found := declared_twice(text)) is None:
        message = "a key or table is declared twice, or with two different types"
        return Diagnostic(code="duplicate-key", message=message, span=_at(error, text, file), help=hint)
    at, first, second = found
    what = f"[{dotted(at)}]" if second.header else f"`{dotted(at)}`"
    return Diagnostic(
        code="duplicate-key",
        message=f"{what} is declared twice",
        span=_declared(second, text, file),
        also=tuple(Label(span=span, text="first declared here") for span in [_declared(first, text, file)] if span),
        help=hint,
    )


def _declared(place: Position, text: str, file: str) -> Span | None:
    offsets = place.header or place.key
    return Span.of_offsets(file, text, *offsets) if offsets else None


def _at(error: tomli.TOMLDecodeError, text: str, file: str) -> Span:
    # The end of the document may be blank: point behind the last line with text.
    position = min(error.pos, len(text.rstrip())) if error.pos >= len(text) else error.pos
    return Span.of_offsets(file, text, position, position + 1)
