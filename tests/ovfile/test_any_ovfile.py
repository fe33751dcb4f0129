"""For any text, `parse` returns an Ovfile or raises diagnostics that can be shown; it raises nothing else.

Two kinds of text: documents of known keys with values of any kind, and the example with a few characters changed.
Mistakes are reported in the order of the file, each at a position inside it, each code once per position.

`OVMAKE_LONG=1` runs longer.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ovmake.diagnostics import Diagnostic, OvmakeError, in_order, render, to_json
from ovmake.ovfile.parse import parse, span_of
from ovmake.ovfile.schema.accuracy import DropAmount
from ovmake.ovfile.schema.arrays import Constant, Layout, PerChannel, Shape, Side
from ovmake.ovfile.schema.declaring import Key
from ovmake.ovfile.schema.form import walk
from ovmake.ovfile.schema.functions import UserFunction
from ovmake.ovfile.schema.keys import OVFILE
from ovmake.ovfile.schema.kinds import (
    Choice,
    FilePath,
    Flag,
    Kind,
    ListOf,
    Number,
    OneOrMore,
    Pattern,
    Size,
    Text,
    Whole,
)
from ovmake.ovfile.schema.sharing import PublicKey, RemoteUrl
from ovmake.ovfile.schema.tables import Named, Table
from ovmake.ovfile.spec import Ovfile
from ovmake.ovfile.words import PRECISIONS
from tests.examples import tries

EXAMPLE = (Path(__file__).parents[2] / "Ovfile.example").read_text()
EXAMPLES = tries(daily=50, ci=150, long=5_000)

quickly = settings(max_examples=EXAMPLES)


def read(text: str) -> Ovfile | tuple[Diagnostic, ...]:
    """Return what `text` means, or what is wrong with it."""
    try:
        return parse(text, inside=lambda path: not path.startswith(("/", "..")))
    except OvmakeError as error:
        return error.diagnostics


def check(text: str) -> None:
    found = read(text)
    diagnostics = found.warnings if isinstance(found, Ovfile) else found
    assert isinstance(found, Ovfile) or diagnostics
    _check_shown(diagnostics, text)
    places = [(d.code, d.span.line, d.span.column, d.message) for d in diagnostics if d.span]
    assert len(places) == len(set(places))
    assert diagnostics == in_order(list(diagnostics))
    if isinstance(found, Ovfile):
        for target in found.targets:
            assert all(span_of(at, text, "Ovfile") for at in (target.at, *target.origins.values()))


def _check_shown(diagnostics: tuple[Diagnostic, ...], text: str) -> None:
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    for diagnostic in diagnostics:
        assert "\x1b" not in render(diagnostic)
        assert json.dumps(to_json(diagnostic))
        assert len(diagnostic.message) < 500
        spans = [diagnostic.span, *(label.span for label in diagnostic.also)]
        for span in spans:
            if span is not None:
                assert lines[span.line - 1].removesuffix("\r") == span.text
                assert 1 <= span.column <= len(span.text) + 1
                assert span.length == 1 or span.column + span.length <= len(span.text) + 1


# --- documents of known keys ------------------------------------------------------------------------------

# A value in TOML.
_Value = st.SearchStrategy[str]

_NAMES = ["digits", "letters", "val", "train", "x", "x:0", "report", "", "数字", "a b", "\x1b[31m"]
_KEYS = sorted({key.name for _, key in walk()})
_words = st.sampled_from(
    [
        *PRECISIONS,
        *_NAMES,
        "accuracy",
        "f1",
        "m.py:f",
        "1%",
        "1..8",
        "8..1",
        "mixed",
        "CPU",
        "v.npz",
        "../x",
        "build/digits",
    ]
)
_scalars = st.one_of(
    _words.map(json.dumps),
    st.text(max_size=5).map(lambda text: json.dumps(text).replace("\x7f", "")),
    st.integers(-2, 9).map(str),
    st.floats(allow_subnormal=False).map(repr),
    st.sampled_from(
        ["true", "false", "nan", "-inf", "2026-01-31", "07:32:00", "9" * 30, "0x" + "f" * 5000, "-0", "1e400"]
    ),
)


def _braced(table: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{json.dumps(key)} = {value}" for key, value in table.items()) + "}"


def _bracketed(items: Iterable[str]) -> str:
    return f"[{', '.join(items)}]"


_anything: _Value = st.recursive(
    _scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(_bracketed),
        st.dictionaries(st.sampled_from([*_KEYS, *_NAMES]), inner, max_size=3).map(_braced),
    ),
    max_leaves=5,
)
# Keys whose kind does not describe all right values.
_RIGHT: Mapping[str, _Value] = {
    "source": st.sampled_from(['"models/m"', '"m.pb"']),
    "path": st.sampled_from(['"v.npz"', '"./v.npz"', '"t.npz"']),
    "dataset": st.sampled_from(['"val"', '"train"']),
    "calibration": st.sampled_from(['"val"', '"train"']),
    "metric": st.sampled_from(['"accuracy"', '"top-5"', '"mae"', '"cosine"', '"m.py:f"']),
    "precisions": st.lists(st.sampled_from(PRECISIONS), min_size=1, unique=True).map(json.dumps),
    "device": st.just('"CPU"'),
    "version": st.just("1"),
}


def _mostly(right: _Value, wrong: _Value) -> _Value:
    return st.integers(0, 39).flatmap(lambda roll: right if roll else wrong)


_SIMPLE: Mapping[type, _Value] = {
    Constant: st.sampled_from(["0.5", "true", "[1, 2]"]),
    Layout: st.sampled_from(['"NHWC"', '"NCHW"']),
    Shape: st.lists(st.sampled_from(["-1", "1", "28", '"1..8"']), max_size=4).map(_bracketed),
    PerChannel: st.one_of(st.just("0.5"), st.lists(st.just("0.5"), min_size=1, max_size=4).map(_bracketed)),
    DropAmount: st.sampled_from(["0.01", "-1", '"1%"', '"-2.5%"']),
    Number: st.just("1"),
    Whole: st.just("1"),
    Flag: st.just("false"),
    Pattern: st.sampled_from(['"block_.*"', '"(a|b)"']),
    Text: st.just('"text"'),
    FilePath: st.just('"a/./file"'),
    OneOrMore: st.sampled_from(['"x"', '["a", "b"]']),
    Size: st.sampled_from(['"8 GB"', '"512 MiB"']),
    Side: st.sampled_from(["224", "[224, 160]"]),
    UserFunction: st.just('"data.py:val"'),
    RemoteUrl: st.sampled_from(['"s3://b/p"', '"https://h:1/x/"', '"http://127.0.0.1:9"', '"file:///tmp/x"']),
    PublicKey: st.just('"ed25519:1XDpS0bK0lfVRjvXk4wFWa2hFnmVb4B2OZvqlSyTlpA="'),
}


def _right(kind: Kind) -> _Value:
    """Return values whose form is mostly right for `kind`."""
    match kind:
        case Named():
            return st.dictionaries(st.sampled_from(_NAMES[:5]), _value(kind.element), min_size=1, max_size=3).map(
                _braced
            )
        case Table():
            return _tables(kind).map(_braced)
        case ListOf():
            return st.lists(_value(kind.element), min_size=1, max_size=3).map(_bracketed)
        case Choice():
            return st.sampled_from(kind.words).map(json.dumps)
    return _SIMPLE[type(kind)]


def _value(kind: Kind) -> _Value:
    return _mostly(_right(kind), _anything)


def _tables(table: Table) -> st.SearchStrategy[dict[str, str]]:
    """Return tables of a few known keys, those that are required nearly always, and rarely an unknown one."""
    keys = {key.name: _RIGHT[key.name] if key.name in _RIGHT else _right(key.kind) for key in table.keys}
    if not keys:
        return st.just({})
    required = [key.name for key in table.keys if key.required or key.name == "path"]
    chosen = st.lists(st.sampled_from(sorted(keys)), max_size=4).map(lambda names: sorted({*required, *names}))
    right = chosen.flatmap(
        lambda names: st.fixed_dictionaries({name: _mostly(keys[name], _anything) for name in names})
    )
    wrong = st.dictionaries(st.sampled_from([*_KEYS, *_NAMES]), _anything, max_size=3)
    return st.integers(0, 39).flatmap(lambda roll: right if roll else wrong)


def _schema_key(name: str) -> Key:
    return next(key for key in OVFILE.keys if key.name == name)


def _named(name: str, names: list[str]) -> st.SearchStrategy[dict[str, dict[str, str]]]:
    kind = _schema_key(name).kind
    assert isinstance(kind, Named)
    assert isinstance(kind.element, Table)
    return st.dictionaries(st.sampled_from(names), _tables(kind.element), min_size=1, max_size=2)


def _document(
    top: dict[str, str], models: dict[str, dict[str, str]], datasets: dict[str, dict[str, str]], newline: str
) -> str:
    sections = [("models", models), ("datasets", datasets)]
    lines = [f"{json.dumps(key)} = {value}" for key, value in top.items() if key not in dict(sections)]
    for section, tables in sections:
        for name, table in tables.items():
            lines += [f"[{section}.{json.dumps(name)}]", *(f"{json.dumps(k)} = {v}" for k, v in table.items())]
    return newline.join(lines)


documents = st.builds(
    _document,
    top=_tables(OVFILE),
    models=_named("models", ["digits", "letters"]),
    datasets=_named("datasets", ["val", "train"]),
    newline=st.sampled_from(["\n", "\r\n"]),
)


@quickly
@given(text=documents)
def test_any_document_is_read_or_refused_with_diagnostics(text: str) -> None:
    check(text)


# --- the example, changed ---------------------------------------------------------------------------------

_PIECES = [
    *"\"'[]{}=,.#\n\r\t-0é模😀\x00\x1b",
    "\r\n",
    "[[",
    "]]",
    '"""',
    "true",
    "nan",
    "#: ",
    "9" * 25,
    "\ufeff",
    "\u2028",
]
_edits = st.lists(
    st.tuples(st.integers(0, len(EXAMPLE)), st.integers(0, 12), st.one_of(st.just(""), st.sampled_from(_PIECES))),
    min_size=1,
    max_size=4,
)


