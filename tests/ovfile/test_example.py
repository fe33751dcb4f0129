"""`Ovfile.example` shows the whole format, and everything in it is valid."""

from __future__ import annotations

from pathlib import Path

import tomli

from ovmake.ovfile.parse import parse
from ovmake.ovfile.schema.form import walk

TEXT = (Path(__file__).parents[2] / "Ovfile.example").read_text()


def _names(value: object) -> set[str]:
    inner = value.values() if isinstance(value, dict) else ()
    return set(value if isinstance(value, dict) else ()).union(*map(_names, inner))


def test_example_parses_without_a_warning() -> None:
    ovfile = parse(TEXT)

    assert [target.name for target in ovfile.targets] == [
        *("mobilenet:fp32", "mobilenet:fp16", "mobilenet:bf16"),
        *("mobilenet:int8", "mobilenet:int8-weights", "mobilenet:int4-weights", "mobilenet:auto"),
        *("mobilenet@thumb:fp32", "mobilenet@thumb:fp16", "reader:int8"),
    ]
    assert ovfile.warnings == ()


def test_example_shows_every_key() -> None:
    shown = _names(tomli.loads(TEXT))

    assert {key.name for _, key in walk()} - shown == set()
