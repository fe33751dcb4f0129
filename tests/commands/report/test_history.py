"""This report compared with an earlier one: speed, accuracy, versions, options, files, and another machine."""

# ruff: noqa: RUF001 - the signs for times are intended

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ovmake.commands.report.facts.earlier import earlier
from ovmake.commands.report.facts.history import compare, compared, read
from ovmake.commands.report.facts.records import TargetReport
from ovmake.commands.report.tables import build_page
from ovmake.contracts.files.report import Change, History
from ovmake.diagnostics import OvmakeError, render
from tests.commands.report.targets import gate_missed, json_of, measured, not_measured, sure, target


def document(*reports: TargetReport) -> dict[str, Any]:
    content: dict[str, Any] = json_of(build_page(reports, title="t"))
    return content


def history(before: TargetReport | None, after: TargetReport | None) -> History:
    now = [*map(compared, document(after)["targets"])] if after else []
    old = read(json.dumps(document(*([before] if before else []))), "old.json")
    return compare(old, now, against="old.json")


def change(before: TargetReport, after: TargetReport) -> Change:
    (found,) = history(before, after).changes
    return found


@pytest.mark.parametrize(
    ("now", "speed", "words"),
    [
        ((6.0, 5.9, 6.1), "faster", "faster: 1.50× (1.46 to 1.55×), speed-up over TensorFlow 4.0× → 6.0×"),
        ((2.0, 1.9, 2.1), "slower", "slower: 0.50× (0.47 to 0.53×), speed-up over TensorFlow 4.0× → 2.0×"),
        (
            (4.1, 4.0, 4.2),
            "no clear difference",
            "no clear difference: 1.02× (0.99 to 1.06×), speed-up over TensorFlow 4.0× → 4.1×",
        ),
    ],
)
def test_speeds_are_compared_with_the_ranges_of_both(now: tuple[float, float, float], speed: str, words: str) -> None:
    found = change(target(measurement=measured(4.0, 3.9, 4.1)), target(measurement=measured(*now)))

    assert (speed, (words,)) == (found.speed, found.sentences)
    assert ("no clear difference" != speed) == found.weighs


def test_what_was_unstable_or_loaded_then_is_said() -> None:
    found = change(
        target(measurement=measured(4.0, 3.9, 4.1, loaded=True)), target(measurement=measured(6.0, 5.9, 6.1))
    )

    assert found.sentences[0].endswith("; loaded")

    found = change(
        target(measurement=measured(4.0, 3.9, 4.1, high_latency=True)),
        target(measurement=measured(6.0, 5.9, 6.1, unstable=True)),
    )

    assert found.sentences[0].endswith("; unstable and high core latency")


def test_figures_of_another_machine_are_never_compared() -> None:
    elsewhere = replace(measured(2.0, 1.9, 2.1), machine="AMD EPYC; 64 cores")

    found = history(target(measurement=elsewhere), target(measurement=measured()))

    assert "The earlier report is from another machine, so speeds are not compared." == found.note
    assert ("", None) == (found.changes[0].speed, found.changes[0].ratio)
    assert ("speed-up 2.0× on another machine, 4.8× on this one",) == found.changes[0].sentences


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (not_measured(), target(), "speed not measured in the earlier report"),
        (target(), not_measured(), "speed measured in the earlier report only"),
    ],
)
def test_what_one_of_them_lacks_is_said(before: TargetReport, after: TargetReport, words: str) -> None:
    assert words in change(before, after).sentences


@pytest.mark.parametrize(
    ("low", "high", "candidate", "said"),
    [
        (0.01, 0.014, 0.906, "less accurate: drop 0.42 points → 1.20 points"),
        (-0.005, 0.0, 0.9205, "more accurate: drop 0.42 points → −0.25 points"),
        (0.003, 0.008, 0.9125, "no clear difference: drop 0.42 points → 0.55 points"),
    ],
)
def test_drops_differ_clearly_if_their_ranges_do_not_meet(low: float, high: float, candidate: float, said: str) -> None:
    before = target(evaluation=sure(0.0008, 0.0074))

    found = change(before, target(evaluation=sure(low, high, candidate=candidate)))

    assert said in found.sentences
    assert said.partition(":")[0] == found.accuracy


def test_scores_of_two_metrics_are_not_compared() -> None:
    assert "" == change(target(), target(evaluation=sure(0, 0.1, metric="f1"))).accuracy


def test_changed_versions_options_and_files_are_named_with_old_and_new() -> None:
    plain = target()
    newer = replace(
        plain,
        versions={**plain.versions, "openvino": "2026.5.0"},
        options={"inputs.image.mean": [72.94], "samples": 500, "batch": 4},
        digests={"source": "ff" * 32, "xml": "b2" * 32, "bin": "dd" * 32},
        size_bytes=150_000,
    )

    found = change(plain, newer)

    assert (
        "openvino 2026.4.1 → 2026.5.0",
        "batch not set → 4",
        "preset mixed → not set",
        "samples 300 → 500",
        "the source changed",
        "its weights changed",
    ) == found.between
    assert "size 199 kB → 150 kB" in found.sentences


