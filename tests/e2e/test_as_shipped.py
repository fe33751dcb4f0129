"""A model with a table, which cannot be frozen: measured through its signature, and the report says why only so."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.e2e.conftest import Repo
from tests.workers.conftest import sources_once

pytestmark = pytest.mark.heavy

OVFILE = """\
[defaults]
precisions = ["fp32"]
benchmark.max-seconds = 2

[models.lookup]
source = "lookup"
"""
WHY = "it cannot be frozen: it has a lookup table ("


def test_report_measures_the_signature_and_says_why_nothing_is_frozen(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    shutil.copytree(sources_once(tmp_path_factory) / "lookup", tmp_path / "lookup")
    (tmp_path / "Ovfile").write_text(OVFILE)

    done = Repo(folder=tmp_path).ovmake("report")

    assert 0 == done.status, done.stderr
    (target,) = json.loads((tmp_path / "build/report/report.json").read_text())["targets"]
    assert ["signature"] == [way["name"] for way in target["measured"]["ways"]]
    assert WHY in target["measured"]["ways_missing"]["frozen"]
    assert WHY in (tmp_path / "build/report/index.html").read_text()
    assert "passed" == target["gate"]["result"]
