"""Every command runs in a terminal that knows ASCII only."""

from __future__ import annotations

import pytest

from tests.cli.test_plain import ENVIRONMENTS, run
from tests.e2e.conftest import Repo


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["ascii", "no-utf8"])
def test_every_command_is_shown_in_ascii(built: Repo, name: str) -> None:
    built.edit("scale = ", "scale = 9")
    commands = [
        ["status"],
        ["explain"],
        ["build", "-n", "--explain"],
        ["build", "--explain", "fashion:fp16"],
        ["build", "--json", "fashion:fp16"],
        ["inspect", "fashion"],
        ["report", "--no-measure", "--markdown"],
    ]

    for words in commands:
        done = run(built.folder, ENVIRONMENTS[name], *words)

        assert done.stdout.isascii()
        assert done.stderr.isascii()
        assert b"Traceback" not in done.stderr
        assert b"UnicodeEncodeError" not in done.stderr
        assert done.returncode in {0, 1}
        if words[0] == "explain":
            assert b"`inputs.image.scale` changed: [90.02] -> [990.02]" in done.stdout
