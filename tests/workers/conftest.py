"""Models of every kind, made once per session in a process of their own: this one never imports TensorFlow."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import warm
from tests.once import once

HERE = Path(__file__).parent


def run_python(script: str, *arguments: str, stdin: str = "", by: str = "tensorflow") -> str:
    """Run a script of this folder, `by` the framework that it uses, and return what it prints."""
    done = warm.run([str(HERE / script), *arguments], by=by, stdin=stdin)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with all models; see make_sources.py. Not to be changed."""
    return sources_once(tmp_path_factory)


def sources_once(factory: pytest.TempPathFactory) -> Path:
    """Return the folder with all models, which other tests copy."""
    return once(factory, "sources", lambda folder: print(run_python("make_sources.py", str(folder))))
