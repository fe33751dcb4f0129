r"""Replace characters that a stream's encoding lacks: `->` for an arrow, `\xe9` for an é.

    show_all(stream)     from now on, any text can be written to the stream

A terminal with ASCII or Latin-1 (`LC_ALL=C` without Python's UTF-8 mode, `PYTHONIOENCODING=ascii`) has no arrow, and
Python would end with a UnicodeEncodeError in the middle of a line. A file's name may not even be valid UTF-8.
"""

from __future__ import annotations

import codecs
import io

NAME = "ovmake-plain"
INSTEAD = {
    "\u00d7": "x",
    "\u00b5": "u",
    "\u00b2": "^2",
    "\u00b1": "+-",
    "\u00b7": "*",
    "\u2192": "->",
    "\u2026": "...",
    "\u2212": "-",
    "\u2013": "-",
    "\ufffd": "?",
    **dict.fromkeys("\u2018\u2019", "'"),
    **dict.fromkeys("\u201c\u201d", '"'),
    # Lines of tables and trees, such as `inspect` and progress bars draw.
    **dict.fromkeys("─━╸╺┴┬", "-"),
    **dict.fromkeys("│┤├", "|"),
    **dict.fromkeys("└┌┐┘┼", "+"),
    # The spinner beside a running action.
    **dict(zip("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "|/-\\|/-\\|/", strict=True)),
}


def show_all(stream: object) -> None:
    """Let a stream write any text. A stream that is not a Python text stream stays unchanged."""
    if isinstance(stream, io.TextIOWrapper):
        codecs.register_error(NAME, _plain)
        stream.reconfigure(errors=NAME)


def _plain(error: UnicodeError) -> tuple[str, int]:
    """Return a replacement for characters that cannot be encoded, and the next index; see `codecs.register_error`."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    parts = (INSTEAD.get(one) or one.encode("ascii", "backslashreplace").decode() for one in lacking)
    return "".join(parts), error.end
