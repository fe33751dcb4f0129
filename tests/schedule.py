"""In which order tests run, on which core, and which have the machine to themselves.

    Order(config)       sorts what was collected; ends a run that is red before its heavy tests
    Turns(order)        keeps the machine for tests that are `alone`
    InOrder             pytest-xdist's scheduler: gives out files, or tests of SPREAD files, in that order
    Totals(config)      how long files took, beside `--durations`

Rule 1: linters and types first, then light tests, then heavy ones, then those that are `alone`. A failure of the first
        two ends a run of the whole suite before the heavy tests begin.
Rule 2: what takes longest begins first, so that no core waits for the other at the end. `SECONDS` knows it.
Rule 3: the tests of a file run in one process, in order, for they share fixtures: the light ones, the heavy ones, and
        those that are `alone`. Those of a `SPREAD` file run wherever there is time.
Rule 4: a test that is `alone` waits for the tests of the other processes, and these wait for it.
"""

from __future__ import annotations

import collections
import contextlib
import fcntl
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler.loadscope import LoadScopeScheduling
from xdist.workermanage import WorkerController

# Files that take longest, in seconds: light ones, then heavy ones (tests/README.md has the table). Others count as 0.
SECONDS = {
    "tests/engine/test_laws.py": 7,
    "tests/test_verdicts.py": 7,
    "tests/project/test_some_models.py": 6,
    "tests/commands/report/test_html.py": 6,
    "tests/commands/gc/test_command.py": 5,
    "tests/cli/test_usage.py": 5,
    "tests/engine/test_runner.py": 5,
    "tests/project/test_stamp.py": 4,
    "tests/test_startup.py": 2,
    "tests/e2e/test_attacks.py": 25,
    "tests/sources/screening/test_keras_names.py": 15,
    "tests/sources/screening/test_screening.py": 10,
    "tests/e2e/test_accuracy_control.py": 69,
    "tests/e2e/test_own_code.py": 60,
    "tests/e2e/test_precisions.py": 54,
    "tests/commands/report/test_browser.py": 46,
    "tests/e2e/test_watch.py": 45,
    "tests/e2e/crashes/test_kills.py": 44,
    "tests/commands/watch/test_watching.py": 35,
    "tests/e2e/crashes/test_workers.py": 32,
    "tests/e2e/test_housekeeping.py": 31,
    "tests/e2e/test_options.py": 30,
    "tests/e2e/test_gate_inputs.py": 30,
    "tests/e2e/test_failures.py": 27,
    "tests/e2e/test_minimal.py": 27,
    "tests/docs/test_console.py": 25,
    "tests/workers/loading/test_loading.py": 20,
    "tests/workers/loading/test_freezing.py": 16,
    "tests/sources/test_fingerprint.py": 15,
    "tests/e2e/test_searched.py": 13,
    "tests/fuzz/test_fuzz.py": 20,
    "tests/e2e/test_siblings.py": 10,
}
# Files of long tests that share nothing, or little.
SPREAD = frozenset(
    {
        "tests/engine/test_laws.py",
        "tests/project/test_some_models.py",
        "tests/commands/gc/test_command.py",
        "tests/commands/watch/test_watching.py",
        "tests/e2e/crashes/test_kills.py",
        "tests/e2e/crashes/test_interrupts.py",
        "tests/e2e/test_failures.py",
        "tests/e2e/test_minimal.py",
    }
)
LINTERS = "tests/test_quality.py"
FILES_SHOWN = 20


class Stage(IntEnum):
    """When a test runs."""

    LINT = 0
    LIGHT = 1
    HEAVY = 2
    ALONE = 3


def stage_of(item: pytest.Item) -> Stage:
    """Return when a test runs, by its marks."""
    if item.get_closest_marker("alone"):
        return Stage.ALONE
    if file_of(item.nodeid) == LINTERS:
        return Stage.LINT
    return Stage.HEAVY if item.get_closest_marker("heavy") else Stage.LIGHT


def file_of(nodeid: str) -> str:
    """Return the file of a test."""
    return nodeid.partition("::")[0]


