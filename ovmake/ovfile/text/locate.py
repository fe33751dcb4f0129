r"""Find the position of every key path in an Ovfile's text.

    locate(text) -> {key path: Position}
    declared_twice(text) -> (key path, first Position, second Position)

tomli keeps no positions, so without this a diagnostic about `models.digits.shape` could not point at it.
This second, smaller reader runs only if there is a diagnostic. Pure: no disk, no tomli.

Rule 1: tomli has accepted the text. Nothing is validated again; in particular commas are skipped like
        blanks, and a `]` always closes the last open bracket.
Rule 2: offsets are into the text as given. tomli turns "\r\n" into "\n" before it reads; here "\r" is
        a blank instead, which is safe because accepted text has no other "\r".
Rule 3: no backtracking. Repeats that can grow long are possessive, so the time is proportional to the
        length of the text plus the paths returned.

A *span* is a half-open pair of character offsets: `text[start:end]`.
A *header* is `[a.b]` or `[[a.b]]`; it *opens* its last part and only *implies* the parts before it.
A *key* is the text before `=` or inside a header; its *parts* are separated by dots.

Source: TOML 1.0.0 (https://toml.io/en/v1.0.0), and of TOML 1.1.0 what tomli 2.5 reads: newlines, comments
and a trailing comma in inline tables, the escapes `\e` and `\xHH`, times without seconds.
"""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from ovmake.ovfile.words import KeyPath

Span = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """The position of one key path, as spans of the text.

    key: the last key's own characters (`shape`, `"a b"`), without the parts before it. None for an
        element of an array.
    value: all characters of the value: the whole array or inline table, a string with its quotes. None
        for a table that a header or a dotted key opened.
    header: from `[` to the closing `]` of the line that opened the table, else None. An array of tables
        has its first `[[header]]`; each of its elements has its own.
    """

    key: Span | None = None
    value: Span | None = None
    header: Span | None = None


def locate(text: str) -> dict[KeyPath, Position]:
    """Return the position of every key path in `text`, a TOML text that tomli has accepted.

    The paths are exactly those of tomli's result, tables and arrays included, without the root `()`.
    A table without a header has the position of the key that names it first; a header always wins.

    Raises:
        ValueError: the text is not TOML. Only errors that stop the reader are noticed: parse it with tomli first.
    """
    reader = _Reader(text)
    reader.read_document()
    return reader.places


def declared_twice(text: str) -> tuple[KeyPath, Position, Position] | None:
    """Return the first key path with two values or two headers, and both positions; None if none is found.

    For text that tomli refused because of a double declaration: the text before it is TOML. Keys that change their
    type, such as `a = 1` and then `a.b = 2`, are not found.
    """
    reader = _Reader(text)
    reader.places = watched = _Watched()
    with contextlib.suppress(ValueError):  # the text after the second declaration may be anything
        reader.read_document()
    return watched.twice


# Every pattern matches at the reader's position. `++`, `*+` and `?+` are possessive. They follow single characters
# only: before Python 3.11.5 a possessive group may match too much (gh-106052), and Debian 12 has 3.11.2. The
# alternatives in the repeated groups begin with different characters, so the groups cannot backtrack either.
_BLANKS_AND_COMMAS = re.compile(r"(?:[ \t\r\n,]++|#[^\n]*+)*")
_KEY_PART = re.compile(
    r"""
      [A-Za-z0-9_-]++
    | "(?:[^"\\]++|\\.)*"
    | '[^']*+'
    """,
    re.VERBOSE,
)
_DOT = re.compile(r"[ \t]*+\.[ \t]*+")
_EQUALS = re.compile(r"[ \t]*+=[ \t]*+")
_HEADER_START = re.compile(r"\[\[?+[ \t]*+")
_HEADER_END = re.compile(r"[ \t]*+\]\]?+")

# A multi-line string may end in two quotes of its own, before the closing three: hence {3,5}.
# The last line is every value without quotes or brackets; its space is the one in `1979-05-27 07:32:00`.
_SCALAR = re.compile(
    r"""
      \"{3} (?: [^"\\]++ | \\. | "(?!"") )* \"{3,5}+
    | '{3}  (?: [^']++ | '(?!'') )* '{3,5}+
    | "(?:[^"\\]++|\\.)*"
    | '[^']*+'
    | [^\s,\[\]{}#"'=]++ (?:[ ][^\s,\[\]{}#"'=]++)?
    """,
    re.VERBOSE | re.DOTALL,
)

_ESCAPE = re.compile(
    r"""
    \\ (?: x (?P<x>[0-9A-Fa-f]{2}) | u (?P<u>[0-9A-Fa-f]{4}) | U (?P<U>00[0-9A-Fa-f]{6}) | (?P<letter>.) )
    """,
    re.VERBOSE,
)
_ESCAPE_LETTERS = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "e": "\x1b", '"': '"', "\\": "\\"}


class _Watched(dict[KeyPath, Position]):
    """Positions by key path; records the first path that is set twice. Opening an implied table does not count."""

    twice: tuple[KeyPath, Position, Position] | None = None

    def __setitem__(self, path: KeyPath, place: Position) -> None:
        before = self.get(path)
        if self.twice is None and before is not None and (before.value or before.header):
            self.twice = (path, before, place)
        super().__setitem__(path, place)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bracket:
    """An array or inline table that has been opened and not yet closed."""

    path: KeyPath
    key: Span | None
    start: int
    indexes: Iterator[int] | None  # the next indexes of its elements; None for an inline table


