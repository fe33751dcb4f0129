"""Read the pages in `ovmake/docs` and their sections.

    topics() -> {"precisions": "Precisions and gates", ...}      a topic is the name of its file, without `.md`
    page("precisions") -> text                                   the Markdown
    sections(text) -> (Section, ...)                             a heading and the text below it
    keys(text) -> (Row, ...)                                     the rows of the tables of keys

This reads only the Markdown of our own pages: headings begin with `#`, code is between fences, and a table of keys
begins with "| key | value |".
"""

from __future__ import annotations

import re
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
# Precisions with their own table. `auto` has one too, with a key of its own only.
OF_PRECISION = ("fp32", "fp16", "bf16", "int8", "int8-weights", "int4-weights")
_MODEL = "[models.NAME"
_EVERY_PRECISION = " p |"


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
    """A row of a table of keys: the key, the title of its section, and the Markdown of the row."""

    key: str
    table: str
    line: str

    @property
    def also_in(self) -> tuple[str, ...]:
        """The other tables that take the key: of `[defaults]`, of a precision such as int8, and of a variant."""
        if not self.table.startswith(_MODEL) or self.key in {"source", "variants"}:
            return ()
        inner = self.table.removeprefix(_MODEL)
        of_precision = inner[1:-1] in {*OF_PRECISION, "auto"}
        per_precision = f"`{self.key}`{_EVERY_PRECISION}" in self.line if inner == "]" else not of_precision
        tables = ("[defaults", "[models.NAME.int8" if per_precision else "", "[models.NAME.variants.VARIANT")
        return tuple(f"{table}{inner}" for table in tables if table)

    @property
    def precisions(self) -> tuple[str, ...]:
        """The precisions that alone use a key of a model, as its description begins: "int8 only: ..."."""
        if self.table != f"{_MODEL}]":
            return ()
        about = self.line.rsplit("|", 2)[-2].partition(":")[0]
        words = re.findall(r"[\w-]+", about)
        return tuple(name for name in OF_PRECISION if name in words and words[0] in OF_PRECISION)


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
