r"""`locate` finds every key path of a TOML text in any style.

First examples, one TOML corner each: `shown` turns a path's spans back into the characters they cover.
Then the law, on random data written in random styles by `_Writer`:

    the paths are those of tomli's result; a value's characters, alone, read as that value; a key's as
    that key; and with a value replaced where `locate` says it stands, tomli's result differs there only.

`faults` checks the law, and is itself checked against locators that are wrong on purpose.
"""

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, timedelta, timezone
from random import Random
from typing import Any

import pytest
import tomli
from hypothesis import given, settings
from hypothesis import strategies as st

from ovmake.ovfile.text import locate as locating
from ovmake.ovfile.text.locate import Position, Span, locate
from ovmake.ovfile.words import KeyPath
from tests.examples import tries

Shown = tuple[str | None, str | None, str | None]
"""The characters of a place: key, value, header."""


def shown(text: str, path: KeyPath) -> Shown:
    place = locate(text)[path]
    return _cut(text, place.key), _cut(text, place.value), _cut(text, place.header)


def _cut(text: str, span: Span | None) -> str | None:
    return None if span is None else text[slice(*span)]


# --- keys -------------------------------------------------------------------------------------------------


def test_offsets_are_half_open_and_count_characters_not_bytes() -> None:
    text = "# é😀\nshape = [1]\n"

    actual = locate(text)

    expected = {
        ("shape",): Position(key=(5, 10), value=(13, 16)),
        ("shape", 0): Position(value=(14, 15)),
    }
    assert expected == actual


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("bare_Key-1", "bare_Key-1"),
        ("1234", "1234"),
        ("-", "-"),
        ('"a b"', "a b"),
        ('""', ""),
        ("''", ""),
        ("\"#not = [a] 'comment'\"", "#not = [a] 'comment'"),
        (r'"say \"hi\" \\"', 'say "hi" \\'),
        (r'"\b\t\n\f\r\e"', "\b\t\n\f\r\x1b"),
        (r'"\x41\u00e9\U0001F600\\u0041"', "Aé😀\\u0041"),
        (r"'C:\new\u0041\'", r"C:\new\u0041" + "\\"),
        ("'a.\"b\"'", 'a."b"'),
    ],
)
def test_key_is_named_as_tomli_reads_it_and_spanned_as_written(written: str, name: str) -> None:
    text = f"{written} = 1"

    actual = locate(text)

    assert {name: 1} == tomli.loads(text)
    assert {(name,): Position(key=(0, len(written)), value=(len(text) - 1, len(text)))} == actual


def test_dotted_key_makes_a_table_of_each_part_before_the_last() -> None:
    text = 'a."b c".d = 1\n'

    assert shown(text, ("a",)) == ("a", None, None)
    assert shown(text, ("a", "b c")) == ('"b c"', None, None)
    assert shown(text, ("a", "b c", "d")) == ("d", "1", None)


def test_blanks_around_dots_and_equals_belong_to_no_span() -> None:
    text = "  a \t. 'b'  .c\t=\t1  # end\n"

    assert shown(text, ("a",)) == ("a", None, None)
    assert shown(text, ("a", "b")) == ("'b'", None, None)
    assert shown(text, ("a", "b", "c")) == ("c", "1", None)


def test_dotted_number_key_is_two_parts() -> None:
    text = "3.14 = 'pi'"

    assert {("3",), ("3", "14")} == set(locate(text))


def test_second_dotted_key_does_not_move_the_table_that_the_first_one_named() -> None:
    text = "a.b = 1\na.c = 2\n"

    actual = locate(text)[("a",)].key

    assert actual == (0, 1)


# --- headers ----------------------------------------------------------------------------------------------


def test_header_opens_its_last_part_and_implies_the_parts_before() -> None:
    text = "[models.digits]\nopset = 13\n"

    assert shown(text, ("models",)) == ("models", None, None)
    assert shown(text, ("models", "digits")) == ("digits", None, "[models.digits]")
    assert shown(text, ("models", "digits", "opset")) == ("opset", "13", None)


