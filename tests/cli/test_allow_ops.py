"""--allow-ops: what an Ovfile allows its models counts only if the command line does too."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.test_usage import run

OVFILE = """\
[models.digits]
source = "models/digits"
allow-ops = ["WriteFile", "ReadFile"]
"""


@pytest.mark.parametrize("command", ["build", "report", "debug"])
def test_ovfile_alone_allows_nothing(tmp_path: Path, command: str) -> None:
    (tmp_path / "Ovfile").write_text(OVFILE)

    said = run(tmp_path, command, "digits")

    assert (2, "") == (said.status, said.output)
    expected = """\
error[allow-ops]: the Ovfile allows a model to run `ReadFile`, `WriteFile`, and the command line does not
 --> Ovfile:3:13
  |
3 | allow-ops = ["WriteFile", "ReadFile"]
  |             ^^^^^^^^^^^^^^^^^^^^^^^^^
  |
help: add --allow-ops if you trust the model: these operations do more than compute
"""
    assert expected == said.complaint
    assert not (tmp_path / ".ovmake").exists()


@pytest.mark.parametrize("command", ["build", "report", "debug"])
def test_both_together_go_on(tmp_path: Path, command: str) -> None:
    (tmp_path / "Ovfile").write_text(OVFILE)

    said = run(tmp_path, command, "--allow-ops", "digits")

    assert 1 == said.status
    assert "there is no `models/digits`" in said.complaint
