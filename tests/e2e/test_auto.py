"""`auto` and the speed check on the real example. Which candidate is the fastest, no test says: that is measured."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.e2e.conftest import Repo

pytestmark = [pytest.mark.heavy, pytest.mark.alone]

LISTED = 'precisions = ["fp32", "fp16", "int8"]'
WITH_AUTO = """precisions = ["fp32", "fp16", "int8", "auto"]
benchmark.max-seconds = 1
auto.candidates = ["int8", "fp16", "fp32"]"""
ORDER = ("fp32", "fp16", "int8")


@pytest.fixture
def repo(built: Repo) -> Repo:
    """The built example, which now asks for `auto` too."""
    built.edit(LISTED, WITH_AUTO)
    return built


def weighed(repo: Repo) -> dict[str, dict[str, Any]]:
    """Return the candidates in the record of `auto`, by precision."""
    return {one["precision"]: one for one in repo.record("fashion", "auto")["auto"]["candidates"]}


def test_one_of_the_candidates_is_published_with_the_figures_of_all(repo: Repo) -> None:
    result = repo.build()

    # Everything else is there already, for the candidates are targets too.
    judged = [f"judge fashion:{precision}" for precision in ORDER]
    own = [f"{kind} fashion:auto" for kind in ("choose", "publish", "time-candidates", "weigh")]
    assert sorted([*judged, *own]) == result.ran
    chosen = repo.record("fashion", "auto")["auto"]["chosen"]
    assert list(ORDER) == list(weighed(repo))
    assert all(one["speed"]["low"] <= one["speed"]["median"] <= one["speed"]["high"] for one in weighed(repo).values())
    files = repo.outputs()
    for suffix in ("xml", "bin"):
        assert files[f"fashion/{chosen}/fashion.{suffix}"] == files[f"fashion/auto/fashion.{suffix}"]
    (event,) = [
        one for one in result.events if one.get("target") == "fashion:auto" and one["event"] == "target-finished"
    ]
    assert (chosen, "built", "passed") == (event["chosen"], event["status"], event["gate"])


def test_what_was_chosen_stays_until_something_changes(repo: Repo) -> None:
    repo.build()
    repo.workers_started()

    assert "up to date: 4 targets\n" == repo.ovmake("build").stdout
    assert "fashion:auto is up to date" in repo.ovmake("explain").stdout
    repo.edit("max-drop = 0.01", "max-drop = 0.02")
    result = repo.build()

    # The same candidates keep the new promise: they are judged anew and not timed anew.
    assert "time-candidates fashion:auto" not in result.ran
    assert {"judge fashion:int8", "weigh fashion:auto", "publish fashion:auto"} <= set(result.ran)
    assert set() == repo.workers_started()


def test_a_candidate_that_misses_its_gate_fails_its_own_target_only(repo: Repo) -> None:
    # INT8 costs about 0.0042; how much exactly, the processor decides.
    cost = repo.record("fashion", "int8")["gate"]["drop"]
    repo.edit("max-drop = 0.01", "max-drop = 0.001")

    result = repo.build("-k")

    assert 1 == result.status
    assert ("failed", "built") == (result.targets["fashion:int8"], result.targets["fashion:auto"])
    assert repo.record("fashion", "auto")["auto"]["chosen"] in {"fp32", "fp16"}
    missed = weighed(repo)["int8"]
    assert ("missed", None, "its gate is missed, so its speed does not matter") == (
        missed["gate"],
        missed["speed"],
        missed["not_measured"],
    )
    assert cost == missed["drop"] > 0.001


def test_without_a_candidate_that_keeps_its_gate_nothing_is_published_and_all_are_named(repo: Repo) -> None:
    repo.edit("max-drop = 0.01", "max-drop = -0.5")

    result = repo.ovmake("build", "fashion:auto")

    assert 1 == result.status
    assert "error[gate-missed]: choose fashion:auto: no candidate passes its gate\n" in result.stderr
    for precision in ORDER:
        assert f"= note: {precision}: gate missed: accuracy 0.91" in result.stderr
    assert not (repo.folder / "build/fashion/auto").exists()


def test_a_dry_run_foresees_what_auto_takes(repo: Repo) -> None:
    result = repo.ovmake("build", "-n", "--json")

    assert {"time-candidates fashion:auto", *(f"judge fashion:{precision}" for precision in ORDER)} <= {
        *result.actions("would-run"),
        *result.actions("may-run"),
    }
    assert set() == repo.workers_started()


def test_the_report_shows_the_candidates_and_measures_the_chosen_one(repo: Repo) -> None:
    assert 0 == repo.ovmake("report", "fashion:auto").status

    page = json.loads((repo.folder / "build/report/report.json").read_text())
    (target,) = page["targets"]
    assert repo.record("fashion", "auto")["auto"] == target["auto"]
    assert target["speedup"]["median"] > 0
    html = (repo.folder / "build/report/index.html").read_text()
    assert "Candidates for fashion:auto" in html


def test_the_speed_check_is_made_once_for_this_machine_and_is_in_the_report(built: Repo) -> None:
    measured = json.loads(find(built, "rounds"))

    assert len(measured["rounds"]) >= 6
    assert all(times["fp32"] > 0 < times["ir"] for times in measured["rounds"])
    assert measured["executed"]["i8"] > 0
    assert 1 <= measured["conversions"]
    assert ["image"] == measured["dynamic_inputs"]
    assert [] == built.build().ran
    built.edit(LISTED, LISTED + "\nspeed-check = false")
    assert [] == built.build().ran


def find(repo: Repo, word: str) -> str:
    """Return the stored JSON whose beginning holds a key."""
    stored = [path.read_bytes() for path in (repo.folder / ".ovmake/cas").glob("*/*")]
    (found,) = [content for content in stored if f'"{word}"'.encode() in content[:200]]
    return found.decode()
