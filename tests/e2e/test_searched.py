"""Accuracy control on the real example, as a user sees it: the line, the events, the record, the report, the names."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.e2e.conftest import Repo

pytestmark = pytest.mark.heavy

PLAIN = 'calibration = "calibration"\nsamples = 300'


@pytest.fixture
def repo(built: Repo) -> Repo:
    """The built example, which now searches; plain INT8 costs about 0.0042, nearly all of it in `wide_14`."""
    built.edit(PLAIN, f'{PLAIN}\non-drop = "mixed"')
    built.edit("max-drop = 0.01", "max-drop = 0.003")
    return built


def search_in_report(repo: Repo) -> dict[str, Any]:
    """Return what report.json says of the search for fashion:int8; nothing is measured for it."""
    repo.ovmake("report", "--no-measure", "fashion:int8")
    (target,) = json.loads((repo.folder / "build/report/report.json").read_text())["targets"]
    found = target["accuracy_control"]
    assert isinstance(found, dict)
    return found


def test_a_layer_that_is_given_back_is_told_by_the_line_the_record_and_the_report(repo: Repo) -> None:
    cost = repo.record("fashion", "int8")["gate"]["drop"]

    result = repo.ovmake("build", "fashion:int8")

    assert result.status == 0, result.stderr
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("fashion:int8")]
    scores = r"accuracy (8|9)\d\.\d\d % → (8|9)\d\.\d\d %, drop 0\.00\d\d"
    assert re.search(rf"built    gate passed, {scores}, 7 of 8 layers INT8 build/fashion/int8/fashion\.xml", line)
    (reverted,) = repo.record("fashion", "int8")["accuracy_control"]["reverted"]
    assert ("convolution.18", "wide_14", "Convolution") == (
        reverted["name"],
        reverted["layer"],
        reverted["type"],
    )
    assert cost == reverted["in_int8"] > 0.003
    told = repo.ovmake("status", "fashion:int8").stdout.split(maxsplit=2)[2]
    assert re.match(rf"{scores}; 7 of 8 layers in INT8(; slower|\n)", told)

    reported = search_in_report(repo)

    assert "7 of 8 layers in INT8; 1 reverted to float after 2 trials" == reported.pop("text")
    assert repo.record("fashion", "int8")["accuracy_control"] == reported
    html = (repo.folder / "build/report/index.html").read_text()
    assert "Layers of fashion:int8 that were reverted to float" in html
    assert '<th scope="row">wide_14<small>convolution.18</small></th>' in html


def test_a_search_in_vain_is_told_by_the_event_the_error_and_the_report(repo: Repo) -> None:
    # The float IR is as good as TensorFlow, and no better.
    repo.edit("max-drop = 0.003", "max-drop = -0.02")

    result = repo.build("fashion:int8")

    assert 1 == result.status
    (event,) = [one for one in result.events if one["event"] == "target-finished"]
    assert ("missed", 0, 8) == (event["gate"], event["int8_layers"], event["layers"])
    (notes,) = [one["diagnostic"]["notes"] for one in result.events if "diagnostic" in one]
    assert [
        note for note in notes if note.startswith("the layers whose quantization changes the outputs most: `wide_14` (")
    ]
    # The last good IR is another promise's; the report is about this one.
    reported = search_in_report(repo)
    assert re.match(
        "No set of layers keeps the promise, not even all of them in floating point: "
        r"plain INT8's drop is 0\.\d\d points, the best of ",
        reported["text"],
    )
    assert "wide_14" == reported["worst"][0]["layer"]
    assert "with the largest quantization error" in (repo.folder / "build/report/index.html").read_text()


def test_plain_int8_that_keeps_its_promise_names_nothing_and_freezes_nothing(repo: Repo) -> None:
    repo.edit("max-drop = 0.003", "max-drop = 0.01")

    result = repo.build("fashion:int8")

    (event,) = [one for one in result.events if one["event"] == "target-finished"]
    assert ("passed", 8, 8) == (event["gate"], event["int8_layers"], event["layers"])
    assert {"control fashion:int8", "name-layers fashion:int8"} <= set(result.ran)
    # *reference* is there already, so nobody needs TensorFlow.
    assert not [name for name in repo.workers_started() if "tensorflow" in name]


def test_auto_tells_it_of_the_candidate_that_it_chose(repo: Repo) -> None:
    repo.edit('precisions = ["fp32", "fp16", "int8"]', 'precisions = ["auto"]\nauto.candidates = ["int8"]')

    result = repo.build()

    (event,) = [one for one in result.events if one["event"] == "target-finished"]
    assert ("int8", 7, 8) == (event["chosen"], event["int8_layers"], event["layers"])
    (reverted,) = repo.record("fashion", "auto")["accuracy_control"]["reverted"]
    assert "wide_14" == reverted["layer"]
