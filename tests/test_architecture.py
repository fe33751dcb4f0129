"""Imports run one way: the table of which room may import from which, held against every import statement.

    ovfile <- graph <- verdicts <- rules <- engine <- project <- commands <- cli
    store beside rules; sources and workers below engine, in processes of their own

Imports in functions and for type checkers count too. Everything heavy has the one place where it may be loaded, and
modules have no circle.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from ovmake.contracts.entry_points import HANDLERS

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "ovmake"

# Leaves import no room of ours. Every room may import them; what runs in a worker, those in WITHIN_WORKERS.
LEAVES = ("", "contracts", "diagnostics", "errors", "ledger", "machine", "names", "seal", "units")
WITHIN_WORKERS = "contracts diagnostics errors machine names"

# Room -> the rooms that it may import from, beside itself and leaves. A module's room is the longest of these that its
# name begins with; `ovmake` itself is the version only.
MAY_IMPORT: dict[str, str] = {
    **dict.fromkeys(LEAVES, ""),
    "machine": "contracts",
    # What is built, without effects.
    "ovfile": "",
    "graph": "ovfile.spec ovfile.words",
    "verdicts": "ovfile.spec ovfile.words graph",
    "rules": "ovfile graph verdicts",
    # Effects, and who decides about them.
    "store": "ovfile.spec ovfile.words graph",
    "engine": "ovfile.spec ovfile.words ovfile.schema graph verdicts store workers.ipc",
    "sources": "",
    # What teams share.
    "lockfile": "graph store",
    "remote": "ovfile.spec ovfile.words ovfile.schema ovfile.problems graph engine",
    "project": "ovfile graph rules store engine sources remote lockfile project.stamp",
    "project.stamp": "",
    # Commands.
    "commands.cache": "ovfile.spec ovfile.words ovfile.schema graph store engine project remote",
    "commands.check": "graph store engine",
    "commands.debug": "ovfile.spec ovfile.words graph store engine project",
    "commands.gc": "graph store engine project commands.check",
    "commands.lock": "graph store engine project lockfile",
    "commands.locked": "ovfile.spec graph rules store engine project lockfile",
    "commands.help": "diagnostics",
    "commands.inspect": "ovfile graph store engine project sources workers.ipc",
    "commands.report": "ovfile.spec ovfile.words graph verdicts store engine project",
    "commands.watch": "graph store engine project",
    "cli": "ovfile graph store engine project commands",
    "__main__": "cli",
    # Workers: processes of their own.
    "workers": "workers.ipc",
    "workers.ipc": "",
    "workers.inputs": "sources workers.ipc",
    "workers.loading": "sources workers.ipc workers.inputs",
    "workers.conversion": "sources workers.ipc workers.inputs",
    "workers.inspection": "sources workers.ipc workers.inputs workers.loading workers.conversion",
    "workers.evaluation": "verdicts workers.ipc workers.inputs workers.conversion",
    "workers.reference": "sources workers.ipc workers.inputs workers.loading workers.conversion workers.evaluation",
    "workers.matching": "sources workers.ipc workers.inputs workers.conversion workers.evaluation",
    "workers.quantization": "verdicts workers.ipc workers.inputs workers.conversion workers.evaluation"
    " workers.matching",
    "workers.measurement": "sources workers.ipc workers.inputs workers.loading workers.conversion workers.evaluation"
    " workers.reference",
}

TENSORFLOW = {"tensorflow", "keras", "tf_keras"}
OPENVINO = {"openvino", "nncf"}
FRAMEWORKS = TENSORFLOW | OPENVINO | {"numpy", "PIL", "google", "google_crc32c", "sklearn", "scipy", "pycocotools"}

# Third-party package -> the modules that may load it.
ONLY_IN: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(FRAMEWORKS, ("workers",)),
    "google_crc32c": ("workers", "sources.leveldb"),
    "rich": ("cli.live", "cli.manual"),
    "obstore": ("remote.objects", "remote.transport.stores"),
    "cryptography": ("remote.signing",),
    "jinja2": ("commands.report.render.html",),
    "tomli": ("ovfile",),
    "watchfiles": ("commands.watch",),
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
    *("diagnostics", "units", "ovfile", "graph", "rules", "verdicts", "cli.narrow"),
    *(
        "engine.staleness",
        "engine.scheduler",
        "engine.explain",
        "engine.outcomes.target_outcome",
        "engine.resource_limits",
    ),
    *("engine.forecasting.costs", "engine.forecasting.estimate"),
    *(f"commands.inspect.{name}" for name in ("description", "tables", "starter", "data", "settling")),
    *("commands.debug.findings", "commands.debug.words", "commands.gc.plan", "commands.gc.words"),
    *("commands.cache.plan", "commands.cache.words"),
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


def room(name: str) -> str | None:
    """Return the room of the table that a module is in."""
    parts = name.split(".")
    found = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
    return next((room for room in found if room in MAY_IMPORT), None)


def test_every_part_of_ovmake_is_in_the_table() -> None:
    assert [] == [name for name in modules() if room(name) is None and name != "commands"]
    assert {"commands", *MAY_IMPORT} >= {name.partition(".")[0] for name in modules()}


def allowed(inside: str) -> list[str]:
    """Return what a room may import beside itself."""
    if inside in LEAVES:
        return MAY_IMPORT[inside].split()
    leaves = WITHIN_WORKERS.split() if under(inside, "workers", "sources") else list(LEAVES[1:])
    return [*leaves, *MAY_IMPORT[inside].split()]


def test_imports_follow_the_table() -> None:
    wrong = [
        f"{place}: {name or 'ovmake'} must not import {module}"
        for name in everywhere("commands.__init__")
        if (inside := room(name)) is not None
        for found in imports(name)
        if (module := own(found)) and room(module) != inside and not under(module, *allowed(inside))
        for place in places(name, [found.line])
    ]
    assert wrong == []


# A circle of two rooms is a lie about which is lower. A room and a room within it are one for this.
def test_rooms_have_no_circle() -> None:
    assert [] == circles({room: set(MAY_IMPORT[room].split()) for room in MAY_IMPORT})


def test_modules_have_no_circle() -> None:
    graph = {name: {module for found in imports(name) if (module := own(found)) in modules()} for name in modules()}

    assert [] == sorted(circles({name: {one for one in graph[name] if one} for name in graph if name}))


def circles(graph: Mapping[str, set[str]]) -> list[tuple[str, ...]]:
    """Return sets of names that reach each other, sorted: what is left when all that has no way back is taken away."""
    rest = {name: {one for one in found if one in graph and one != name} for name, found in graph.items()}
    while ends := {name for name, found in rest.items() if not found}:
        rest = {name: found - ends for name, found in rest.items() if name not in ends}
    reached = {name: _reached(rest, name) for name in rest}
    rings = {name: [one for one in rest if one in reached[name] and name in reached[one]] for name in rest}
    return sorted({tuple(sorted(ring)) for name, ring in rings.items() if name in ring})


def _reached(graph: Mapping[str, set[str]], start: str) -> set[str]:
    found: set[str] = set()
    pending = list(graph[start])
    while pending:
        if (name := pending.pop()) not in found:
            found.add(name)
            pending += graph.get(name, ())
    return found


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
    """Return the modules that a worker imports by what it is asked for."""
    kinds = HANDLERS.get(name.removeprefix("workers.").removesuffix("_worker"), {})
    return [function.partition(":")[0] for function in kinds.values()]


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
    *("workers.loading.saved_model", "workers.loading.tf1", "workers.loading.keras_file"),
    *(
        "workers.reference.tflite",
        "workers.measurement.timing_tflite",
        "workers.loading.shipped",
        "workers.inspection.tflite",
    ),
}
# They get what one of those has screened: a graph without variables, or the content of a .tflite file.
GIVEN = {"workers.reference.frozen", "workers.inspection.tensorflow", "workers.reference.tflite_probe"}


def test_models_are_loaded_only_by_modules_that_screen_them_before() -> None:
    loading = set()
    for name in everywhere():
        spelt = (ast.unparse(one) for one in ast.walk(tree(name)) if isinstance(one, ast.Attribute | ast.Name))
        heavy = {
            found.module.partition(".")[0] for found in imports(name)
        } & TENSORFLOW or name == "workers.reference.tflite_probe"
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
HARMLESS = {"self", "cls", "ours", "disk", "_disk", "handles", "OwnFolders", "Database", "database", "heap"}
BENEATH = ("store.files.own_folders", "store.files.handles", "store.files.publishing")
# What is read and not ours; and the folder of a file that the command line names.
ALLOWED = {
    "store.processes": {"open"},
    "store.own_code": {"open"},
    "store.files.disk": {"os.open"},
    "project.stamp": {"open", "os.open"},
    "project.repo": {"where.ovfile.open"},
    "commands.report.command": {"place.parent.mkdir"},
}


def test_our_own_folders_are_written_by_one_module() -> None:
    wrong = []
    for name in everywhere(*BENEATH, within=("store", "engine", "project", "commands.gc", "commands.report.command")):
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


def packages() -> dict[str, list[str]]:
    """Return every package with the names of its modules and packages."""
    found: dict[str, list[str]] = {}
    for name, path in modules().items():
        if path.name == "__init__.py":
            found.setdefault(name, [])
        if name:
            found.setdefault(name.rpartition(".")[0], []).append(
                path.parent.name + "/" if path.name[0] == "_" else path.name
            )
    return found


# How the map of a package lists them: at the start of a line, or after a comma of one that begins so.
LISTED = re.compile(r"^ *((?:[a-z_0-9]+(?:\.py|/), )*[a-z_0-9]+(?:\.py|/))(?: |$)", re.MULTILINE)


def test_the_map_of_a_package_lists_its_modules_and_no_others() -> None:
    wrong = []
    for name, inside in packages().items():
        listed = [one for line in LISTED.findall(ast.get_docstring(tree(name)) or "") for one in line.split(", ")]
        if name and sorted(listed) != sorted(one for one in inside if one != "__main__.py"):
            wrong.append(
                f"{name}: lists {sorted(set(listed) - set(inside))}, lacks {sorted(set(inside) - set(listed))}"
            )

    assert wrong == []


# A package that holds more is two.
MOST_MODULES = 16
MOST_LINES = 3500


def test_packages_are_small_enough_to_be_read() -> None:
    wrong = []
    for name, inside in packages().items():
        flat = [path for path in (modules()[name].parent).glob("*.py") if path.name != "__init__.py"]
        lines = sum(path.read_text().count("\n") for path in flat)
        if len(flat) > MOST_MODULES or lines > MOST_LINES:
            wrong.append(f"{name}: {len(flat)} modules of {lines} lines, and {len(inside)} in all")

    assert wrong == []
