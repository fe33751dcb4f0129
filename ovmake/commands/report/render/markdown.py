"""Render the report as Markdown for a pull request: the answer, a table of all targets, the changes. Pure.

    to_markdown(page) -> str

Rule: a user's text stays text. Characters with a meaning in Markdown or HTML are escaped, line ends become spaces, and
marks that change the direction of text are shown as their code points.
"""

from __future__ import annotations

import re

from ovmake.commands.report import words
from ovmake.commands.report.figures import Figure
from ovmake.commands.report.tables import Page, Row, Section
from ovmake.contracts.files.report import Change, History

HEADS = ("Target", "Gate", "Speed-up", "Median", "p95", "Drop", "Peak memory", "Size")
# Characters with a meaning in Markdown or HTML. Other ASCII punctuation has none inside a line.
SPECIAL = re.compile(r"([\\`*_{}\[\]<>|~!#&])")
# Marks that change the direction of the text after them, up to the end of the line.
TURNS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
LONGEST = 120


def to_markdown(page: Page) -> str:
    """Return the report as GitHub-flavoured Markdown."""
    parts = [f"# {text(page.title)}", *map(_answer, page.sections if not page.is_long else ()), _table(page)]
    if page.history:
        parts.append(_history(page.history))
    return "\n\n".join(filter(None, parts)) + "\n"


def text(given: str) -> str:
    """Return a user's text as Markdown, in one line, cut to LONGEST."""
    shown = _plain(given)
    return SPECIAL.sub(r"\\\1", shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + "…")


def sentence(given: str) -> str:
    """Return a sentence of ovmake as Markdown. It may contain users' names, and may be long."""
    return SPECIAL.sub(r"\\\1", _plain(given))


def _plain(given: str) -> str:
    """Return text in one line, with invisible characters replaced by visible ones."""
    shown = TURNS.sub(lambda found: f"U+{ord(found.group()):04X}", " ".join(given.split()))
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in shown)


def _answer(section: Section) -> str:
    best = section.best
    lines = [f"## {text(section.model)}", ""]
    if best is None:
        lines.append("No target of this model was measured and passed its gate.")
        lines += ["", *(f"- {sentence(row.verdict)}." for row in section.rows)]
    else:
        lines.append(f"**{sentence(best.verdict)}.**")
    if section.advice:
        lines += ["", *(f"- {sentence(one.text)}. Evidence: {sentence(one.evidence)}." for one in section.advice)]
    return "\n".join(lines)


def _table(page: Page) -> str:
    notes: list[str] = []
    rows = [_row(row, notes) for row in page.rows]
    align = "|".join([" --- ", " --- ", *[" ---: "] * (len(HEADS) - 2)])
    head = " | ".join(HEADS)
    lines = ["## All targets", "", f"| {head} |", f"|{align}|", *rows]
    if notes:
        lines += ["", *(f"{number}. {sentence(note)}" for number, note in enumerate(notes, 1))]
    return "\n".join(lines)


def _row(row: Row, notes: list[str]) -> str:
    figures = row.figures
    cells = [
        text(row.report.name),
        _gate(row, notes),
        _speedup(row, notes),
        *(_cell(figures[f"openvino.{name}"], notes) for name in ("latency_median_us", "latency_p95_us")),
        _cell(figures["drop"], notes) + (f" ({sentence(row.interval)})" if row.interval not in {"", "none"} else ""),
        *(_cell(figures[f"openvino.{name}"], notes) for name in ("peak_memory_bytes", "size_bytes")),
    ]
    return f"| {' | '.join(cells)} |"


def _gate(row: Row, notes: list[str]) -> str:
    decided = "" if row.report.decided else ", not decided"
    noted = f" [{_number(row.report.gate_text, notes)}]" if row.noted and row.report.gate_text else ""
    asked = [one for one in row.report.requirements if one.result != "passed"]
    required = "".join(f", {one.name} {one.result.replace('-', ' ')} [{_number(one.text, notes)}]" for one in asked)
    return f"{row.report.gate.replace('-', ' ')}{decided}{noted}{required}"


def _speedup(row: Row, notes: list[str]) -> str:
    figure = row.figures["speedup.median"]
    if figure.value is None:
        return _cell(figure, notes)
    held = f"{row.figures['speedup.low'].text} to {row.figures['speedup.high'].text}"
    return f"{figure.text} ({', '.join((held, *row.doubts))})"


def _cell(figure: Figure, notes: list[str]) -> str:
    return sentence(figure.text) if figure.value is not None else f"{figure.text} [{_number(figure.reason, notes)}]"


def _number(reason: str, notes: list[str]) -> int:
    if reason not in notes:
        notes.append(reason)
    return notes.index(reason) + 1


def _history(history: History) -> str:
    lines = [f"## Since {text(history.against)}", ""]
    lines += [history.note, ""] if history.note else []
    changed = [change for change in history.changes if change.weighs]
    lines += [_change(change) for change in changed]
    if not changed:
        lines.append("No target is clearly faster, slower, or less accurate.")
    for title, names in (("New", history.appeared), ("Removed", history.vanished)):
        if names:
            lines += ["", f"{title}: {', '.join(map(text, names))}."]
    return "\n".join(lines)


def _change(change: Change) -> str:
    said = "; ".join(map(sentence, change.sentences)) or words.NOT_MEASURED
    between = f". Changed in between: {'; '.join(map(sentence, change.between))}" if change.between else ""
    return f"- {text(change.target)}: {said}{between}"