class Order:
    """Sorts tests; holds the machine for those that need it; ends a run of the whole suite that is red early."""

    def __init__(self, config: pytest.Config, *, whole: bool) -> None:
        self._config = config
        given = getattr(config, "workerinput", {})
        self._whole = bool(given.get("whole", whole))
        self._locks = _locks(given.get("testrunuid", str(os.getpid())))

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Bring them into order; those of a file stay as they are."""
        items.sort(key=lambda item: (stage_of(item), -SECONDS.get(file_of(item.nodeid), 0), file_of(item.nodeid)))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> bool | None:
        """Leave a heavy test out where a light one has failed, in whichever process."""
        red = self._locks / "red"
        if not (self._whole and stage_of(item) >= Stage.HEAVY and red.exists()):
            return None
        item.session.shouldstop = f"{red.read_text()} failed: the heavy tests were not run"
        return True

    @contextlib.contextmanager
    def machine(self, *, alone: bool) -> Iterator[None]:
        """Hold the machine, or a share of it. Who wants it alone holds the gate while he waits, and nobody passes."""
        self._locks.mkdir(exist_ok=True)
        with (self._locks / "gate").open("w") as gate, (self._locks / "machine").open("w") as machine:
            fcntl.flock(gate, fcntl.LOCK_EX)
            fcntl.flock(machine, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
            fcntl.flock(gate, fcntl.LOCK_UN)
            yield

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a light test that failed. Of a test in which its process died, nothing is known."""
        light = "heavy" not in report.keywords or file_of(report.nodeid) == LINTERS
        if report.failed and light and report.when in {"setup", "call", "teardown"} and "alone" not in report.keywords:
            self._locks.mkdir(exist_ok=True)
            (self._locks / "red").write_text(report.nodeid)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: WorkerController) -> None:
        """Learn where the processes of this run have their locks; tell them whether all is run."""
        self._locks = _locks(node.workerinput["testrunuid"])
        node.workerinput["whole"] = self._whole

    def pytest_sessionfinish(self) -> None:
        """Remove the locks, once nobody needs them."""
        if not hasattr(self._config, "workerinput"):
            shutil.rmtree(self._locks, ignore_errors=True)


class Turns:
    """Has each test take the machine for its time, or its share."""

    def __init__(self, order: Order) -> None:
        self._order = order

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Wait for the machine."""
        with self._order.machine(alone=stage_of(item) is Stage.ALONE):
            return (yield)


def _locks(run: str) -> Path:
    return Path(tempfile.gettempdir()) / f"ovmake-tests-{run}"


class InOrder(LoadScopeScheduling):  # type: ignore[misc]  # pytest-xdist has no types
    """Gives out work in the order in which it was collected: tests of a file that follow each other, as one."""

    def __init__(self, config: pytest.Config, log: Producer) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False
        self._units: dict[str, str] = {}

    def add_node_collection(self, node: WorkerController, collection: list[str]) -> None:
        """Take in what a process collected; all collect the same."""
        if not self._units:
            for number, (file, nodeids) in enumerate(itertools.groupby(collection, file_of)):
                self._units |= {nodeid: nodeid if file in SPREAD else f"{number} {file}" for nodeid in nodeids}
        super().add_node_collection(node, collection)

    def remove_node(self, node: WorkerController) -> str | None:
        """Give what a process that died has not done to others, but not the test of which it died; return that one.

        pytest-xdist's own would give out that one, too: it kills one process after the other.
        """
        left: dict[str, dict[str, bool]] = self.assigned_work.pop(node)
        undone = [nodeid for unit in left.values() for nodeid, done in unit.items() if not done]
        if not undone:
            return None
        left[self._split_scope(undone[0])][undone[0]] = True
        for scope, unit in reversed(left.items()):
            if not all(unit.values()):
                self.workqueue[scope] = unit
                self.workqueue.move_to_end(scope, last=False)
        for other in self.assigned_work:
            self._reschedule(other)
        return undone[0]

    def _split_scope(self, nodeid: str) -> str:
        return self._units[nodeid]


class Totals:
    """Sums what tests took by file, where `--durations` asks how long they took."""

    def __init__(self) -> None:
        self._seconds: collections.Counter[str] = collections.Counter()
        self._tests: collections.Counter[str] = collections.Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add a phase of a test."""
        self._seconds[file_of(report.nodeid)] += report.duration  # type: ignore[assignment]
        self._tests[file_of(report.nodeid)] += report.when == "call"

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say which files took longest, and all of them."""
        terminalreporter.section("slowest files")
        for file, seconds in self._seconds.most_common(FILES_SHOWN):
            terminalreporter.line(f"{seconds:7.1f}s {self._tests[file]:5d}  {file}")
        terminalreporter.line(f"{sum(self._seconds.values()):7.1f}s {sum(self._tests.values()):5d}  all files")
