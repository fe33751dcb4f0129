"""Wrap lines for a narrow terminal: between words, not at the terminal's edge.

    fit(lines, width) -> lines

In an excerpt of a file, the caret stays under the right characters: both lines show the same part. A long word such as
a path is not broken, because users copy it. Tables lose their columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

# As `diagnostics.render` draws them.
_SOURCE = re.compile(r"( *[0-9]+ \| )(.*)")
_MARKS = re.compile(r"( *\| )( *)(\^+|-+) ?(.*)")


def fit(lines: Sequence[str], width: int) -> list[str]:
    """Return the lines; a line that is too wide becomes several."""
    if all(len(line) <= width for line in lines):
        return list(lines)
    fitted: list[str] = []
    place = 0
    while place < len(lines):
        source = _SOURCE.fullmatch(lines[place])
        marks = _MARKS.fullmatch(lines[place + 1]) if source and place + 1 < len(lines) else None
        if source and marks:
            fitted += _excerpt(source, marks, width)
            place += 2
        else:
            fitted += _folded(lines[place], width)
            place += 1
    return fitted


def _excerpt(source: re.Match[str], marks: re.Match[str], width: int) -> Iterator[str]:
    """Yield the part of a file's line above the marks, the marks, and the label beside them."""
    room = max(3, width - len(source[1]))
    text, start, label = source[2], len(marks[2]), marks[4]
    count = min(len(marks[3]), room - 2)  # beside dots at both ends
    first = 0 if start + count <= room else start - max(1, min(room // 3, room - count))
    dots = "…" if first else ""
    part = f"{dots}{text[first + len(dots) :]}"
    yield source[1] + (part if len(part) <= room else f"{part[: room - 1]}…")
    under = f"{marks[1]}{' ' * (start - first)}{marks[3][:count]}"
    if len(under) + 1 + len(label) <= width:
        yield f"{under} {label}".rstrip()
        return
    yield under
    yield from (f"{marks[1]}{line}" for line in _folded(label, max(1, width - len(marks[1]))))


def _folded(line: str, width: int) -> list[str]:
    if len(line) <= width or not line.strip():
        return [line]
    import textwrap

    indent = line[: len(line) - len(line.lstrip())]
    return textwrap.wrap(
        " ".join(line.split()),
        width,
        initial_indent=indent,
        subsequent_indent=f"{indent}    ",
        break_long_words=False,
        break_on_hyphens=False,
    )
