"""What is called as shipped is screened as everything else that TensorFlow gets, and is the function that the IR is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.graphdefs import node
from tests.workers.conftest import run_python
from tests.workers.metagraphs import PLACES

pytestmark = pytest.mark.heavy


def test_model_that_does_more_than_compute_is_not_loaded(tmp_path: Path, sources: Path) -> None:
    """From the init op, from a function, as an operation that its signature runs."""
    harm = node("harm", "WriteFile", "x", "x")
    for place, made in PLACES.items():
        folder = tmp_path / place.replace(" ", "-")
        folder.mkdir()
        (folder / "saved_model.pb").write_bytes(made(harm))
    folders = [str(tmp_path / place.replace(" ", "-")) for place in PLACES]

    found = json.loads(run_python("call_shipped.py", *folders, str(sources / "calls"), str(sources / "lookup")))

    assert {"op-refused"} == {found[folder] for folder in folders}
    assert ["", "no-such-way"] == [found[str(sources / name)] for name in ("calls", "lookup")]
