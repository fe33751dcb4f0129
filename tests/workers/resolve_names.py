"""Look up what the workers' annotations take from a framework: `python resolve_names.py tensorflow,keras FILE...`.

Prints {"missing": ["ovmake/workers/conversion/ir.py:30: ov.Modell", ...], "count": of the names that were looked up}.
"""

from __future__ import annotations

import ast
import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

# Where a name was imported from: the module, and the name in it ("" for the module itself).
Origin = tuple[str, str]


def origins(tree: ast.Module, tops: set[str]) -> dict[str, Origin]:
    """Return the names that a module imports from these packages, for type checkers only too."""
    found: dict[str, Origin] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                whole = alias.name if alias.asname else alias.name.partition(".")[0]
                found[alias.asname or whole] = (whole, "")
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {alias.asname or alias.name: (node.module, alias.name) for alias in node.names}
    return {name: origin for name, origin in found.items() if origin[0].partition(".")[0] in tops}


def annotations_of(tree: ast.Module) -> Iterator[ast.expr]:
    """Yield every annotation: of arguments, results, variables and fields."""
    for node in ast.walk(tree):
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation is not None:
            yield node.annotation
        elif isinstance(node, ast.FunctionDef) and node.returns is not None:
            yield node.returns


def spelt(annotation: ast.expr) -> Iterator[ast.Attribute | ast.Name]:
    """Yield the names in an annotation, each as long as it is: `ov.op.Parameter`, and not `ov.op` in it too."""
    pending: list[ast.AST] = [annotation]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Attribute | ast.Name):
            yield node
        else:
            pending += ast.iter_child_nodes(node)


def is_there(name: str, known: dict[str, Origin]) -> bool:
    """Whether a dotted name leads to something; so does one that is no framework's."""
    first, *rest = name.split(".")
    if first not in known:
        return True
    module, inner = known[first]
    try:
        value: object = importlib.import_module(module)
        for part in filter(None, [inner, *rest]):
            value = getattr(value, part)
    except (ImportError, AttributeError):
        return False
    return True


def main(tops: set[str], files: list[str]) -> None:
    """Print what is missing."""
    missing, count = [], 0
    for file in files:
        tree = ast.parse(Path(file).read_text())
        known = origins(tree, tops)
        for node in (node for annotation in annotations_of(tree) for node in spelt(annotation)):
            count += ast.unparse(node).partition(".")[0] in known
            if not is_there(ast.unparse(node), known):
                missing.append(f"{file}:{node.lineno}: {ast.unparse(node)}")
    print(json.dumps({"missing": missing, "count": count}))


if __name__ == "__main__":
    main(set(sys.argv[1].split(",")), sys.argv[2:])
