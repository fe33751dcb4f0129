"""What is required of an IR beside its accuracy, judged in the ovmake process."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from ovmake.contracts.params.judging import CheckSizeParams, RequireParams, SizeLimit
from ovmake.engine.in_process.run import run_here
from ovmake.engine.job import Failure, Job, Success
from ovmake.graph.digest import Digest
from tests.engine.test_in_process import job
from tests.measurements import a_measurement, a_side

MEASURED = a_measurement(
    openvino=a_side(latency_p95_us=None, peak_memory_bytes=1000, missing={"latency_p95_us": "too few"})
)


def under(asked: Job, params: object) -> Job:
    """Return the job with these params."""
    return replace(asked, action=replace(asked.action, params=params))


def weighed(root: Path, most: int) -> Success | Failure:
    sizes = {"xml": Digest(sha256="a" * 64, size_bytes=600), "bin": Digest(sha256="b" * 64, size_bytes=400)}
    asked = under(job(root, "check-size", {}, "size"), CheckSizeParams(require=SizeLimit(size=most)))
    return run_here(replace(asked, digests=sizes))


def judged(root: Path, wanted: Mapping[str, float]) -> Success | Failure:
    asked = job(root, "require", {"measurement": MEASURED}, "requirements")
    return run_here(under(asked, RequireParams(require=wanted)))


def test_an_ir_that_is_small_enough_passes_to_the_byte(tmp_path: Path) -> None:
    assert Success() == weighed(tmp_path, 1000)
    assert "passed" == json.loads((tmp_path / "made.size").read_text())["result"]


def test_a_larger_one_fails_with_both_sizes_and_points_at_the_setting(tmp_path: Path) -> None:
    failed = weighed(tmp_path, 999)

    assert isinstance(failed, Failure)
    assert ("requirement-missed", "require.size") == (failed.code, failed.setting)
    assert "the IR's size is 1.00 kB, at most 999 B wanted" == failed.message


def test_what_is_reached_is_written_down(tmp_path: Path) -> None:
    assert Success() == judged(tmp_path, {"speedup": 1.5, "memory": 1000.0})

    written = json.loads((tmp_path / "made.requirements").read_text())["requirements"]
    assert [("speedup", "passed"), ("memory", "passed")] == [(one["name"], one["result"]) for one in written]


@pytest.mark.parametrize(
    ("wanted", "code", "setting"),
    [
        ({"memory": 1000.0, "speedup": 2.0}, "requirement-missed", "require.speedup"),
        ({"speedup": 1.5, "p95-ms": 8.0}, "requirement-not-measured", "require.p95-ms"),
        ({"p95-ms": 8.0, "speedup": 2.5}, "requirement-missed", "require.speedup"),
    ],
)
def test_what_is_missed_or_not_measured_fails_and_tells_of_the_others(
    tmp_path: Path, wanted: Mapping[str, float], code: str, setting: str
) -> None:
    failed = judged(tmp_path, wanted)

    assert isinstance(failed, Failure)
    assert (code, setting) == (failed.code, failed.setting)
    assert (2, "the IR stays published") == (len(failed.notes), failed.notes[-1])
