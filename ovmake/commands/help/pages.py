"""The pages in `ovmake/docs`: what there is to read, and the sections of each.

    topics() -> {"precisions": "Precisions and gates", ...}      a topic is the name of its file, without `.md`
    page("precisions") -> text                                   the Markdown
    sections(text) -> (Section, ...)                             a heading and what stands below it
    keys(text) -> (Row, ...)                                     the rows of the tables that list keys of the Ovfile

Only the Markdown of our own pages is read here: headings begin with `#`, code stands between fences, and a table of
keys has the head "| key | value |".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
# In the order in which a new user needs them.
ORDER = ("precisions", "datasets", "surgery", "measuring", "engine", "sharing", "ovfile", "errors", "security")
FENCE = "```"
# A table of keys, below a heading of the third level.
HEAD = "| key | value |"
OF_TABLE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading of a page, and the lines from it to the next heading of the same level or a higher one.

    `level` counts from 1, `title` is without `#` and backticks, `text` is Markdown that begins with the heading.
    """

    level: int
    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of a table of keys: the key, the title of its section, and the row as it is written."""

    key: str
    table: str
    line: str


def topics() -> dict[str, str]:
    """Return the title of each page by its topic, in the order of reading."""
    return {topic: sections(page(topic))[0].title for topic in ORDER}


def page(topic: str) -> str:
    """Return the Markdown of a page, without HTML comments."""
    lines = (DOCS / f"{topic}.md").read_text(encoding="utf-8").splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("<!--"))


def sections(text: str) -> tuple[Section, ...]:
    """Return all sections of a page in their order; a section contains those of lower levels."""
    lines = text.splitlines(keepends=True)
    headings = list(_headings(lines))
    return tuple(
        Section(
            level=level,
            title=lines[start].lstrip("#").strip().replace("`", ""),
            text="".join(lines[start : _end(headings[place + 1 :], level, len(lines))]).rstrip() + "\n",
        )
        for place, (start, level) in enumerate(headings)
    )


def _headings(lines: list[str]) -> Iterator[tuple[int, int]]:
    """Yield the line number and the level of each heading."""
    in_code = False
    for number, line in enumerate(lines):
        if line.startswith(FENCE):
            in_code = not in_code
        elif line.startswith("#") and not in_code:
            yield number, len(line) - len(line.lstrip("#"))


def _end(later: list[tuple[int, int]], level: int, last: int) -> int:
    return next((start for start, other in later if other <= level), last)


def keys(text: str) -> tuple[Row, ...]:
    """Return the keys that the tables of a page list."""
    return tuple(
        Row(key=line.split("`")[1], table=section.title, line=line)
        for section in sections(text)
        if section.level == OF_TABLE and HEAD in section.text
        for line in section.text.splitlines()
        if line.startswith("| `")
    )
