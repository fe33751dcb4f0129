"""What TensorFlow computes inside a source."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.workers.conftest import run_python

pytestmark = pytest.mark.heavy


def test_layers_around_a_loop_of_tf1_are_arrays_already(tmp_path: Path) -> None:
    found = json.loads(run_python("run_loop_layers.py", str(tmp_path)))

    assert {"doubled:0": [[8.0, 24.0]], "scores:0": [[4.0, 12.0]]} == found
