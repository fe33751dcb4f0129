"""From key paths to places in the text: carets for problems, and for what tomli refuses.

Only run when there is something to say:

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
# Python converts no longer decimal integers, and says so with a ValueError that has no position.
TOO_LONG = re.compile(r"[0-9_]{4300,}")


@dataclass(frozen=True, slots=True)
class Pointer:
    """Knows where everything stands in the text of an Ovfile that tomli has accepted."""

    text: str
    file: str

    def diagnostic(self, problem: Problem) -> Diagnostic:
        """Return a problem with its place, or without one if it has none: an Ovfile can be empty."""
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
        """Return where a key or its value stands; for a table, its header. What is not there has its table's place."""
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
    from ovmake.ovfile.text.locate import locate  # noqa: PLC0415 - needed only when there is something to point at

    return locate(text)


def not_toml(error: ValueError | RecursionError, text: str, file: str) -> Diagnostic:
    """Return what tomli has against `text`, with our caret."""
    if isinstance(error, tomli.TOMLDecodeError):
        # tomli counts in the text with CRLF made LF
        return _refused(error, text.replace("\r\n", "\n"), file)
    if isinstance(error, RecursionError):
        hint = "nest them less deeply"
        message = "the Ovfile has tables or arrays in each other, more levels deep than are read"
        return Diagnostic(code="too-large", message=message, help=hint)
    number = TOO_LONG.search(text)
    span = Span.of_offsets(file, text, *number.span()) if number else None
    return Diagnostic(code="toml-syntax", message="the Ovfile is not valid TOML", span=span, label="too long a number")


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
    """Of two declarations tomli says where it noticed; say where both are, as far as we can find them."""
    from ovmake.ovfile.text.locate import declared_twice  # noqa: PLC0415 - see `_places`

    hint = "keep one of them, with everything that belongs in it"
    if (found := declared_twice(text)) is None:
        message = "a key or table is declared twice, or as two different things"
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
    # At the end of the document there may be nothing left to stand under: point behind the last line with something.
    position = min(error.pos, len(text.rstrip())) if error.pos >= len(text) else error.pos
    return Span.of_offsets(file, text, position, position + 1)
