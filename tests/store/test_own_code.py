"""The digests of ovmake's own code: they cover what an action can run, and nothing else."""

from __future__ import annotations

import ast
import contextlib
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

import ovmake
from ovmake.contracts.entry_points import HANDLERS, STARTS
from ovmake.engine.in_process.run import KINDS
from ovmake.store.own_code import CARRIERS, OF_WORKERS, OwnCode, without_docstring
from tests.rules.test_reach import OVFILE, actions

PACKAGE = Path(ovmake.__file__).parent
EVERY = [(worker, kind) for worker, kinds in HANDLERS.items() for kind in kinds]
MEASURING = {("openvino", "time"), ("tensorflow", "time"), *(("bench", kind) for kind in HANDLERS["bench"])}
Edited = Callable[[str], set[tuple[str, str]]]
# What starts another process: a module that names one of these has an entry in STARTS.
STARTERS = {"ask_tensorflow", "HelperWorker", "start_module", "executable"}


@cache
def modules() -> dict[str, Path]:
    """Return every module by its name below `ovmake`."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(part for part in parts if part != "__init__")] = path
    return found


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(modules()[module].read_bytes())


def with_packages(module: str) -> Iterator[str]:
    """Return a module and the packages that Python runs before it."""
    parts = module.split(".") if module else []
    yield from (".".join(parts[:count]) for count in range(1, len(parts) + 1))


@cache
def parsed(module: str) -> frozenset[str]:
    """Return what the parser says that a module imports of ovmake, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in names:
            if name.startswith("ovmake.") and (inner := name.removeprefix("ovmake.")) in modules():
                found.update(with_packages(inner))
    return frozenset(found)


def carries(module: str) -> bool:
    inside = any(module == one or (one and module.startswith(f"{one}.")) for one in CARRIERS)
    return inside and module != OF_WORKERS


def derived(worker: str, kind: str) -> frozenset[str]:
    """Return the modules that an action can run, by the parser."""
    found: set[str] = set()
    pending = [*with_packages(HANDLERS[worker][kind].partition(":")[0])]
    pending += [] if worker in {"in-process", "observer"} else [OF_WORKERS]
    while pending:
        module = pending.pop()
        if module in found or carries(module):
            continue
        found.add(module)
        pending += parsed(module)
        for started in STARTS.get(module, ()):
            name = started if isinstance(started, str) else HANDLERS[started[0]][started[1]].partition(":")[0]
            pending += with_packages(name)
    return frozenset(found)


@pytest.mark.parametrize(("worker", "kind"), EVERY)
def test_what_an_action_can_run_is_what_a_parser_finds(worker: str, kind: str) -> None:
    assert derived(worker, kind) == OwnCode().reached(worker, kind)


def test_imports_are_found_as_a_parser_finds_them_in_every_module() -> None:
    code = OwnCode()

    wrong = [name for name in modules() if code.imports(modules()[name].read_bytes()) - {""} != parsed(name)]

    assert [] == wrong


def test_only_docstrings_of_modules_are_left_out() -> None:
    for name, path in modules().items():
        text = path.read_bytes()
        rest = tree(name).body[1:]  # test_architecture: each has a docstring
        assert ast.dump(ast.Module(rest, [])) == ast.dump(ast.parse(without_docstring(text))), name


def test_no_module_reads_its_docstring() -> None:
    # The JSON Schema of a contract describes classes by theirs, which are in the digest.
    assert ["contracts.schema"] == [name for name, path in modules().items() if "__doc__" in path.read_text()]


@pytest.mark.parametrize(("worker", "kind"), [one for one in EVERY if one[0] not in {"in-process", "observer"}])
def test_entries_are_functions_of_workers(worker: str, kind: str) -> None:
    module, _, function = HANDLERS[worker][kind].partition(":")

    assert function in {node.name for node in tree(module).body if isinstance(node, ast.FunctionDef)}


