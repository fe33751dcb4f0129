"""Data flows one way: the table of who may import whom, held against every import statement, also in functions.

    diagnostics <- ovfile <- graph <- rules <- engine <- session, terminal <- report, debug, inspecting <- cli

`store` stands beside `rules`, `watching` beside `report`; `stamp`, `spots` and `workers` stand alone, and everything
heavy has the one place where it may be loaded.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "ovmake"

# Part of ovmake -> what it may import of ovmake, as prefixes of module names. `ovmake` itself is the version only.
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "diagnostics": (),
    "amounts": (),
    "machine": (),
    "promise": ("promise",),
    "ovfile": ("amounts", "diagnostics", "ovfile"),
    "graph": ("diagnostics", "ovfile", "graph"),
    "rules": ("amounts", "diagnostics", "ovfile", "graph", "rules"),
    "store": ("diagnostics", "machine", "seal", "ovfile.spec", "graph", "store"),
    "engine": (
        "amounts",
        "diagnostics",
        "promise",
        "ovfile",
        "graph",
        "rules",
        "store",
        "engine",
        "workers.cage",
        "workers.client",
        "workers.progress",
        "workers.protocol",
    ),
    "workers": ("diagnostics", "machine", "promise", "workers"),
    "seal": (),
    "stamp": ("seal",),
    "repo": ("diagnostics", "stamp", "ovfile", "graph", "rules", "workers.recognise"),
    "session": (
        *("diagnostics", "seal", "stamp", "ovfile", "graph", "rules", "repo", "store", "engine"),
        "workers.fingerprint",
    ),
    "stamping": ("stamp", "graph", "store", "engine", "session"),
    "terminal": ("diagnostics", "stamp", "ovfile", "graph", "engine"),
    "trial": ("stamp", "ovfile", "graph", "store", "engine", "repo", "session"),
    "live": ("graph", "engine", "narrow", "terminal"),
    "narrow": (),
    "drawing": ("diagnostics", "ovfile.spec", "graph"),
    "checking": ("amounts", "diagnostics", "graph", "store", "engine"),
    "gc": ("amounts", "stamp", "checking", "graph", "store", "engine", "session", "gc"),
    "timeline": ("diagnostics", "graph", "engine", "terminal"),
    "debug": ("diagnostics", "ovfile.spec", "graph", "store", "engine", "session", "debug"),
    "report": (
        *("diagnostics", "amounts", "ovfile.spec", "graph", "rules.benchmark", "rules.intervals", "rules.requiring"),
        *("store", "engine", "session", "report"),
    ),
    "inspecting": (
        "amounts",
        "diagnostics",
        "ovfile.spec",
        "repo",
        "store.ignoring",
        "store.links",
        "store.nearby",
        "workers.cage",
        "workers.client",
        "workers.protocol",
        "workers.recognise",
        "inspecting",
    ),
    "cli": (
        *(
            "amounts",
            "diagnostics",
            "stamp",
            "stamping",
            "ovfile",
            "graph",
            "rules",
            "store",
            "engine",
            "repo",
            "session",
            "terminal",
            "live",
            "trial",
            "narrow",
            "debug",
        ),
        *("report", "inspecting", "arguments", "watching", "checking", "drawing", "gc", "timeline", "cli"),
    ),
    "spots": (),
    "watching": ("diagnostics", "graph", "store", "engine", "repo", "spots"),
    "arguments": ("amounts", "diagnostics"),
    "__main__": ("cli",),
    "": (),
}

TENSORFLOW = {"tensorflow", "keras", "tf_keras"}
OPENVINO = {"openvino", "nncf"}
FRAMEWORKS = TENSORFLOW | OPENVINO | {"numpy", "PIL", "google", "google_crc32c", "sklearn", "scipy", "pycocotools"}

# Third-party package -> the modules that may load it.
ONLY_IN: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(FRAMEWORKS, ("workers",)),
    "rich": ("live",),
    "jinja2": ("report.html",),
    "tomli": ("ovfile",),
    "watchfiles": ("watching",),
}

# Modules that turn bytes into code.
UNSAFE = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "code", "codeop"}

# What a pure module has no use for.
EFFECTS = {
    "os",
    "pathlib",
    "shutil",
    "subprocess",
    "tempfile",
    "sqlite3",
    "socket",
    "time",
    "random",
    "threading",
    "io",
}
PURE = (
    *("diagnostics", "ovfile", "graph", "rules", "engine.staleness", "engine.scheduler", "engine.explain"),
    *("engine.costs", "engine.estimate", "engine.ending", "engine.allowance"),
    *("inspecting.description", "inspecting.tables", "inspecting.starter", "inspecting.data", "inspecting.settling"),
    *("debug.findings", "debug.words", "narrow"),
    *("amounts", "drawing", "gc.plan", "gc.words"),
)


@dataclass(frozen=True, slots=True)
class Import:
    """An import statement: `module` is what it loads, dotted."""

    module: str
    line: int


@cache
def modules() -> dict[str, Path]:
    """Return all modules by their name below `ovmake`: "engine.look", "ovfile" for the package, "" for ovmake."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(part for part in parts if part != "__init__")] = path
    return found


