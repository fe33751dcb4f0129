"""The gate on coverage: light tests run every line and branch of the pure core and of the engine, or the session fails.

    CoverageGate(config)        a plugin of pytest's; `tests/conftest.py` registers it
    MeasuringWorker(config)     in a worker of pytest-xdist: it measures, and the gate in the first process judges

Which packages, and what cannot run: `[tool.coverage]` in pyproject.toml. The gate acts where the whole suite runs, with
or without the heavy tests, so there is no second run and no other command; a part of the suite is not measured.

Rule 1: the packages are covered by their own tests, those in `measured` (pyproject.toml). To measure all tests took a
        fifth of the light suite's time, and found eight lines more.
Rule 2: only light tests count. A line that nothing but a conversion reaches would be tested in minutes, and the gate
        would hold only where a framework is installed. Subprocesses are not measured, for the same reason.
Rule 3: tests on random examples do not count: what they reach is a matter of luck, and a gate must not be. They are
        the expensive ones, too: measured, the laws take twice their time. Other expensive ones are `unmeasured`.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
from coverage import Coverage, CoverageData

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

NOT_MEASURED = ("heavy", "hypothesis", "unmeasured")
NAME = "coverage gate"


def is_whole(config: pytest.Config) -> bool:
    """Whether pytest was asked for all tests: by no path, and with nothing ignored."""
    left_out = config.getoption("ignore") or config.getoption("ignore_glob")
    return config.args_source is pytest.Config.ArgsSource.TESTPATHS and not left_out


class Measuring:
    """Measures the tests that count."""

    def __init__(self, config: pytest.Config) -> None:
        self.coverage = Coverage(config_file=str(config.inipath), data_file=None)
        # Where workers run the tests, the first process sees none.
        self.coverage.set_option("run:disable_warnings", ["no-data-collected"])
        self.whole = True
        self._folders = tuple(f"{folder}/" for folder in config.getini("measured"))

    @pytest.hookimpl(wrapper=True)
    def pytest_collection(self) -> object:
        """Measure the imports: they run the modules' own lines."""
        with self.coverage.collect():
            return (yield)

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        """See what `-m`, `-k`, `--lf` and others leave out."""
        self.whole = self.whole and all(item.get_closest_marker("heavy") for item in items)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> object:
        """Measure a test."""
        if not item.nodeid.startswith(self._folders) or any(map(item.get_closest_marker, NOT_MEASURED)):
            return (yield)
        with self.coverage.collect():
            return (yield)


class MeasuringWorker(Measuring):
    """Measures a part of the tests, and hands on what it saw."""

    def __init__(self, config: pytest.Config) -> None:
        super().__init__(config)
        self._output: dict[str, Any] = config.workeroutput  # type: ignore[attr-defined]

    def pytest_sessionfinish(self) -> None:
        """Send it to the first process."""
        self._output["coverage"] = self.coverage.get_data().dumps()
        self._output["whole"] = self.whole


class CoverageGate(Measuring):
    """Fails a session that passed and is not covered."""

    def __init__(self, config: pytest.Config) -> None:
        super().__init__(config)
        self._report = ""

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: WorkerController) -> None:
        """Add what a worker measured; one that died has sent nothing, and its session has failed."""
        output = getattr(node, "workeroutput", {})
        if "coverage" in output:
            data = CoverageData(no_disk=True)
            data.loads(output["coverage"])
            self.coverage.get_data().update(data)
            self.whole = self.whole and output["whole"]

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Fail what passed and is not covered. What failed, or was ended, says nothing about coverage."""
        if exitstatus == pytest.ExitCode.OK and self.whole and not session.config.getoption("collectonly"):
            text = io.StringIO()
            if self.coverage.report(file=text, show_missing=True, skip_covered=True) < 100:
                session.exitstatus = pytest.ExitCode.TESTS_FAILED
            self._report = text.getvalue()

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what is not covered."""
        if self._report:
            terminalreporter.section(NAME)
            terminalreporter.write(self._report)
