"""A small suite in a folder of its own, run by a pytest of its own that obeys this suite's `conftest.py`.

    done = run_suite(tmp_path, {"tests/test_a.py": "def test_a(): ..."}, "-v", variables={"COLUMNS": "80"})

No plugin is loaded but those that `words` name (`-p xdist.plugin`) and that conftest.py registers.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
CONFIGURATION = """\
[tool.pytest.ini_options]
testpaths = ["tests"]
measured = ["tests"]
markers = ["heavy: loads a framework", "alone: needs the machine", "hypothesis: on random examples"]
"""


def run_suite(
    folder: Path, files: Mapping[str, str], *words: str, variables: Mapping[str, str], prefix: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Write the files and run pytest with `words`; `prefix` comes before it, `variables` are of its environment."""
    for name, text in {"tests/conftest.py": (ROOT / "tests/conftest.py").read_text(), **files}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    path = os.pathsep.join([str(folder), str(ROOT)])
    return subprocess.run(
        [sys.executable, *prefix, "-m", "pytest", "-p", "no:cacheprovider", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
