"""Parse an Ovfile: from TOML text to a typed `Ovfile`, or to all diagnostics at once.

    parse(text, file=..., inside=...) -> Ovfile
    parse_some(text, models, file=..., inside=...) -> Ovfile    only these models; the rest is known to be right
    decode(data, file=...) -> str
    span_of(at, text, file) -> Span | None

Four passes: TOML syntax (tomli), form (`schema/form.py`), references (`meaning/references.py`), meaning
(`meaning/targets.py`). Later passes skip what an earlier pass refused, so one run shows all mistakes. Only wrong TOML
and a different version end the run early.
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
# The result for an Ovfile with mistakes; it is not used.
NOTHING = Ovfile(build_dir="", device="", report_title="", datasets={}, targets=())


def parse(text: str, *, file: str = "Ovfile", inside: Inside = lambda _: True) -> Ovfile:
    """Return the parsed Ovfile. `inside(path)` says whether a path of the Ovfile stays in the repo.

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
    """Return the parsed Ovfile for some of its models; the other models are known to be right.

    Raises:
        OvmakeError: something in these models is wrong; `parse` reports all mistakes.
    """
    document = _document(_without_mark(text), file)
    everything = table(document, (MODELS,))
    document[MODELS] = {name: said for name, said in everything.items() if name in models}
    problems = Problems()
    ovfile = _meaning(document, problems, inside)
    if any(problem.code != "no-models" for problem in problems.errors):
        raise OvmakeError(*(Pointer(text, file).diagnostic(problem) for problem in problems.errors))
    # No warnings: a setting without effect here may have one on the other models, whose parse warned already.
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
    """Return the span of a setting or a table in the text of an Ovfile, for errors at run time."""
    return Pointer(_without_mark(text), file).span(at)


def _without_mark(text: str) -> str:
    """Remove the byte order mark that editors on Windows write, and that TOML does not allow."""
    return text.removeprefix(BYTE_ORDER_MARK)


def _told(problems: list[Problem], pointer: Pointer, *, cut: bool) -> tuple[Diagnostic, ...]:
    """Return the diagnostics of problems; `cut`: there are more than these."""
    told = in_order([pointer.diagnostic(problem) for problem in problems])
    if not cut:
        return told
    *others, last = told
    note = f"only the first {ENOUGH} are shown"
    return (*others, replace(last, notes=(*last.notes, note)))


def _document(text: str, file: str) -> dict[str, object]:
    limits.check_text(text, file)
    try:
        document = tomli.loads(text)
    except (ValueError, RecursionError) as error:  # also for integers that are too long, and too many brackets
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
        # Other mistakes may be right in that version.
        problems.forget()
        message = f"this ovmake reads version {VERSION} of the Ovfile, not {toml(version)}"
        hint = "install an ovmake that reads this version"
        problems.add(Problem(code="unknown-version", at=("version",), message=message, help=hint))
        return NOTHING
    if problems.cut:
        return NOTHING
    malformed = tuple(problem.at for problem in problems.found if problem.code != "not-yet-supported")
    references.check(document, inside, problems)
    return Meaning(document, problems, malformed).ovfile()