def test_header_span_runs_from_bracket_to_bracket() -> None:
    text = '  [ a . "b ]" ]  # ]\n'

    assert shown(text, ("a", "b ]")) == ('"b ]"', None, '[ a . "b ]" ]')


def test_header_at_the_end_of_the_text_opens_an_empty_table() -> None:
    text = "[a]"

    assert {("a",): Position(key=(1, 2), header=(0, 3))} == locate(text)


def test_table_implied_first_and_opened_later_has_its_header() -> None:
    text = "[a.b]\nx = 1\n[a]\ny = 2\n"

    actual = locate(text)[("a",)]

    assert Position(key=(13, 14), header=(12, 15)) == actual


def test_table_opened_first_keeps_its_header_when_a_later_header_implies_it() -> None:
    text = "[a]\n[a.b]\n"

    actual = locate(text)[("a",)]

    assert Position(key=(1, 2), header=(0, 3)) == actual


def test_table_made_by_a_dotted_key_has_no_header_though_its_sub_table_has() -> None:
    text = "[fruit]\napple.color = 'red'\n[fruit.apple.taste]\nsweet = true\n"

    actual = locate(text)[("fruit", "apple")]

    assert actual == Position(key=(8, 13))
    assert shown(text, ("fruit", "apple", "taste")) == ("taste", None, "[fruit.apple.taste]")


def test_each_element_of_an_array_of_tables_has_its_own_header() -> None:
    text = "[[steps]]\nrun = 1\n[[ steps ]]\nrun = 2\n"

    actual = locate(text)

    assert Position(header=(0, 9)) == actual[("steps", 0)]
    assert Position(header=(18, 29)) == actual[("steps", 1)]
    assert shown(text, ("steps", 1, "run")) == ("run", "2", None)


def test_array_of_tables_itself_is_where_its_first_element_is() -> None:
    text = "[[a.steps]]\n[[a.steps]]\n"

    actual = locate(text)[("a", "steps")]

    assert Position(key=(4, 9), header=(0, 11)) == actual


def test_sub_tables_belong_to_the_latest_element() -> None:
    text = "[[a]]\n[a.b]\nx = 1\n[[a.c]]\n[[a.c]]\n[[a]]\n[a.b]\nx = 2\n[[a.c]]\n[a.c.d]\n"

    expected = {
        ("a",),
        *{("a", 0), ("a", 0, "b"), ("a", 0, "b", "x"), ("a", 0, "c"), ("a", 0, "c", 0), ("a", 0, "c", 1)},
        *{("a", 1), ("a", 1, "b"), ("a", 1, "b", "x"), ("a", 1, "c"), ("a", 1, "c", 0), ("a", 1, "c", 0, "d")},
    }
    assert expected == set(locate(text))
    assert shown(text, ("a", 1, "b", "x")) == ("x", "2", None)


# --- values -----------------------------------------------------------------------------------------------

_SCALARS = [
    *["0", "-17", "+99", "5_349_221", "0xDEAD_beef", "0o755", "0b1101"],
    *["3.14", "-0.01", "5e+22", "6.626e-34", "1_0.0_1", "inf", "-inf", "+nan", "true", "false"],
    *["1979-05-27", "1979-05-27T07:32:00Z", "1979-05-27 07:32:00.999-07:00", "1979-05-27 07:32", "07:32:00", "07:32"],
    *['""', '"a # b"', r'"\"" ', r'"\\"', r'"\u00e9 \x41 \e"', "''", "'# \"'", r"'\'"],
    *['""""""', "''''''", '"""a"""', "'''a'''", '"""\n[x]\ny = 1 # no\n"""', "'''\n[x]\n\\'''"],
    *['"""a"b""c"""', "'''a'b''c'''", '"""a""""', '"""a"""""', "'''a''''", "'''a'''''"],
    *['""""a"""', '"""""a"""', '""""""""', "''''''''", r'"""\""""', r'"""\"""""', r'"""a\"""\"""b"""', r'"""\\"""'],
    *['"""a\\\n   b"""', '"""a\\  \n\n   """', '"""\r\na\\\r\n  b"""'],
]


