"""What holds for all tests: the gate on coverage."""

from __future__ import annotations

import pytest
from coverage import Coverage

from tests.coverage_gate import NAME, CoverageGate, is_whole


def pytest_configure(config: pytest.Config) -> None:
    """Measure the whole suite, unless somebody measures already (`coverage run -m pytest`)."""
    if is_whole(config) and Coverage.current() is None:
        config.pluginmanager.register(CoverageGate(config), NAME)
