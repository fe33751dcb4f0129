"""--no-user-code: whoever builds a stranger's Ovfile runs none of the stranger's functions."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.test_usage import run

OVFILE = """\
[datasets.val]
loader = "data.py:val"

[models.digits]
source = "models/digits"
"""


@pytest.mark.parametrize("command", ["build", "report", "debug"])
def test_loader_is_refused_where_it_is_named(tmp_path: Path, command: str) -> None:
    (tmp_path / "Ovfile").write_text(OVFILE)

    said = run(tmp_path, command, "--no-user-code", "digits")

    assert (2, "") == (said.status, said.output)
    expected = """\
error[user-code]: the Ovfile runs `data.py:val`, and --no-user-code forbids it
 --> Ovfile:2:10
  |
2 | loader = "data.py:val"
  |          ^^^^^^^^^^^^^
  |
help: use settings that need no code, or run without --no-user-code if you trust it
"""
    assert expected == said.complaint
    assert not (tmp_path / ".ovmake").exists()


def test_ovfile_without_code_is_built(tmp_path: Path) -> None:
    (tmp_path / "Ovfile").write_text('[models.digits]\nsource = "models/digits"\n')

    said = run(tmp_path, "build", "--no-user-code")

    assert 1 == said.status
    assert "there is no `models/digits`" in said.complaint


def test_metric_is_refused_where_it_is_named_and_so_is_every_other_function(tmp_path: Path) -> None:
    metric = '[models.digits.accuracy]\ndataset = "val"\nmetric = "score.py:weighted"\n'
    (tmp_path / "Ovfile").write_text(OVFILE + metric)

    said = run(tmp_path, "build", "--no-user-code")

    expected = """\
error[user-code]: the Ovfile runs `data.py:val`, and --no-user-code forbids it
 --> Ovfile:2:10
  |
2 | loader = "data.py:val"
  |          ^^^^^^^^^^^^^
  |
help: use settings that need no code, or run without --no-user-code if you trust it
error[user-code]: the Ovfile runs `score.py:weighted`, and --no-user-code forbids it
 --> Ovfile:8:10
  |
8 | metric = "score.py:weighted"
  |          ^^^^^^^^^^^^^^^^^^^
  |
help: use settings that need no code, or run without --no-user-code if you trust it
2 errors
"""
    assert (2, "", expected) == (said.status, said.output, said.complaint)