@quickly
@given(edits=_edits)
@example(edits=[(0, 0, "\ufeff")])
def test_example_with_mistakes_is_read_or_refused_with_diagnostics(edits: list[tuple[int, int, str]]) -> None:
    text = EXAMPLE
    for start, length, piece in edits:
        text = text[:start] + piece + text[start + length :]

    check(text)


# --- rare cases -------------------------------------------------------------------------------------------


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    "text",
    [
        "batch = " + "9" * 5000,
        "version = 0x" + "f" * 5000,
        "limits.minutes = 0x" + "f" * 300,
        "a = " + "[" * 390 + "]" * 390,
        "a = " + "[" * 500,
        "a = " + "{a = " * 300 + "1" + "}" * 300,
        ".".join(["a"] * 900) + " = 1",
        ".".join(["a"] * 2000) + " = 1",
        "a" * 100_000 + " = 1",
        "[models.m]\nsource = '" + "s" * 100_000 + "'\nprecisions = ['" + "p" * 100_000 + "']",
        "\n".join(f"k{index} = 1" for index in range(2000)),
        "models = [[[{}]]]",
        "[[[",
        "a = 1\ra = 2",
        '"\\ud800" = 1',
        "a = 2026-02-30",
        "=",
    ],
    ids=lambda text: text[:20],
)
def test_extremes_are_refused_with_diagnostics(text: str) -> None:
    check(text)

    assert not isinstance(read(text), Ovfile)