def test_a_gate_that_is_missed_now_is_told_and_unknown_files_are_not_compared() -> None:
    found = change(target(), gate_missed())

    assert "gate passed → missed" in found.sentences
    assert () == found.between


def test_targets_that_came_and_went_are_listed() -> None:
    assert (("fashion:int8",), ()) == (history(None, target()).appeared, history(None, target()).vanished)
    assert ((), ("fashion:int8",)) == (history(target(), None).appeared, history(target(), None).vanished)


def test_a_report_of_the_first_format_is_read_as_far_as_it_goes() -> None:
    old = document(target(measurement=measured(4.0, 3.9, 4.1))) | {"format": 1}
    (entry,) = old["targets"]
    for key in ("digests", "requirements", "devices", "throughput_ratio"):
        del entry[key]
    del entry["measured"]["unstable"], entry["measured"]["loaded"]

    found = compare(
        read(json.dumps(old), "old.json"), [*map(compared, document(target())["targets"])], against="old.json"
    )

    assert "faster" == found.changes[0].speed


def test_doubts_have_other_names_in_reports_of_format_3() -> None:
    measured_then = {"machine": "AMD EPYC", "apart": True, "apart_ns": 238.5}

    found = compared({"target": "m:fp32", "measured": measured_then})

    assert ("high_latency",) == found.doubts


# ----------------------------------------------------------------------------------------------------------------------
# reading an earlier report


REPORTS = ("Ovfile.report.json", "build/report/report.json")


def complaint(against: str, folder: Path) -> str:
    with pytest.raises(OvmakeError) as caught:
        earlier(against, folder=folder, reports=REPORTS)
    assert 2 == caught.value.exit_status
    return "\n".join(map(render, caught.value.diagnostics))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        ("[]", "it is not a report.json of ovmake"),
        ('{"targets": [], "format": 99}', "it has format 99, and this ovmake reads formats 1 to 4"),
        ('{"targets": [3], "format": 1}', "it is not a report.json of ovmake"),
    ],
)
def test_what_is_no_report_is_said(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "old.json").write_text(text)

    assert said in complaint(str(tmp_path / "old.json"), tmp_path)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    assert "error[no-earlier-report]: cannot read gone.json: No such file or directory" in complaint(
        "gone.json", tmp_path
    )


def git(folder: Path, *words: str) -> None:
    identity = ("-c", "user.name=n", "-c", "user.email=e@e")
    subprocess.run(["git", "-C", str(folder), *identity, *words], check=True, capture_output=True)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """Return an Ovfile's folder below the root of a repo that has committed its report."""
    folder = tmp_path / "models"
    (folder / "build/report").mkdir(parents=True)
    (folder / "build/report/report.json").write_text(json.dumps(document(target())))
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "add", "-f", ".")
    git(tmp_path, "commit", "-q", "-m", "a report")
    return folder


@pytest.mark.parametrize("against", ["git:main", "git:HEAD", "git:main:models/build/report/report.json"])
def test_a_revision_of_the_repo_is_read(repo: Path, against: str) -> None:
    found = earlier(against, folder=repo, reports=REPORTS)

    assert "fashion:int8" == found.targets[0].name


def test_the_report_committed_next_to_the_ovfile_comes_before_the_one_in_the_build_folder(repo: Path) -> None:
    later = json.dumps({**document(target()), "title": "beside the Ovfile"})
    (repo / "Ovfile.report.json").write_text(later)
    git(repo, "add", ".")
    git(repo, "commit", "-q", "-m", "another")

    assert earlier("git:main", folder=repo, reports=REPORTS).title == "beside the Ovfile"
    assert earlier("git:main~1", folder=repo, reports=REPORTS).title == "t"


def test_revision_with_no_report_names_the_file_to_commit(repo: Path) -> None:
    (repo / "Ovfile").write_text("")  # or git removes the folder too
    git(repo, "rm", "-q", "build/report/report.json")
    git(repo, "commit", "-q", "-m", "none")

    said = complaint("git:main", repo)

    assert "git has no ./Ovfile.report.json in `main`" in said
    assert "help: commit `Ovfile.report.json`, which `ovmake report` writes" in said


def test_a_revision_or_a_file_that_git_lacks_is_said_in_its_words(repo: Path) -> None:
    assert "invalid object name 'gone'" in complaint("git:gone", repo)
    assert "does not exist in 'main'" in complaint("git:main:other.json", repo)
    assert "`git:--help` names no revision" in complaint("git:--help", repo)
    assert "`git:` names no revision" in complaint("git:", repo)


def test_a_folder_that_is_no_repo_is_said_in_its_words(tmp_path: Path) -> None:
    assert "not a git repository" in complaint("git:main", tmp_path)
