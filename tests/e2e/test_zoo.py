"""examples/zoo: real models build in fp32 and fp16, within tolerance. Downloads 60 MB, so only with OVMAKE_ZOO=1."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import tomli

from tests.e2e.conftest import ROOT, Repo

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif("OVMAKE_ZOO" not in os.environ, reason="downloads models: set OVMAKE_ZOO=1"),
]

ZOO = ROOT / "examples" / "zoo"
MODELS = list(tomli.loads((ZOO / "Ovfile").read_text())["models"])


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """Return a copy of the zoo, built; `fetch.py` does nothing where the models are there already."""
    subprocess.run([sys.executable, str(ZOO / "fetch.py")], check=True)
    folder = tmp_path_factory.mktemp("zoo") / "zoo"
    shutil.copytree(ZOO, folder, ignore=shutil.ignore_patterns("build", ".ovmake", "downloads"))
    repo = Repo(folder=folder)
    repo.build("-k")
    return repo


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize("model", MODELS)
def test_model_is_within_tolerance_of_tensorflow(zoo: Repo, model: str, precision: str) -> None:
    record = json.loads((zoo.folder / f"build/{model}/{precision}/record.json").read_bytes())

    assert "passed" == record["gate"]["result"]
    assert record["differences"]


@pytest.mark.parametrize("model", MODELS)
def test_model_can_be_inspected(zoo: Repo, model: str) -> None:
    result = zoo.ovmake("inspect", model, "--json")

    assert 0 == result.status, result.stderr
    found = json.loads(result.stdout)
    assert found["inputs"]
    assert found["outputs"]
    assert found["layers"]


def test_table_is_written_from_the_records(zoo: Repo) -> None:
    readme = Path(zoo.folder / "README.md")

    subprocess.run([sys.executable, str(zoo.folder / "table.py")], check=True)

    table = readme.read_text().partition("<!-- differences -->")[2]
    assert all(f"`{model}:{precision}`" in table for model in MODELS for precision in ("fp32", "fp16"))


@pytest.mark.parametrize("model", MODELS)
def test_layers_can_be_compared(zoo: Repo, model: str) -> None:
    result = zoo.ovmake("debug", f"{model}:fp32", "--json")

    assert 0 == result.status, result.stderr
    layers = json.loads(result.stdout)["layers"]
    assert any(layer["state"] == "matched" for layer in layers)
