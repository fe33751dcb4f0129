"""What holds for all tests: the order they run in, on all cores, and the gate on coverage."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest
from coverage import Coverage

from tests.coverage_gate import NAME, CoverageGate, MeasuringWorker, is_whole
from tests.examples import set_default
from tests.schedule import InOrder, Order, Totals, Turns

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.workermanage import WorkerController


set_default()
# Where the environment forbids bytecode, each process of a test would compile all of ovmake anew: half as long again.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
# Whose the repos of the tests are. The key of whoever runs them is not for tests.
os.environ["OVMAKE_STATE_KEY"] = "whoever runs the tests"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what pyproject.toml says of the gate."""
    parser.addini("measured", "folders whose tests count for the gate on coverage", type="linelist")


def pytest_configure(config: pytest.Config) -> None:
    """Measure the whole suite, unless somebody measures already (`coverage run -m pytest`)."""
    worker = getattr(config, "workerinput", None)
    whole = is_whole(config)
    order = Order(config, whole=whole)
    config.pluginmanager.register(order, "order")
    config.pluginmanager.register(Turns(order), "turns")
    if worker is None and config.getoption("durations") is not None:
        config.pluginmanager.register(Totals(), "totals")
    if worker is not None:
        if worker["measured"]:
            config.pluginmanager.register(MeasuringWorker(config), NAME)
    elif whole and Coverage.current() is None:
        config.pluginmanager.register(CoverageGate(config), NAME)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: WorkerController) -> None:
    """Tell a worker of pytest-xdist whether it is to measure."""
    node.workerinput["measured"] = node.config.pluginmanager.hasplugin(NAME)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Use all cores for the suite or a folder of it; for single files a second process is not worth its start."""
    some = [word for word in config.args if "::" in word or word.endswith(".py")]
    return 0 if some else len(os.sched_getaffinity(0))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> InOrder:
    """Give out tests in their order."""
    return InOrder(config, log)
