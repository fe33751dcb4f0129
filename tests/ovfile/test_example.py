"""`Ovfile.example` shows the whole format, and all of what it shows is true."""

from __future__ import annotations

import re
from pathlib import Path

import tomli

from ovmake.diagnostics import Diagnostic, OvmakeError
from ovmake.ovfile.form import walk
from ovmake.ovfile.parse import parse

TEXT = (Path(__file__).parents[2] / "Ovfile.example").read_text()
# Lines that show a key which cannot be used yet.
WAITING = re.compile(r"^#: ", re.MULTILINE)


def _names(value: object) -> set[str]:
    inner = value.values() if isinstance(value, dict) else ()
    return set(value if isinstance(value, dict) else ()).union(*map(_names, inner))


def test_example_parses_without_a_warning() -> None:
    ovfile = parse(TEXT)

    assert [target.name for target in ovfile.targets] == [
        *("mobilenet:fp32", "mobilenet:fp16", "mobilenet:bf16"),
        *("mobilenet:int8", "mobilenet:int8-weights", "mobilenet:int4-weights"),
        *("mobilenet@thumb:fp32", "mobilenet@thumb:fp16", "reader:int8"),
    ]
    assert ovfile.warnings == ()


def test_example_shows_every_key() -> None:
    shown = _names(tomli.loads(WAITING.sub("", TEXT)))

    assert {key.name for _, key in walk()} - shown == set()


def test_every_key_that_can_be_used_is_live() -> None:
    live = _names(tomli.loads(TEXT))
    usable = {key.name for _, key in walk() if key.ready is not False}

    assert usable - live == set()


def test_keys_that_wait_are_marked_and_refused_as_such_and_nothing_else_is_wrong() -> None:
    try:
        parse(WAITING.sub("", TEXT))
        diagnostics: tuple[Diagnostic, ...] = ()
    except OvmakeError as refusal:
        diagnostics = refusal.diagnostics

    assert {diagnostic.code for diagnostic in diagnostics} <= {"not-yet-supported"}
    refused = [d.span.line for d in diagnostics if d.span]
    marked = [
        number for number, line in enumerate(TEXT.splitlines(), 1) if line.startswith("#:") and "(not yet)" in line
    ]
    assert marked == refused
