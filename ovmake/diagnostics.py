"""Errors as data, rendered once.

    Diagnostic(code, message, span, ...)    what is wrong, where, and what to do about it
    OvmakeError(diagnostics)                carries them up to `cli.main`, the only printer and exiter
    render(diagnostic) -> str               text for people, without colour, in the shape rustc made familiar
    to_json(diagnostic) -> dict             the same for `--json`

Rule 1: a message stands alone; `help` is an action, a note is a fact; none ends with a full stop.
Rule 2: the caret stands under the value, or under the key when the key is what is wrong.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Some characters of one line of a file.

    `line` and `column` count from 1, as editors do; `length` is in characters, at least 1; `text` is the whole line.
    """

    file: str
    line: int
    column: int
    length: int
    text: str

    @classmethod
    def of_offsets(cls, file: str, text: str, start: int, end: int) -> Span:
        """Return the span of `text[start:end]`, cut at the end of its first line."""
        line_start = text.rfind("\n", 0, start) + 1
        line_end = text.find("\n", start)
        line_end = len(text) if line_end < 0 else line_end
        return cls(
            file=file,
            line=text.count("\n", 0, start) + 1,
            column=start - line_start + 1,
            length=max(1, min(end, line_end) - start),
            text=text[line_start:line_end].rstrip("\r"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A second place that belongs to the story, such as "first declared here"."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One thing that is wrong.

    `code` is kebab-case and stable. `label` is written beside the caret. `help` says what to do next.
    """

    code: str
    message: str
    span: Span | None = None
    label: str = ""
    also: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    help: str = ""
    severity: Severity = "error"


class OvmakeError(Exception):
    """One or more diagnostics that end the command; `exit_status` is what the process returns."""

    def __init__(self, *diagnostics: Diagnostic, exit_status: int = 2) -> None:
        super().__init__("; ".join(d.message for d in diagnostics))
        self.diagnostics = diagnostics
        self.exit_status = exit_status


def in_order(diagnostics: list[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Return them as a reader meets them in the file; those without a place come last."""

    def position(diagnostic: Diagnostic) -> tuple[bool, int, int]:
        span = diagnostic.span
        return (span is None, span.line if span else 0, span.column if span else 0)

    return tuple(sorted(diagnostics, key=position))


def render(diagnostic: Diagnostic) -> str:
    """Return the diagnostic as text of several lines, without a newline at the end."""
    lines = [f"{diagnostic.severity}[{diagnostic.code}]: {diagnostic.message}"]
    labels = [] if diagnostic.span is None else [Label(span=diagnostic.span, text=diagnostic.label)]
    labels += diagnostic.also
    margin = max((len(str(label.span.line)) for label in labels), default=1)
    for index, label in enumerate(labels):
        lines += _excerpt(label, margin, mark="^" if index == 0 and diagnostic.span else "-")
    if labels and (diagnostic.help or diagnostic.notes):
        lines.append(f"{' ' * margin} |")
    lines += [f"{' ' * margin} = note: {note}" for note in diagnostic.notes]
    if diagnostic.help:
        lines.append(f"help: {diagnostic.help}")
    return "\n".join(lines)


def _excerpt(label: Label, margin: int, mark: str) -> list[str]:
    span = label.span
    before = _width(span.text[: span.column - 1])
    marked = max(1, _width(span.text[span.column - 1 : span.column - 1 + span.length]))
    pad = " " * margin
    return [
        f"{pad}--> {span.file}:{span.line}:{span.column}",
        f"{pad} |",
        f"{span.line:>{margin}} | {span.text.expandtabs(1)}",
        f"{pad} | {' ' * before}{mark * marked} {label.text}".rstrip(),
    ]


def _width(text: str) -> int:
    """Columns that `text` takes in a terminal: CJK characters take two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def to_json(diagnostic: Diagnostic) -> dict[str, object]:
    """Return what `--json` prints for a diagnostic; keys without a value are left out."""
    span = diagnostic.span
    place = None if span is None else {"file": span.file, "line": span.line, "column": span.column}
    fields: dict[str, object] = {
        "severity": diagnostic.severity,
        "code": diagnostic.code,
        "message": diagnostic.message,
        "at": place,
        "label": diagnostic.label,
        "notes": list(diagnostic.notes),
        "help": diagnostic.help,
    }
    return {key: value for key, value in fields.items() if value}


def did_you_mean(word: str, known: list[str]) -> str:
    """Return "did you mean `x`?" for the nearest of `known`, or "" when nothing is near."""
    import difflib  # noqa: PLC0415 - 5 ms that only a mistake should cost

    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean `{near[0]}`?" if near else ""
