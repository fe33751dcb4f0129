"""What is required of an IR beside its accuracy, on a model of one multiplication, through the command line."""

from __future__ import annotations

import gzip
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from ovmake.workers.measurement.core_latency import neighbours
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
    assert "nothing was published; the last good IR, if any, stays" in result.stderr
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


@pytest.mark.alone
def test_a_report_measures_other_devices_and_fails_for_what_is_missed(tmp_path: Path) -> None:
    devices = 'benchmark = { max-seconds = 12, devices = ["AUTO:CPU", "GPU"] }'
    repo = repo_with(tmp_path, f"require.speedup = 1000\nrequire.p95-ms = 1000\n{devices}")

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
        pairs = [one for one in map(json.loads, file) if "ns" in one]
    # Where the processor executes bf16 by default, that is timed as well, now and then.
    assert {"frozen", "openvino"} == set(pairs[0]["ns"]) - {"by-default"}
    # The IR got new processes meanwhile, and how far apart the cores are is known where anybody can know it.
    assert len({pair["process"] for pair in pairs}) > 1
    assert {bool(neighbours())} == {pair["core_latency_ns"] is not None for pair in pairs}
    _check_twins(repo)
    _check_clean(repo)


def _check_twins(repo: Repo) -> None:
    """Of the same figures, without measuring again: Markdown, JUnit, and a comparison with the report itself."""
    report = repo.folder / "build/report/report.json"

    told = repo.ovmake("report", "--no-measure", "--markdown", "--junit", "out/gates.xml", "--against", str(report))

    assert 0 == told.status
    assert told.stdout.startswith("# OpenVINO compared with TensorFlow\n\n## file\n")
    assert "speedup missed" in told.stdout
    assert "## Since " in told.stdout
    assert "No target is clearly faster, slower, or less accurate." in told.stdout
    gates = ET.parse(repo.folder / "out/gates.xml").iter("testcase")  # noqa: S314 - ours
    cases = {case.get("name"): [child.tag for child in case] for case in gates}
    assert {"accuracy": ["skipped"], "speedup": ["failure"], "p95-ms": ["system-out"]} == cases
    assert json.loads(report.read_text())["against"]["against"] == str(report)
    wrong = repo.ovmake("report", "--against", "git:no-such-revision")
    assert 2 == wrong.status
    assert "error[no-earlier-report]: git has no " in wrong.stderr


def _check_clean(repo: Repo) -> None:
    """Measurements are outputs too."""
    assert 0 == repo.ovmake("clean").status
    assert not (repo.folder / "build").exists()
