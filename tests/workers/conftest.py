"""Models of every kind, made once per session in a process of their own: this one never imports TensorFlow."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": str(ROOT),
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "CUDA_VISIBLE_DEVICES": "-1",
}


def run_python(script: str, *arguments: str, stdin: str = "") -> str:
    """Run a script of this folder, and return what it prints."""
    done = subprocess.run(
        [sys.executable, str(HERE / script), *arguments],
        env=ENVIRONMENT,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with all models; see make_sources.py. Not to be changed."""
    folder = tmp_path_factory.mktemp("sources")
    run_python("make_sources.py", str(folder))
    return folder
