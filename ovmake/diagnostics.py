"""Errors as data, rendered once.

    Diagnostic(code, message, span, ...)    an error: message, position, notes, and help
    OvmakeError(diagnostics)                carries them to `cli.main`, the only printer and exiter
    render(diagnostic) -> str               text without colour, in the form of rustc's errors
    to_json(diagnostic) -> dict             the same for `--json`
    harmless(text) -> str                   text with control characters escaped

Rule 1: a message stands alone; `help` is an action, a note is a fact; none ends with a period.
Rule 2: the caret is under the value, or under the key if the key is wrong.
Rule 3: an Ovfile may come from a stranger: none of its control characters reaches the terminal.
"""

from __future__ import annotations

import errno
import sys
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Severity = Literal["error", "warning"]

# Of a longer line, only the part around the caret is shown.
LINE_WIDTH = 110
# "did you mean" ignores longer words: a word may have a megabyte.
LONGEST_WORD = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A range of characters in one line of a file.

    `line` and `column` count from 1, as editors do; `length` is in characters, at least 1; `text` is the whole line.
    A span of length 1 may be just after the end of the line.
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
        line = _line(text, line_start, line_end)
        return cls(
            file=file,
            line=text.count("\n", 0, start) + 1,
            column=start - line_start + 1,
            length=max(1, min(end, line_start + len(line)) - start),
            text=line,
        )


@lru_cache(maxsize=1)  # a hundred errors in one line of a megabyte share it
def _line(text: str, start: int, end: int) -> str:
    return text[start:end].removesuffix("\r")


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A second span with a label, such as "first declared here"."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One error or warning.

    `code` is kebab-case and stable. `label` is printed beside the caret. `help` says what to do next. Only a note may
    have several lines, such as a framework's own message.
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


# What is told of a stored file that is no file of ovmake's. Without keys, a remote cache may hold anything.
OTHER_FORM = "a stored result is not of the form that ovmake writes"
OTHER_FORM_NOTE = "it came from a remote cache without `trusted-keys`, or something else wrote it"
OTHER_FORM_HELP = "`ovmake build --force --no-remote` makes all results again"


def of_error(error: Exception) -> OvmakeError | None:
    """Return a Python error that reached the command line as an OvmakeError; None if it is a bug in ovmake."""
    if isinstance(error, OvmakeError):
        return error
    if type(error).__module__ == "sqlite3":
        hint = "free space on the disk, or remove .ovmake: ovmake can rebuild all of it"
        return OvmakeError(Diagnostic(code="state", message=f"the state database: {error}", help=hint), exit_status=1)
    if isinstance(error, UnicodeEncodeError) and error.encoding == sys.getfilesystemencoding() != "utf-8":
        name = error.object.encode("ascii", "backslashreplace").decode()
        message = f"the system's encoding, {error.encoding}, cannot name the file `{name}`"
        hint = "set PYTHONUTF8=1, or a locale such as LC_ALL=C.UTF-8"
        return OvmakeError(Diagnostic(code="system", message=message, help=hint), exit_status=1)
    if type(error).__module__ == "ovmake.contracts.codec":
        found = Diagnostic(
            code="store-damaged",
            message=f"{OTHER_FORM}: {error}",
            notes=(OTHER_FORM_NOTE,),
            help=OTHER_FORM_HELP,
        )
        return OvmakeError(found, exit_status=1)
    if isinstance(error, OSError):
        message = f"{error.strerror or error}" + (f": {error.filename}" if error.filename else "")
        return OvmakeError(Diagnostic(code="system", message=message, help=what_to_do(error)), exit_status=1)
    return None


def what_to_do(error: OSError) -> str:
    """Return the help for a failed write; "" if the message is enough."""
    return "free space on that disk, and run ovmake again" if error.errno in {errno.ENOSPC, errno.EDQUOT} else ""