@cache
def tree(name: str) -> ast.Module:
    """Return a module's syntax tree."""
    return ast.parse(modules()[name].read_text())


@cache
def imports(name: str) -> tuple[Import, ...]:
    """Return every import of a module: at the top, in functions, and for type checkers only."""
    return tuple(_imports(name))


def _imports(name: str) -> Iterator[Import]:
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}:{node.lineno}: imports are absolute"
            assert node.module is not None
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield Import(inner if inner.removeprefix("ovmake.") in modules() else node.module, node.lineno)


def own(found: Import) -> str | None:
    """Return the name of an imported module of ovmake, None for others."""
    if found.module == "ovmake":
        return ""
    return found.module.removeprefix("ovmake.") if found.module.startswith("ovmake.") else None


def under(name: str, *prefixes: str) -> bool:
    """Whether a module is one of `prefixes` or in one of them."""
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)


def places(name: str, wanted: Iterator[int] | list[int]) -> list[str]:
    """Return lines of a module as an editor opens them."""
    return [f"{modules()[name].relative_to(ROOT)}:{line}" for line in wanted]


def calls(name: str, *functions: str) -> list[int]:
    """Return the lines on which a module calls a function by one of these names ("print", "sys.exit")."""
    return [
        node.lineno
        for node in ast.walk(tree(name))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in functions
    ]


def everywhere(*without: str, within: tuple[str, ...] = ()) -> list[str]:
    """Return the modules that a rule is about: all but some, or those in some."""
    found = [name for name in modules() if not under(name, *without) and (not within or under(name, *within))]
    assert len(found) > 10
    return found


# A rule is one test, for all modules at once: it names every place that breaks it.


def test_every_part_of_ovmake_is_in_the_table() -> None:
    assert {name.partition(".")[0] for name in modules()} == set(MAY_IMPORT)


def test_imports_follow_the_table() -> None:
    wrong = [
        f"{place}: {name or 'ovmake'} must not import {module}"
        for name in everywhere()
        for found in imports(name)
        if (module := own(found)) and not under(module, *MAY_IMPORT[name.partition(".")[0]])
        for place in places(name, [found.line])
    ]
    assert wrong == []


def test_heavy_packages_are_loaded_in_their_place_only() -> None:
    wrong = [
        f"{place}: {found.module}"
        for name in everywhere()
        for found in imports(name)
        if (top := found.module.partition(".")[0]) in ONLY_IN and not under(name, *ONLY_IN[top])
        for place in places(name, [found.line])
    ]
    assert wrong == []


def test_tensorflow_and_openvino_are_not_loaded_by_one_module() -> None:
    loaded = {name: {found.module.partition(".")[0] for found in imports(name)} for name in everywhere()}

    assert [] == [name for name, found in loaded.items() if found & TENSORFLOW and found & OPENVINO]


@pytest.mark.parametrize("name", [name for name in modules() if name.endswith("_worker")])
def test_tensorflow_and_openvino_are_not_loaded_by_one_process(name: str) -> None:
    loaded: set[str] = set()
    seen = set()
    pending = [name]
    while pending:
        module = pending.pop()
        if module in seen:
            continue
        seen.add(module)
        loaded |= {found.module.partition(".")[0] for found in imports(module)}
        pending += [inner for found in imports(module) if (inner := own(found))]
        pending += handlers(module)

    assert not (loaded & TENSORFLOW and loaded & OPENVINO)


def handlers(name: str) -> list[str]:
    """Return the modules that a worker imports by what it is asked for: `serve({"freeze": "freezing:freeze"})`."""
    words = [node.value for node in ast.walk(tree(name)) if isinstance(node, ast.Constant) and node.value]
    named = [f"workers.{word.partition(':')[0]}" for word in words if isinstance(word, str) and word.count(":") == 1]
    return [module for module in named if module in modules()] if name.endswith("_worker") else []


def test_nothing_turns_bytes_into_code() -> None:
    wrong = []
    for name in everywhere("workers", "store"):
        lines = [found.line for found in imports(name) if found.module.partition(".")[0] in UNSAFE]
        lines += calls(name, "eval", "exec", "compile", "__import__", "importlib.import_module", "import_module")
        wrong += places(name, lines)

    assert wrong == []