@pytest.mark.parametrize("scalar", [scalar.strip() for scalar in _SCALARS])
@pytest.mark.parametrize(
    ("before", "after", "path"),
    [
        ("v = ", "", ("v",)),
        ("v=", "#c", ("v",)),
        ("v = ", " \t# c\nw = 0\n", ("v",)),
        ("v = ", "\r\nw = 0", ("v",)),
        ("v = [", "]", ("v", 0)),
        ("v = [ 0 ,", " , 0 ]", ("v", 1)),
        ("v = [\n", "# c\n]", ("v", 0)),
        ("v = {k=", "}", ("v", "k")),
        ("v = { j = 0, k = ", " , l = 0 }", ("v", "k")),
    ],
)
def test_scalar_is_spanned_exactly_wherever_it_stands(scalar: str, before: str, after: str, path: KeyPath) -> None:
    text = before + scalar + after

    actual = locate(text)[path].value

    assert tomli.loads(text)
    assert (len(before), len(before) + len(scalar)) == actual


def test_array_spans_its_brackets_comments_and_lines() -> None:
    array = "[ # ] one\n  1,\n  [ 2, # ,\n 3 ]\n  , # trailing\n]"
    text = f"v = {array} # end\n"

    assert ("v", array, None) == shown(text, ("v",))
    assert shown(text, ("v", 0)) == (None, "1", None)
    assert shown(text, ("v", 1)) == (None, "[ 2, # ,\n 3 ]", None)
    assert shown(text, ("v", 1, 1)) == (None, "3", None)
    assert {("v",), ("v", 0), ("v", 1), ("v", 1, 0), ("v", 1, 1)} == set(locate(text))


def test_empty_array_and_empty_inline_table_are_values_without_items() -> None:
    text = "a = [ # nothing\n]\nb = { }\n"

    actual = locate(text)

    assert {("a",): Position(key=(0, 1), value=(4, 17)), ("b",): Position(key=(18, 19), value=(22, 25))} == actual


def test_inline_table_is_a_value_and_its_keys_have_places() -> None:
    text = 'p = { x = 1, "y z".w = [2] }\n'

    assert shown(text, ("p",)) == ("p", '{ x = 1, "y z".w = [2] }', None)
    assert shown(text, ("p", "x")) == ("x", "1", None)
    assert shown(text, ("p", "y z")) == ('"y z"', None, None)
    assert shown(text, ("p", "y z", "w")) == ("w", "[2]", None)
    assert shown(text, ("p", "y z", "w", 0)) == (None, "2", None)


def test_inline_table_may_have_new_lines_comments_and_a_trailing_comma() -> None:
    table = "{ # toml 1.1\n  x = 1, # } \n\n  y = 2 ,\n}"
    text = f"p = {table}\n"

    assert ("p", table, None) == shown(text, ("p",))
    assert shown(text, ("p", "y")) == ("y", "2", None)


def test_inline_tables_in_an_array_are_its_elements() -> None:
    text = "[t]\nv = [{a = 1}, {}, {a = {b = 2}}]\n"

    assert shown(text, ("t", "v", 1)) == (None, "{}", None)
    assert shown(text, ("t", "v", 2, "a")) == ("a", "{b = 2}", None)
    assert shown(text, ("t", "v", 2, "a", "b")) == ("b", "2", None)


