"""Find every code of a diagnostic in ovmake's source.

    codes() -> {"gate-missed": ["engine/in_process.py:120", ...], ...}
    passed_on() -> ["verdicts/judging.py:12: judging.code(verdict)", ...]

A code is the argument for a parameter or field with the name `code`, by keyword or by position. Most arguments are
literals. A table below lists the other expressions. `passed_on` returns all remaining ones, and the test refuses them.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "ovmake"
CODE = re.compile(r"[a-z]+(-[a-z0-9]+)*")

# Expressions that choose a code: their source -> the codes that they can be.
CHOSEN: dict[str, tuple[str, ...]] = {
    "CANNOT_FREEZE": ("cannot-freeze",),
    "judging.code(verdict)": ("gate-absurd", "gate-missed", "gate-not-measured"),
    "f'requirement-{failed[0].result}'": ("requirement-missed", "requirement-not-measured"),
    "guilty.code if guilty else 'worker-died'": ("user-code", "loader-failed", "worker-died"),
    # A local variable in functions that choose between two codes.
    "code": (
        *("calibration-range", "calibration-copies", "calibration-few"),
        *("tensorflow-cannot-run", "tensorflow-cannot-load"),
    ),
}
# Codes that are copied from an earlier diagnostic.
TOLD_AGAIN = re.compile(r"(self|error|refusal|first|response|failure|problem|trouble|loaded|converted|source)\.code")


@cache
def trees() -> dict[str, ast.Module]:
    """Return the syntax tree of each module by its path below `ovmake`."""
    return {str(path.relative_to(PACKAGE)): ast.parse(path.read_text()) for path in sorted(PACKAGE.rglob("*.py"))}


@cache
def takers() -> dict[str, int]:
    """Return which functions and classes take a code, and in which place after `self`."""
    found: dict[str, int] = {}
    for tree in trees().values():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name != "__init__" and "code" in (names := _parameters(node)):
                found[node.name] = names.index("code")
            if isinstance(node, ast.ClassDef) and "code" in (names := _fields(node)):
                found[node.name] = names.index("code")
    assert {"Diagnostic", "ActionError", "Problem", "Choice", "warning", "error"} <= set(found)
    return found


def _parameters(node: ast.FunctionDef) -> list[str]:
    names = [one.arg for one in (*node.args.posonlyargs, *node.args.args)]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


def _fields(node: ast.ClassDef) -> list[str]:
    """Return what making an object takes: the parameters of `__init__`, else the fields of a dataclass."""
    for inner in node.body:
        if isinstance(inner, ast.FunctionDef) and inner.name == "__init__":
            return _parameters(inner)
    return [
        inner.target.id
        for inner in node.body
        if isinstance(inner, ast.AnnAssign) and isinstance(inner.target, ast.Name)
    ]


def _given() -> Iterator[tuple[str, ast.expr]]:
    """Yield each expression that is given as a code, and where."""
    for path, tree in trees().items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func).rpartition(".")[2]
            by_name = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
            place = takers().get(name)
            by_place = node.args[place : place + 1] if place is not None else []
            yield from ((f"{path}:{node.lineno}", one) for one in by_name or by_place if _is_about_codes(path, name))


def _is_about_codes(path: str, name: str) -> bool:
    """Whether a call of this name takes the code of an error.

    argparse has an `error` too, `_kind` takes TFLite's code, and the engine's `code` is the one that an action runs.
    """
    return not (path == "cli/arguments.py" and name == "error") and name not in {"_kind", "Seen", "World"}


def _constants(node: ast.expr) -> tuple[str, ...] | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return (node.value,)
    if isinstance(node, ast.IfExp) and (first := _constants(node.body)) and (second := _constants(node.orelse)):
        return (*first, *second)
    return CHOSEN.get(ast.unparse(node))


def codes() -> dict[str, list[str]]:
    """Return the codes, each with the places that say it."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for where, node in _given():
        for code in _constants(node) or ():
            found[code].append(where)
    return dict(found)


def passed_on() -> list[str]:
    """Return the places where a code is given in a way that nothing above explains."""
    given = ((where, node) for where, node in _given() if _constants(node) is None)
    return [f"{where}: {spelt}" for where, node in given if not TOLD_AGAIN.fullmatch(spelt := ast.unparse(node))]


def spelt() -> set[str]:
    """Return every expression that is given as a code, as it is written."""
    return {ast.unparse(node) for _, node in _given()}