# What gives a model to TensorFlow, Keras or TFLite, as it is spelt.
LOADERS = re.compile(
    r"(.*\.)?(saved_model\.load(_v2)?|import_graph_def|import_meta_graph|load_model|model_from_json|from_config"
    r"|Interpreter|CreateWrapperFrom\w+|import_scoped_meta_graph|wrap_function|function_from_graph_def)"
)
# They screen what they load.
SCREENS = {
    *("workers.loading_saved_model", "workers.loading_checkpoint", "workers.loading_keras"),
    *("workers.lite", "workers.timing_lite", "workers.shipped", "workers.inspecting_lite"),
}
# They get what one of those has screened: a graph without variables, or the content of a .tflite file.
GIVEN = {"workers.frozen", "workers.inspecting_tensorflow", "workers.lite_probe"}


def test_models_are_loaded_only_by_modules_that_screen_them_before() -> None:
    loading = set()
    for name in everywhere():
        spelt = (ast.unparse(one) for one in ast.walk(tree(name)) if isinstance(one, ast.Attribute | ast.Name))
        heavy = {found.module.partition(".")[0] for found in imports(name)} & TENSORFLOW or name == "workers.lite_probe"
        if heavy and any(LOADERS.fullmatch(one) for one in spelt):
            loading.add(name)
    screening = {name for name in loading if calls(name, "screen", "screen_keras")}

    assert loading == SCREENS | GIVEN
    assert screening == SCREENS


def test_pure_modules_touch_nothing() -> None:
    wrong = []
    for name in everywhere(within=PURE):
        lines = [found.line for found in imports(name) if found.module.partition(".")[0] in EFFECTS]
        wrong += places(name, [*lines, *calls(name, "open", "print", "input")])

    assert wrong == []


# What opens, makes, moves or removes files by their names, and follows whatever link it meets.
BY_NAME = {
    *("mkdir", "makedirs", "unlink", "remove", "rmdir", "rename", "replace", "touch", "rmtree", "move", "copy"),
    *("copyfile", "copytree", "symlink", "symlink_to", "hardlink_to", "link", "truncate", "chmod"),
    *("write_text", "write_bytes", "open"),
}
# Whose methods of those names are meant for our own folders, or are of texts and databases.
HARMLESS = {"self", "cls", "ours", "disk", "_disk", "handles", "Beneath", "Database", "database", "heap"}
BENEATH = ("store.beneath", "store.handles", "store.publishing")
# What is read and not ours; and the folder of a file that the command line names.
ALLOWED = {
    "store.processes": {"open"},
    "store.disk": {"os.open"},
    "stamp": {"open", "os.open"},
    "report.command": {"place.parent.mkdir"},
}


def test_our_own_folders_are_written_by_one_module() -> None:
    wrong = []
    for name in everywhere(
        *BENEATH, within=("store", "engine", "stamp", "stamping", "session", "gc", "report.command")
    ):
        found = [node for node in ast.walk(tree(name)) if isinstance(node, ast.Call) and by_name(node)]
        wrong += places(name, [node.lineno for node in found if ast.unparse(node.func) not in ALLOWED.get(name, set())])

    assert wrong == []


def by_name(call: ast.Call) -> bool:
    """Whether a call is one of those that name a file: `open(...)`, `os.rename(...)`, `Path(...).unlink()`."""
    if isinstance(call.func, ast.Name):
        return call.func.id == "open"
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in BY_NAME:
        return False
    receiver = call.func.value
    if call.func.attr == "replace" and call.args and isinstance(call.args[0], ast.Constant):  # in a text
        return False
    if isinstance(receiver, ast.Call):
        receiver = receiver.func
    if isinstance(receiver, ast.Attribute):  # self._world.disk.remove
        return receiver.attr not in HARMLESS
    return not (isinstance(receiver, ast.Name) and receiver.id in HARMLESS)


def test_only_the_command_line_prints() -> None:
    assert [] == [place for name in everywhere("cli") for place in places(name, calls(name, "print"))]


def test_only_the_command_line_exits() -> None:
    wrong = []
    for name in everywhere("cli", "__main__"):
        raised = [
            node.lineno
            for node in ast.walk(tree(name))
            if isinstance(node, ast.Raise) and node.exc is not None and "SystemExit" in ast.unparse(node.exc)
        ]
        wrong += places(name, [*calls(name, "sys.exit", "exit", "quit"), *raised])

    assert wrong == []


def test_modules_open_with_their_map() -> None:
    """A module's docstring is its map."""
    assert [] == [name for name in everywhere() if not ast.get_docstring(tree(name))]
