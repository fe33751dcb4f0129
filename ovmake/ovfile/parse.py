"""Read an Ovfile: TOML text in, a typed `Ovfile` out, or every diagnostic at once.

    parse(text, file=..., inside=...) -> Ovfile
    parse_some(text, models, file=..., inside=...) -> Ovfile    of an Ovfile that is known to be right otherwise
    decode(data, file=...) -> str
    span_of(at, text, file) -> Span | None

Four passes: TOML syntax (tomli), form (`form.py`), references (`references.py`), meaning (`meaning.py`). What one pass
refuses, the next ones pass over, so that all mistakes show in one run; only wrong TOML and another version end it
early.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import tomli

from ovmake.diagnostics import Diagnostic, OvmakeError, Span, in_order
from ovmake.ovfile.meaning import references
from ovmake.ovfile.meaning.references import Inside
from ovmake.ovfile.meaning.settings import table
from ovmake.ovfile.meaning.targets import Meaning
from ovmake.ovfile.problems import ENOUGH, EnoughError, Problem, Problems, toml
from ovmake.ovfile.schema import form
from ovmake.ovfile.spec import Ovfile
from ovmake.ovfile.text import limits
from ovmake.ovfile.text.edits import MODELS
from ovmake.ovfile.text.pointing import Pointer, not_toml
from ovmake.ovfile.words import VERSION, KeyPath

BYTE_ORDER_MARK = "\ufeff"
# What an Ovfile means whose mistakes are all there is to say of it.
NOTHING = Ovfile(build_dir="", device="", report_title="", datasets={}, targets=())


def parse(text: str, *, file: str = "Ovfile", inside: Inside = lambda _: True) -> Ovfile:
    """Return what `text` means. `inside(path)` says whether a path of the Ovfile stays in the repo.

    Raises:
        OvmakeError: with one diagnostic per mistake, in the order of the file.
    """
    text = _without_mark(text)
    pointer = Pointer(text, file)
    document = _document(text, file)
    problems = Problems()
    ovfile = _meaning(document, problems, inside)
    if problems.errors:
        raise OvmakeError(*_told(problems.errors, pointer, cut="error" in problems.cut))
    warnings = _told(problems.warnings, pointer, cut="warning" in problems.cut)
    return replace(ovfile, models=tuple(table(document, (MODELS,))), warnings=warnings)


def parse_some(text: str, models: Collection[str], *, file: str = "Ovfile", inside: Inside = lambda _: True) -> Ovfile:
    """Return what `text` means for some of its models; what it says of the others is known to be right.

    Raises:
        OvmakeError: something about them is wrong; `parse` says all that is.
    """
    document = _document(_without_mark(text), file)
    everything = table(document, (MODELS,))
    document[MODELS] = {name: said for name, said in everything.items() if name in models}
    problems = Problems()
    ovfile = _meaning(document, problems, inside)
    if any(problem.code != "no-models" for problem in problems.errors):
        raise OvmakeError(*(Pointer(text, file).diagnostic(problem) for problem in problems.errors))
    # No warnings: what seems to be of no use may be of use to the others, and was said when they were looked at.
    return replace(ovfile, models=tuple(everything))


def decode(data: bytes, *, file: str = "Ovfile") -> str:
    """Return the text of an Ovfile.

    Raises:
        OvmakeError: it is not UTF-8, or too large.
    """
    limits.check_size(data)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        before = _without_mark(data[: error.start].decode())
        text = _without_mark(data.decode(errors="replace"))
        span = Span.of_offsets(file, text, len(before), len(before) + 1)
        hint = "save the file as UTF-8" + ("; this looks like UTF-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "")
        message = "the Ovfile is not UTF-8"
        label = f"byte 0x{data[error.start]:02x}"
        raise OvmakeError(
            Diagnostic(code="bad-encoding", message=message, span=span, label=label, help=hint),
        ) from None


def span_of(at: KeyPath, text: str, file: str) -> Span | None:
    """Return where a setting or a table stands in the text of an Ovfile: what a run-time failure points at."""
    return Pointer(_without_mark(text), file).span(at)


def _without_mark(text: str) -> str:
    """Editors on Windows begin a file with a byte order mark, which TOML does not know."""
    return text.removeprefix(BYTE_ORDER_MARK)


def _told(problems: list[Problem], pointer: Pointer, *, cut: bool) -> tuple[Diagnostic, ...]:
    """Return what is said of problems; `cut`: there are more than these."""
    told = in_order([pointer.diagnostic(problem) for problem in problems])
    if not cut:
        return told
    *others, last = told
    note = f"there are more than these {ENOUGH}, which are shown"
    return (*others, replace(last, notes=(*last.notes, note)))


def _document(text: str, file: str) -> dict[str, object]:
    limits.check_text(text, file)
    try:
        document = tomli.loads(text)
    except (ValueError, RecursionError) as error:  # also of integers that are too long, and too many brackets
        raise OvmakeError(not_toml(error, text, file)) from None
    limits.check_document(document)
    return document


def _meaning(document: dict[str, object], problems: Problems, inside: Inside) -> Ovfile:
    try:
        return _understood(document, problems, inside)
    except EnoughError:
        return NOTHING


def _understood(document: dict[str, object], problems: Problems, inside: Inside) -> Ovfile:
    form.check(document, problems)
    version = document.get("version", VERSION)
    if version != VERSION and not any(problem.at == ("version",) for problem in problems.found):
        # What else looks wrong may be right in that version.
        problems.forget()
        message = f"this ovmake reads version {VERSION} of the Ovfile, not {toml(version)}"
        hint = "install an ovmake that reads it"
        problems.add(Problem(code="unknown-version", at=("version",), message=message, help=hint))
        return NOTHING
    if problems.cut:
        return NOTHING
    malformed = tuple(problem.at for problem in problems.found if problem.code != "not-yet-supported")
    references.check(document, inside, problems)
    return Meaning(document, problems, malformed).ovfile()