def test_four_hundred_nested_brackets_do_not_exhaust_the_stack() -> None:
    depth = 400  # the most that tomli reads
    text = "v = " + "[{k = " * (depth // 2) + "1" + "}]" * (depth // 2)

    actual = locate(text)

    assert tomli.loads(text)
    assert depth + 1 == len(actual)
    assert shown(text, ("v", *(0, "k") * (depth // 2))) == ("k", "1", None)


# --- texts ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "\n", " \t ", "# only", "\r\n# a\r\n \r\n"])
def test_text_without_keys_has_no_places(text: str) -> None:
    assert locate(text) == {}


def test_offsets_count_both_characters_of_crlf() -> None:
    text = "# one\r\n[a]\r\nx = [\r\n  1, # c\r\n  2\r\n]\r\ns = '''\r\nb'''\r\ny = 3"

    assert shown(text, ("a",)) == ("a", None, "[a]")
    assert shown(text, ("a", "x")) == ("x", "[\r\n  1, # c\r\n  2\r\n]", None)
    assert shown(text, ("a", "x", 1)) == (None, "2", None)
    assert shown(text, ("a", "s")) == ("s", "'''\r\nb'''", None)
    assert shown(text, ("a", "y")) == ("y", "3", None)


@pytest.mark.parametrize("text", ["a", "a =", "= 1", "[a", "v = [1", "v = {a 1}", 'v = "open', '"open', "v = [1 2, ="])
def test_text_that_is_not_toml_is_refused_rather_than_read_for_ever(text: str) -> None:
    with pytest.raises(ValueError, match="not TOML at offset"):
        locate(text)


# --- the law ----------------------------------------------------------------------------------------------


def faults(text: str, places: Mapping[KeyPath, Position]) -> list[str]:
    """Return what is wrong with `places` as the places of `text`; nothing, if the law holds."""
    data = tomli.loads(text)
    nodes = dict(_nodes(data))
    if set(nodes) != set(places):
        return [f"paths differ: {set(nodes) ^ set(places)}"]
    return [
        f"{path}: {fault}"
        for path, place in places.items()
        for fault in (
            *_key_faults(text, path, place),
            *_header_faults(text, path, place),
            *_value_faults(text, path, place, nodes[path], data),
        )
    ]


def _nodes(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Yield every path below `value` with what it leads to: leaves, tables and arrays."""
    if path:
        yield path, value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in items:
        yield from _nodes(item, (*path, step))


def _key_faults(text: str, path: KeyPath, place: Position) -> Iterator[str]:
    if (place.key is None) != isinstance(path[-1], int):
        yield f"key is {place.key}"
    if place.key is None:
        return
    if tomli.loads(f"{_cut(text, place.key)} = 1") != {path[-1]: 1}:
        yield f"key reads {_cut(text, place.key)!r}"
    has_value = re.match(r"[ \t]*=", text[place.key[1] :]) is not None  # else a dot or a bracket follows
    if has_value != (place.value is not None):
        yield f"value is {place.value}"


def _header_faults(text: str, path: KeyPath, place: Position) -> Iterator[str]:
    """Say so unless the header, alone in a text, opens the same names and has the key inside it."""
    if place.header is None:
        return
    names = [step for step in path if isinstance(step, str)]
    opened = [step for step in list(_nodes(tomli.loads(text[slice(*place.header)])))[-1][0] if isinstance(step, str)]
    if names != opened:
        yield f"header reads {opened}"
    if place.key is not None and not place.header[0] < place.key[0] < place.key[1] < place.header[1]:
        yield "key is outside its header"


def _value_faults(text: str, path: KeyPath, place: Position, value: Any, data: dict[str, Any]) -> Iterator[str]:
    if place.value is None:
        if place.key is None and place.header is None:
            yield "element has no span at all"
        return
    if tomli.loads(f"v = {_cut(text, place.value)}")["v"] != value:
        yield f"value reads {_cut(text, place.value)!r}"
    start, end = place.value
    if tomli.loads(f'{text[:start]}"changed by the test"{text[end:]}') != _changed(data, path):
        yield "value is another's"


def _changed(data: dict[str, Any], path: KeyPath) -> dict[str, Any]:
    changed = copy.deepcopy(data)
    table: Any = changed
    for step in path[:-1]:
        table = table[step]
    table[path[-1]] = "changed by the test"
    return changed


# --- random data in random styles -------------------------------------------------------------------------

Table = dict[str, Any]

_SHORT_ESCAPES = {"\b": r"\b", "\t": r"\t", "\n": r"\n", "\f": r"\f", "\r": r"\r", "\x1b": r"\e"}
_CONTROLS = {chr(code) for code in (*range(32), 127)} - {"\t", "\n"}


class _Writer:
    """Writes data as TOML; `rng` chooses the style again at every turn."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng

    def document(self, data: Table) -> str:
        statements, sections = self._split((), (), data)
        self.rng.shuffle(sections)
        lines = [*statements, *(line for section in sections for line in section)]
        text = "".join(f"{self._filler()}{self._space()}{line}{self._line_end()}" for line in lines)
        newline = self.rng.choice(["\n", "\r\n", None])
        return re.sub("\n", lambda _: newline or self.rng.choice(["\n", "\r\n"]), text)

    # A table's items become statements (below the header that is open) or sections (with their own).

    def _split(self, header: KeyPath, prefix: KeyPath, table: Table) -> tuple[list[str], list[list[str]]]:
        statements: list[str] = []
        sections: list[list[str]] = []
        for name, value in table.items():
            path = (*prefix, name)
            style = self.rng.choice(["inline", "dotted", "header"])
            if style == "dotted" and isinstance(value, dict) and value:
                inner = self._split(header, path, value)
                statements += inner[0]
                sections += inner[1]
            elif style == "header" and isinstance(value, dict):
                sections.append(self._section((*header, *path), value))
            elif style == "header" and _is_array_of_tables(value):
                sections.append(self._elements((*header, *path), value))
            else:
                statements.append(self._pair(path, value))
        self.rng.shuffle(statements)
        return statements, sections

    def _section(self, header: KeyPath, table: Table) -> list[str]:
        """Write `[header]`, or leave it implied; its sub-tables may come before it."""
        statements, sections = self._split(header, (), table)
        if statements or not sections or self.rng.random() < 0.5:
            sections.append([f"[{self._space()}{self._key(header)}{self._space()}]", *statements])
        self.rng.shuffle(sections)
        return [line for section in sections for line in section]

    def _elements(self, header: KeyPath, tables: list[Table]) -> list[str]:
        lines = []
        for table in tables:
            statements, sections = self._split(header, (), table)
            self.rng.shuffle(sections)
            lines += [f"[[{self._space()}{self._key(header)}{self._space()}]]", *statements]
            lines += [line for section in sections for line in section]
        return lines

    def _pair(self, path: KeyPath, value: object) -> str:
        return f"{self._key(path)}{self._space()}={self._space()}{self._value(value)}"

    def _key(self, path: KeyPath) -> str:
        dot = f"{self._space()}.{self._space()}"
        return dot.join(self._key_part(str(step)) for step in path)

    def _key_part(self, name: str) -> str:
        if re.fullmatch("[A-Za-z0-9_-]+", name) and self.rng.random() < 0.7:
            return name
        return self._one_line_string(name)

    # Values.

    def _value(self, value: object) -> str:
        if isinstance(value, dict):
            return self._bracketed("{", self._inline_pairs((), value), "}")
        if isinstance(value, list):
            return self._bracketed("[", [self._value(item) for item in value], "]")
        if isinstance(value, str):
            return self.rng.choice([self._one_line_string, self._multi_line_string])(value)
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, int | float):
            return self._number(value)
        return str(value).replace(" ", self.rng.choice("Tt "))  # dates and times, as str() writes them

    def _inline_pairs(self, prefix: KeyPath, table: Table) -> list[str]:
        pairs: list[str] = []
        for name, value in table.items():
            path = (*prefix, name)
            if isinstance(value, dict) and value and self.rng.random() < 0.5:
                pairs += self._inline_pairs(path, value)
            else:
                pairs.append(self._pair(path, value))
        return pairs

    def _bracketed(self, start: str, items: list[str], end: str) -> str:
        inside = ",".join(f"{self._filler()}{item}{self._filler()}" for item in items)
        comma = self.rng.choice(["", ","]) if items else ""
        return f"{start}{inside}{comma}{self._filler()}{end}"

    def _number(self, value: float) -> str:
        styles = [repr(value)]
        if isinstance(value, int):
            styles += [f"{value:_}", f"{value:+}", *([hex(value), oct(value), bin(value)] if value >= 0 else [])]
        return self.rng.choice(styles)

    # Strings.

    def _one_line_string(self, value: str) -> str:
        if "'" not in value and "\n" not in value and _CONTROLS.isdisjoint(value) and self.rng.random() < 0.5:
            return f"'{value}'"
        return '"' + "".join(self._escaped(c) if c in '"\n' else self._maybe_escaped(c) for c in value) + '"'

    def _multi_line_string(self, value: str) -> str:
        first_line = "\n" if value.startswith("\n") else self.rng.choice(["", "\n"])  # this one is dropped
        if "'''" not in value and _CONTROLS.isdisjoint(value) and self.rng.random() < 0.5:
            return f"'''{first_line}{value}'''"
        written = [self._multi_line_character(value, index) for index in range(len(value))]
        return f'"""{first_line}{"".join(written)}{self._line_continuation()}"""'

    def _multi_line_character(self, value: str, index: int) -> str:
        character = value[index]
        if character == '"' and value[:index].endswith('""'):
            return self._escaped(character)  # a third quote as it is would end the string
        if character in " \t\n":
            return character
        return self._line_continuation() + self._maybe_escaped(character)

    def _line_continuation(self) -> str:
        return self.rng.choice(["\\\n", "\\ \n\n\t "]) if self.rng.random() < 0.1 else ""

    def _maybe_escaped(self, character: str) -> str:
        must = character == "\\" or character in _CONTROLS
        return self._escaped(character) if must or self.rng.random() < 0.1 else character

    def _escaped(self, character: str) -> str:
        code = ord(character)
        styles = [rf"\U{code:08x}"]
        styles += [rf"\u{code:04X}"] if code < 0x10000 else []
        styles += [rf"\x{code:02x}"] if code < 0x100 else []
        styles += ["\\" + character] if character in '"\\' else []
        styles += [_SHORT_ESCAPES[character]] if character in _SHORT_ESCAPES else []
        return self.rng.choice(styles)

    # What is between the data.

    def _space(self) -> str:
        return self.rng.choice(["", "", " ", "\t", "  "])

    def _line_end(self) -> str:
        return f"{self._space()}{self._comment()}\n"

    def _filler(self) -> str:
        """Return what may stand between lines, and between items in brackets: blanks, comments, new lines."""
        return "".join(self._line_end() for _ in range(self.rng.choice([0, 0, 0, 1, 2]))) + self._space()

    def _comment(self) -> str:
        return self.rng.choice(["", "", "#", "# a = 1", '# "', "# '''", "#], }", "# [x]", "# é, \\"])


def _is_array_of_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


_texts = st.one_of(
    st.text(st.sampled_from("\"'\\a \n"), max_size=6),  # where strings end is what quotes and backslashes decide
    st.text(st.one_of(st.sampled_from("ab\t\r.#=[]{},é"), st.characters(exclude_categories=["Cs"])), max_size=8),
)
_names = st.one_of(st.sampled_from(["a", "b", "c", "1", "-", ""]), _texts)
_zones = st.sampled_from([None, UTC, timezone(timedelta(hours=-7)), timezone(timedelta(hours=5, minutes=30))])
_scalars = st.one_of(
    _texts,
    st.booleans(),
    st.integers(-(2**40), 2**40),
    st.floats(allow_nan=False),  # nan is not equal to itself; it has an example above
    st.dates(),
    st.times(),
    st.datetimes(timezones=_zones),
)
_values = st.recursive(
    _scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(_names, inner, max_size=3),
        st.lists(st.dictionaries(_names, inner, max_size=3), min_size=1, max_size=3),
    ),
    max_leaves=12,
)
_tables = st.dictionaries(_names, _values, max_size=4)
_EXAMPLES = tries(daily=25, ci=60, long=1_000)
_in_any_style = settings(max_examples=_EXAMPLES)


@_in_any_style
@given(data=_tables, rng=st.randoms(use_true_random=False))
def test_writer_writes_what_tomli_reads(data: Table, rng: Random) -> None:
    text = _Writer(rng).document(data)

    actual = tomli.loads(text)

    assert data == actual


@_in_any_style
@given(data=_tables, rng=st.randoms(use_true_random=False))
def test_places_lead_to_exactly_what_tomli_reads(data: Table, rng: Random) -> None:
    text = _Writer(rng).document(data)

    actual = faults(text, locate(text))

    assert actual == []


@_in_any_style
@given(text=st.lists(st.sampled_from([*"ab1.=,[]{}#'\"\\ \n", '"""', "'''", "\\U", "ffffffff"])).map("".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        locate(text)
    except ValueError:
        refused = True
    else:
        refused = False

    assert not (refused and _is_toml(text))


def _is_toml(text: str) -> bool:
    try:
        tomli.loads(text)
    except tomli.TOMLDecodeError:
        return False
    return True


# --- the law finds faults ---------------------------------------------------------------------------------

_SAMPLE = "x = [1, 1]\n[a]\nb.c = {d = 1}\n[[e]]\nb = 1\n[[e]]\nb = 1\n"


def _moved(span: Span | None, by: int) -> Span | None:
    return None if span is None else (span[0] + by, span[1] + by)


@pytest.mark.parametrize(
    ("path", "spoil"),
    [
        (("x", 0), lambda place: replace(place, value=_moved(place.value, 3))),  # its equal neighbour
        (("e", 1, "b"), lambda _: locate(_SAMPLE)[("e", 0, "b")]),
        (("x",), lambda place: replace(place, value=(place.value[0], place.value[1] - 1))),
        (("x",), lambda place: replace(place, value=None)),
        (("x", 1), lambda place: replace(place, value=None)),
        (("a", "b", "c"), lambda place: replace(place, value=None)),
        (("x", 1), lambda place: replace(place, key=(0, 1))),
        (("a", "b", "c"), lambda place: replace(place, key=_moved(place.key, -2))),
        (("a", "b"), lambda place: replace(place, key=None)),
        (("a",), lambda place: replace(place, header=locate(_SAMPLE)[("e", 0)].header)),
        (("a",), lambda place: replace(place, key=(place.header[0] - 99, place.header[0] - 98))),
    ],
)
def test_law_refuses_a_wrong_place(path: KeyPath, spoil: Callable[[Position], Position]) -> None:
    places = locate(_SAMPLE)
    places[path] = spoil(places[path])

    actual = _broken(lambda: faults(_SAMPLE, places))

    assert actual


def _broken(check: Callable[[], list[str]]) -> bool:
    """Return whether the law does not hold: it reports a fault, or the characters do not even parse."""
    try:
        return check() != []
    except tomli.TOMLDecodeError:
        return True


def test_law_refuses_a_missing_and_an_unknown_path() -> None:
    places = locate(_SAMPLE)
    without = {path: place for path, place in places.items() if path != ("a", "b")}
    beyond = {**places, ("z",): Position()}

    assert faults(_SAMPLE, without) == ["paths differ: {('a', 'b')}"]
    assert faults(_SAMPLE, beyond) == ["paths differ: {('z',)}"]


def test_no_group_is_possessive() -> None:
    """Before Python 3.11.5 such a group may match too much (gh-106052), which later ones cannot show."""
    patterns = [value.pattern for value in vars(locating).values() if isinstance(value, re.Pattern)]

    assert patterns
    assert [] == [pattern for pattern in patterns if re.search(r"\)[*+?]\+", pattern)]