def test_what_runs_in_this_process_is_in_the_table() -> None:
    here = {kind: f"{function.__module__}:{function.__name__}" for kind, function in KINDS.items()}

    assert here == {kind: f"ovmake.{entry}" for kind, entry in HANDLERS["in-process"].items()}
    for entry in HANDLERS["observer"].values():
        module, _, name = entry.partition(":")
        assert callable(getattr(import_module(f"ovmake.{module}"), name))


def test_every_kind_of_action_that_rules_make_is_in_the_table() -> None:
    wrong = {(one.worker, one.kind) for one in actions(OVFILE).values()} - set(EVERY)

    assert set() == wrong


def starts_something(module: str) -> bool:
    named = {node.id for node in ast.walk(tree(module)) if isinstance(node, ast.Name)}
    named |= {node.attr for node in ast.walk(tree(module)) if isinstance(node, ast.Attribute)}
    started = {"WorkerProcess.start"} & {
        ast.unparse(node.func) for node in ast.walk(tree(module)) if isinstance(node, ast.Call)
    }
    return bool(STARTERS & named or started)


def test_whatever_starts_another_process_says_what_that_runs() -> None:
    workers = [name for name in modules() if name.startswith("workers.") and not name.startswith("workers.ipc")]

    assert set(STARTS) == {name for name in workers if starts_something(name)}


