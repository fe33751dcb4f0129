"""Report how a copy of ovmake handles a key: run in its own process, see `test_one_declaration.py`.

Reads a JSON object of Ovfiles from stdin, and writes the findings to stdout.
"""

from __future__ import annotations

import json
import sys
from operator import attrgetter

from ovmake.diagnostics import OvmakeError, render
from ovmake.graph.lower import lower
from ovmake.ovfile.parse import parse, span_of
from ovmake.ovfile.schema.form import walk
from ovmake.ovfile.schema.json_schema import json_schema
from ovmake.ovfile.schema.reference import markdown
from ovmake.rules import measure_target

KEY = "pause-ms"


def mistakes(text: str) -> list[str]:
    """Return what is said of an Ovfile."""
    try:
        parse(text)
    except OvmakeError as error:
        return [render(found) for found in error.diagnostics]
    return []


def value(text: str, holder: str, setting: str) -> list[object]:
    """Return the key's value in the spec of the last target, and the text that its span shows."""
    target = parse(text).targets[-1]
    held = attrgetter(holder)(target)
    at = target.origins.get(setting)
    span = span_of(at, text, "Ovfile") if at else None
    (held,) = held if isinstance(held, tuple) else (held,)
    return [held.pause_ms, span and span.text[span.column - 1 :][: span.length]]


def reached(text: str, setting: str) -> dict[str, object]:
    """Return what each kind of action sees of the key; *publish* repeats every setting in the record."""
    actions = lower(parse(text), measure_target, {}).actions.values()
    return {
        action.kind: value
        for action in actions
        if action.kind != "publish"
        for name, value in action.settings.items()
        if name == setting
    }


def main() -> None:
    """Answer."""
    asked = json.load(sys.stdin)
    given, left_out, setting = asked["given"], asked["left_out"], asked["setting"]
    definitions = json_schema()["$defs"]
    assert isinstance(definitions, dict)
    found = {
        "misspelt": mistakes(asked["misspelt"]),
        "wrong": mistakes(asked["wrong"]),
        "reference": [row for row in markdown().splitlines() if KEY in row],
        "json_schema": definitions[asked["definition"]]["properties"][KEY],
        "given": value(given, asked["holder"], setting),
        "left_out": value(left_out, asked["holder"], setting),
        "reached": reached(given, setting),
        "reached_by_default": reached(left_out, setting),
        "keys": sorted({key.name for _, key in walk()}),
    }
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
