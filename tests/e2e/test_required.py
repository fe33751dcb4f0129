"""What is required of an IR beside its accuracy, on a model of one multiplication, through the command line."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from tests.e2e.conftest import Repo
from tests.e2e.tiny import tiny_repo

pytestmark = pytest.mark.heavy

ALONE = '[models.file]\nsource = "models/file.pb"\n'
DEFAULTS = '[defaults]\nprecisions = ["fp32"]\naccuracy = false\nbenchmark.max-seconds = 1\n'


def repo_with(folder: Path, table: str) -> Repo:
    repo = tiny_repo(folder)
    (repo.folder / "Ovfile").write_text(f"{DEFAULTS}{ALONE}{table}\n")
    return repo


def test_an_ir_that_is_too_large_is_not_published_and_the_last_good_one_stays(tmp_path: Path) -> None:
    repo = repo_with(tmp_path, "")
    assert 0 == repo.build().status
    before = repo.outputs()
    repo.edit(ALONE, f'{ALONE}require.size = "100 B"\nbatch = 3\n')

    result = repo.ovmake("build")

    assert 1 == result.status
    assert "error[requirement-missed]: check-size file:fp32: the IR's size is " in result.stderr
    assert 'require.size = "100 B"' in result.stderr
    assert "nothing was published; the last good IR, if there is one, is where it was" in result.stderr
    assert before == repo.outputs()


def test_a_size_that_is_kept_converts_nothing_again(tmp_path: Path) -> None:
    repo = repo_with(tmp_path, "")
    assert 0 == repo.build().status
    repo.edit(ALONE, f'{ALONE}require.size = "1 MB"\n')

    result = repo.build("--json")

    assert (0, ["check-size"]) == (
        result.status,
        [event["action"] for event in result.events if "seconds" in event and "action" in event],
    )


def test_a_report_measures_other_devices_and_fails_for_what_is_missed(tmp_path: Path) -> None:
    repo = repo_with(tmp_path, 'require.speedup = 1000\nrequire.p95-ms = 1000\nbenchmark.devices = ["AUTO:CPU", "GPU"]')

    result = repo.ovmake("report")

    assert 1 == result.status
    assert "error[requirement-missed]: require file:fp32: speedup is " in result.stderr
    assert "require.speedup = 1000" in result.stderr
    assert "this machine has CPU" in result.stderr
    assert (repo.folder / "build/file/fp32/file.xml").exists()
    (target,) = json.loads((repo.folder / "build/report/report.json").read_text())["targets"]
    assert {"speedup": "missed", "p95-ms": "passed"} == {one["name"]: one["result"] for one in target["requirements"]}
    assert target["devices"]["AUTO:CPU"]["latency_median_us"] > 0
    assert "OpenVINO cannot compile for the device GPU" in target["devices"]["GPU"]["not_available"]
    folder = repo.folder / "build/report/measurements/file"
    assert {"fp32", "fp32-on-AUTO-CPU"} == {path.name for path in folder.iterdir()}
    with gzip.open(folder / "fp32/samples.jsonl.gz") as file:
        first = json.loads(file.readline())
    assert {"frozen", "openvino"} == set(first["ns"])