def test_a_request_to_another_process_is_of_a_kind_that_is_declared() -> None:
    for module, started in STARTS.items():
        texts = {node.value for node in ast.walk(tree(module)) if isinstance(node, ast.Constant)}
        for one in started:
            if isinstance(one, str):
                assert {f"ovmake.{one}", one.removeprefix("workers.")} & texts, module
            elif one[1] != "time":  # which `interleaving` asks for in the name of both
                assert one[1] in texts, module
        kinds = {kind for worker, kind in EVERY if worker in {"tensorflow", "loader"}} & texts
        assert kinds - {"inspect", "time", "layers"} <= {one[1] for one in started if not isinstance(one, str)}, module


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the package, for tests that put back what they edit."""
    to = tmp_path_factory.mktemp("copy") / "ovmake"
    shutil.copytree(PACKAGE, to, ignore=shutil.ignore_patterns("__pycache__"))
    return to


@contextlib.contextmanager
def changed(file: Path, text: str) -> Iterator[OwnCode]:
    """Give a file another text for a while."""
    was = file.read_text()
    file.write_text(text)
    try:
        yield OwnCode(next(folder for folder in file.parents if folder.name == "ovmake"))
    finally:
        file.write_text(was)


@pytest.fixture(scope="module")
def edited(copy: Path) -> Edited:
    """Return what edits a module of a copy and says of which kinds that changes the digest."""
    code = OwnCode(copy)
    was = {one: code.of(*one) for one in EVERY}

    def edit(file: str) -> set[tuple[str, str]]:
        with changed(copy / file, f"{(copy / file).read_text()}\nEDITED = True\n") as now:
            return {one for one in EVERY if now.of(*one) != was[one]}

    return edit


def of(*workers: str) -> set[tuple[str, str]]:
    return {one for one in EVERY if one[0] in workers}


@pytest.mark.parametrize("file", ["benchmark", "windows", "energy", "spread", "core_latency"])
def test_an_edit_of_measuring_makes_only_measurements_stale(edited: Edited, file: str) -> None:
    assert {("bench", "benchmark")} == edited(f"workers/measurement/{file}.py")


def test_an_edit_of_one_framework_s_timing_makes_only_what_times_it_stale(edited: Edited) -> None:
    openvino = MEASURING - {("tensorflow", "time")}
    assert openvino == edited("workers/measurement/timing_openvino.py")


def test_an_edit_of_timing_makes_all_that_is_timed_stale(edited: Edited) -> None:
    assert MEASURING == edited("workers/measurement/timing.py")


@pytest.mark.parametrize(
    "file",
    [
        *("__init__.py", "commands/report/tables.py", "cli/terminal.py", "rules/gate.py", "engine/executor.py"),
        *(
            "store/cas.py",
            "diagnostics.py",
            "workers/openvino_worker.py",
            "workers/ipc/protocol.py",
            "project/stamp.py",
        ),
    ],
)
def test_an_edit_of_what_no_action_runs_makes_nothing_stale(edited: Edited, file: str) -> None:
    assert set() == edited(file)


def test_an_edit_of_conversion_makes_what_reads_models_stale(edited: Edited) -> None:
    # Quantizing finds a layer in an IR by converting the model once more.
    readers = ("convert", "compress", "quantize", "compress-weights", "name-layers", "compare-layers")

    assert {("openvino", kind) for kind in readers} == edited("workers/conversion/converting.py")


def test_an_edit_of_what_all_of_conversion_uses_makes_all_that_run_it_stale(edited: Edited) -> None:
    stale = edited("workers/conversion/ir.py")

    assert {"convert", "compress", "quantize", "compress-weights", "evaluate"} <= {kind for _, kind in stale}
    assert set() == stale & (of("in-process", "observer", "loader") | {("tensorflow", "freeze")})


@pytest.mark.parametrize("kind", HANDLERS["in-process"])
def test_an_edit_of_a_kind_in_this_process_makes_that_kind_stale(edited: Edited, kind: str) -> None:
    assert {("in-process", kind)} == edited(f"engine/in_process/{kind.replace('-', '_')}.py")


def test_an_edit_of_verdicts_makes_what_judges_stale(edited: Edited) -> None:
    judges = {
        ("in-process", "gate"),
        ("in-process", "judge"),
        ("in-process", "publish"),
        ("openvino", "control"),
    }

    assert judges == edited("verdicts/verdict.py")


@pytest.mark.parametrize(
    ("file", "kinds"),
    [
        ("verdicts/speed.py", {("in-process", "check-speed")}),
        ("verdicts/choosing.py", {("in-process", "weigh"), ("in-process", "choose")}),
        ("verdicts/requirements.py", {("in-process", "require"), ("in-process", "check-size")}),
        ("verdicts/record.py", {("in-process", "publish")}),
        ("workers/quantization/quantizing.py", {("openvino", "quantize"), ("openvino", "compress-weights")}),
        ("workers/quantization/control/search.py", {("openvino", "control")}),
        ("workers/evaluation/checking.py", {("openvino", "check-samples")}),
        ("workers/inputs/calibration_check.py", {("openvino", "check-calibration")}),
        ("sources/fingerprint.py", {("observer", "fingerprint"), ("tensorflow", "check-source")}),
    ],
)
def test_an_edit_makes_the_kinds_stale_that_run_it(edited: Edited, file: str, kinds: set[tuple[str, str]]) -> None:
    assert kinds == edited(file)


def test_an_edit_of_what_workers_see_of_the_environment_makes_all_they_do_stale(edited: Edited) -> None:
    assert set(EVERY) - of("in-process", "observer") == edited("workers/ipc/environment.py")


def test_the_room_of_an_edit_is_named(copy: Path) -> None:
    was, file = OwnCode(copy).of("openvino", "convert"), copy / "workers/conversion/ir.py"

    with changed(file, f"{file.read_text()}\nEDITED = True\n") as code:
        now = code.of("openvino", "convert")

    assert ["ovmake/workers/conversion"] == [room for room in {**was, **now} if was.get(room) != now.get(room)]


def test_a_docstring_of_a_module_is_no_code(copy: Path) -> None:
    was, file = OwnCode(copy).of_all(), copy / "workers/conversion/ir.py"

    with changed(file, file.read_text().replace('"""', '"""Words. ', 1)) as code:
        assert was == code.of_all()


@pytest.mark.parametrize("file", ["rules/gate.py", "cli/terminal.py", "workers/ipc/cage.py", "__init__.py"])
def test_the_digest_of_the_whole_has_every_module(copy: Path, file: str) -> None:
    was = OwnCode(copy).whole()

    with changed(copy / file, f"{(copy / file).read_text()}\nEDITED = True\n") as code:
        assert was != code.whole()
    assert was == OwnCode(copy).whole()