def in_order(diagnostics: list[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Return diagnostics in the order of the file; those without a span come last."""

    def position(diagnostic: Diagnostic) -> tuple[bool, int, int]:
        span = diagnostic.span
        return (span is None, span.line if span else 0, span.column if span else 0)

    return tuple(sorted(diagnostics, key=position))


def render(diagnostic: Diagnostic) -> str:
    """Return the diagnostic as text of several lines, without a newline at the end."""
    lines = [f"{diagnostic.severity}[{diagnostic.code}]: {harmless(diagnostic.message)}"]
    labels = [] if diagnostic.span is None else [Label(span=diagnostic.span, text=diagnostic.label)]
    labels += diagnostic.also
    margin = max((len(str(label.span.line)) for label in labels), default=1)
    for index, label in enumerate(labels):
        lines += _excerpt(label, margin, mark="^" if index == 0 and diagnostic.span else "-")
    if labels and (diagnostic.help or diagnostic.notes):
        lines.append(f"{' ' * margin} |")
    for note in diagnostic.notes:
        first, *more = note.splitlines() or [""]
        lines.append(f"{' ' * margin} = note: {harmless(first)}")
        lines += [f"{' ' * margin}         {harmless(line)}".rstrip() for line in more]
    if diagnostic.help:
        lines.append(f"help: {harmless(diagnostic.help)}")
    return "\n".join(lines)


def _excerpt(label: Label, margin: int, mark: str) -> list[str]:
    span = label.span
    text, start, end = _around(span.text, span.column - 1, span.column - 1 + span.length)
    pad = " " * margin
    marks = mark * max(1, _width(text[start:end]))
    return [
        f"{pad}--> {harmless(span.file)}:{span.line}:{span.column}",
        f"{pad} |",
        f"{span.line:>{margin}} | {_one_column_each(text)}".rstrip(),
        f"{pad} | {' ' * _width(text[:start])}{marks} {harmless(label.text)}".rstrip(),
    ]


def _around(text: str, start: int, end: int) -> tuple[str, int, int]:
    """Return a line, or the part of a long line around `text[start:end]`, with the new start and end."""
    if len(text) <= LINE_WIDTH:
        return text, start, end
    first = 0 if end <= LINE_WIDTH else max(0, min(start - LINE_WIDTH // 3, len(text) - LINE_WIDTH))
    last = first + LINE_WIDTH
    dots = "…" if first else ""
    part = dots + text[first:last] + ("…" if last < len(text) else "")
    return part, start - first + len(dots), min(end, last) - first + len(dots)


def _width(text: str) -> int:
    """Return the columns of `text` in a terminal: CJK characters take two, combining marks and joiners none."""
    if text.isascii():
        return len(text)
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if _is_control(character):
        return 1  # `_one_column_each` replaces it
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _is_control(character: str) -> bool:
    """Whether a terminal may obey it: control codes, line separators, and marks that change the text's direction."""
    return (
        unicodedata.category(character) in {"Cc", "Zl", "Zp", "Cs"}
        or "\u202a" <= character <= "\u202e"
        or "\u2066" <= character <= "\u2069"
    )


def _one_column_each(line: str) -> str:
    """Return a line of a file with every tab as one space and every control character as one `�`."""
    return "".join(" " if c == "\t" else "\ufffd" if _is_control(c) else c for c in line)


def harmless(text: str) -> str:
    r"""Return `text` with control characters escaped: `\x1b`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c.encode("unicode_escape").decode() if _is_control(c) else c for c in text)


def to_json(diagnostic: Diagnostic) -> dict[str, object]:
    """Return the JSON form of a diagnostic, for `--json`; keys without a value are left out."""
    also = [{"at": _place(label.span), "label": label.text} for label in diagnostic.also]
    fields: dict[str, object] = {
        "severity": diagnostic.severity,
        "code": diagnostic.code,
        "message": diagnostic.message,
        "at": None if diagnostic.span is None else _place(diagnostic.span),
        "label": diagnostic.label,
        "also": also,
        "notes": list(diagnostic.notes),
        "help": diagnostic.help,
    }
    return {key: value for key, value in fields.items() if value}


def _place(span: Span) -> dict[str, object]:
    return {"file": span.file, "line": span.line, "column": span.column, "length": span.length}


def did_you_mean(word: str, known: list[str]) -> str:
    """Return "did you mean `x`?" for the most similar word of `known`, or "" if no word is similar.

    `FP16` and `max_drop` are similar to `fp16` and `max-drop`.
    """
    import difflib  # noqa: PLC0415 - takes 5 ms, and only mistakes need it

    if len(word) > LONGEST_WORD:
        return ""
    plain = {name.casefold().replace("_", "-"): name for name in known if len(name) <= LONGEST_WORD}
    near = difflib.get_close_matches(word.casefold().replace("_", "-"), plain, n=1, cutoff=0.65)
    return f"did you mean `{plain[near[0]]}`?" if near else ""