class _Reader:
    """One pass over the text: `pos` only moves forward, `places` only grows."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.pos = 0
        self.places: dict[KeyPath, Position] = {}
        self.last_index: dict[KeyPath, int] = {}  # of arrays of tables only

    def read_document(self) -> None:
        table: KeyPath = ()
        self._take(_BLANKS_AND_COMMAS)
        while self.pos < len(self.text):
            if self.text[self.pos] == "[":
                table = self._read_header()
            else:
                self._read_value(*self._read_key_and_equals(table))
            self._take(_BLANKS_AND_COMMAS)

    def _read_header(self) -> KeyPath:
        """Read `[a.b]` or `[[a.b]]`; return the path of the opened table."""
        start = self.pos
        is_element = self.text.startswith("[[", start)
        self._take(_HEADER_START)
        path, key = self._read_key(())
        self._take(_HEADER_END)
        place = Position(key=key, header=(start, self.pos))
        if not is_element:
            self.places[path] = place  # replaces the entry of an implied table
            return path
        self.places.setdefault(path, place)
        self.last_index[path] = self.last_index.get(path, -1) + 1
        element = self._inside(path)
        self.places[element] = Position(header=place.header)
        return element

    def _read_key(self, table: KeyPath) -> tuple[KeyPath, Span]:
        """Read `a . "b".c`; return its path below `table`, and the span of the last part.

        The parts before the last are tables. They get an entry here if they have none: after
        `[a.b]`, the header `[a.c]` does not move `a`.
        """
        while True:
            part = self._take(_KEY_PART)
            path = (*table, _unquoted(self.text[slice(*part)]))
            if not self._skip(_DOT):
                return path, part
            self.places.setdefault(path, Position(key=part))
            table = self._inside(path)

    def _inside(self, path: KeyPath) -> KeyPath:
        """Return the table that keys below `path` belong to: after `[[a]]`, `[a.b]` means the last `a`."""
        return (*path, self.last_index[path]) if path in self.last_index else path

    def _read_key_and_equals(self, table: KeyPath) -> tuple[KeyPath, Span]:
        path, key = self._read_key(table)
        self._take(_EQUALS)
        return path, key

    def _read_value(self, path: KeyPath, key: Span | None) -> None:
        """Read the value of `path`, and every value inside it.

        A stack, not recursion: tomli accepts 400 nested brackets, and two or three calls for each
        would exceed Python's limit of 1000.
        """
        brackets: list[_Bracket] = []
        while True:
            if self.text.startswith(("[", "{"), self.pos):
                brackets.append(self._open_bracket(path, key))
            else:
                self.places[path] = Position(key=key, value=self._take(_SCALAR))
            self._close_brackets(brackets)
            if not brackets:
                return
            path, key = self._read_item_start(brackets[-1])

    def _open_bracket(self, path: KeyPath, key: Span | None) -> _Bracket:
        start = self.pos
        self.pos += 1
        indexes = count() if self.text[start] == "[" else None
        return _Bracket(path=path, key=key, start=start, indexes=indexes)

    def _close_brackets(self, brackets: list[_Bracket]) -> None:
        """Move to the next item of the innermost open bracket; pop the brackets that close before it."""
        while brackets:
            self._take(_BLANKS_AND_COMMAS)
            if not self.text.startswith(("]", "}"), self.pos):
                return
            self.pos += 1
            closed = brackets.pop()
            self.places[closed.path] = Position(key=closed.key, value=(closed.start, self.pos))

    def _read_item_start(self, bracket: _Bracket) -> tuple[KeyPath, Span | None]:
        """Move to the value of the bracket's next item; return the item's path and key."""
        if bracket.indexes is None:
            return self._read_key_and_equals(bracket.path)
        return (*bracket.path, next(bracket.indexes)), None

    def _skip(self, pattern: re.Pattern[str]) -> bool:
        """Move past `pattern` if it matches here; return whether it did."""
        match = pattern.match(self.text, self.pos)
        if match:
            self.pos = match.end()
        return match is not None

    def _take(self, pattern: re.Pattern[str]) -> Span:
        """Move past `pattern` and return its span.

        Raises:
            ValueError: it does not match here, so the text is not TOML.
        """
        start = self.pos
        if not self._skip(pattern):
            message = f"not TOML at offset {start}"
            raise ValueError(message)
        return start, self.pos


def _unquoted(part: str) -> str:
    r"""Return the key without quotes and escapes: `"a\u0020b"` is `a b`; `'a\b'` has no escapes."""
    if part.startswith("'"):
        return part[1:-1]
    if part.startswith('"'):
        return _ESCAPE.sub(_unescaped, part[1:-1])
    return part


def _unescaped(escape: re.Match[str]) -> str:
    letter = escape["letter"]
    if letter is not None:
        return _ESCAPE_LETTERS.get(letter, letter)
    return chr(int(escape["x"] or escape["u"] or escape["U"], 16))
