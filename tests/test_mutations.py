"""Faults to find can be put where they are to go: the line is there, and once."""

from __future__ import annotations

import pytest

from tests.mutations import MUTATIONS, ROOT


@pytest.mark.parametrize("name", MUTATIONS)
def test_fault_has_its_place(name: str) -> None:
    fault = MUTATIONS[name]

    assert 1 == (ROOT / "ovmake" / fault.file).read_text().count(fault.old)
    assert [] == [word for word in fault.tests.split() if word.startswith("tests/") and not (ROOT / word).exists()]
