"""Check the form of a document against the schema, and walk the schema.

    check(document, problems)     report everything that is wrong with the form of a document
    walk() -> (table, key) ...    every key of the schema, with the path of its table

A path in the schema has `NAME` in place of a name that the user chose: `("models", "NAME", "inputs", "NAME")`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

from ovmake.diagnostics import did_you_mean
from ovmake.ovfile.problems import EnoughError, Problem, Problems, dotted
from ovmake.ovfile.schema.declaring import Key
from ovmake.ovfile.schema.keys import OVFILE
from ovmake.ovfile.schema.tables import Named, Table
from ovmake.ovfile.words import KeyPath

NAME = "NAME"


def check(document: dict[str, object], problems: Problems) -> None:
    """Report everything that is wrong with the form of `document`."""
    with contextlib.suppress(EnoughError):
        OVFILE.check(document, (), problems)
    problems.found[:] = [
        _with_help(problem, _value(document, problem.at)) if problem.code == "unknown-key" else problem
        for problem in problems.found
    ]


def walk(table: Table = OVFILE, at: KeyPath = ()) -> Iterator[tuple[KeyPath, Key]]:
    """Yield every key of `table`, which is at `at`: first its own, then those of nested tables."""
    for key in table.keys:
        yield at, key
    for key in table.keys:
        named = isinstance(key.kind, Named)
        inner = key.kind.element if isinstance(key.kind, Named) else key.kind
        if isinstance(inner, Table):
            yield from walk(inner, (*at, key.name, NAME) if named else (*at, key.name))


_SCHEMA: tuple[tuple[KeyPath, Key], ...] = tuple(walk())


def _value(document: object, at: KeyPath) -> object:
    """Return the value at a key path of the document."""
    for part in at:
        document = document[part] if isinstance(document, dict) and isinstance(part, str) else None
    return document


def _with_help(problem: Problem, value: object) -> Problem:
    """Return the problem of an unknown key with a hint: the right table, or the right spelling."""
    *above, written = problem.at
    table = tuple(above)
    name = str(written).casefold().replace("_", "-")
    keys = [key for at, key in _SCHEMA if _is(at, table)]
    here = [key.name for key in keys]
    elsewhere = [at for at, key in _SCHEMA if key.name == name]
    if dots := _name_with_dots(problem.at, value):
        hint = dots
    elif isinstance(value, dict) and (meant := did_you_mean(name, here)):
        hint = meant  # [dataset.val] is [datasets.val] misspelt, not a misplaced `dataset = ...`
    elif elsewhere and name not in here:
        at = min(elsewhere, key=lambda at: (-_in_common(at, table), len(at)))
        place = f"in [{dotted(_named_like(at, table))}]" if at else "at the top, before the first table"
        hint = f"`{name}` goes {place}"
    else:
        usable = sorted(here)
        hint = did_you_mean(name, here) or f"known here: {', '.join(usable)}"
    where = f"in [{dotted(table)}]" if table else "at the top of the Ovfile"
    return replace(problem, message=f"{problem.message} {where}", help=hint)


# Keys by which a model or a dataset is recognised.
_OWN = {"models": {"source"}, "datasets": {"path", "loader"}}


def _name_with_dots(at: KeyPath, value: object) -> str:
    """Return how to write [models.resnet.v1.5] or ["models.m"], "" for other keys: dots separate keys in TOML."""
    parts = [str(part) for part in at]
    while isinstance(value, dict) and len(value) == 1 and isinstance(inner := next(iter(value.values())), dict):
        parts, value = [*parts, *map(str, value)], inner
    if not isinstance(value, dict):
        return ""
    kind, _, inside = parts[0].partition(".")
    if _OWN.get(kind, set()).isdisjoint(value):
        return ""
    if inside:
        return f"put the dot outside of the quotes: `[{dotted((kind, inside, *parts[1:]))}]`"
    return f"a name with dots needs quotes: `[{dotted((kind, '.'.join(parts[1:])))}]`"


def _is(schema: KeyPath, table: KeyPath) -> bool:
    return len(schema) == len(table) == _in_common(schema, table)


def _in_common(schema: KeyPath, table: KeyPath) -> int:
    """Return the length of the common prefix of two paths."""
    agree = [mine in (NAME, theirs) for mine, theirs in zip(schema, table, strict=False)]
    return agree.index(False) if False in agree else len(agree)


def _named_like(schema: KeyPath, table: KeyPath) -> KeyPath:
    """Return a path of the schema in which the common prefix is replaced by that of `table`."""
    count = _in_common(schema, table)
    return (*table[:count], *schema[count:])
