""".tflite models in TFLite's interpreter: whole, cut, in integers, with other shapes, and such as kill it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from ovmake.errors import ActionError
from ovmake.sources.tflite_graph import ops_of_tflite
from tests import warm
from tests.workers.conftest import run_python

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def answers(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What run_lite.py found."""
    folder = tmp_path_factory.mktemp("lite")
    for name in ("float.tflite", "integer.tflite", "lite.npz"):
        shutil.copy(sources / name, folder)
    with warm.cold():  # a model that kills the process in which it runs must kill this one, and not a fork
        found = json.loads(run_python("run_lite.py", str(folder)))
    assert isinstance(found, dict)
    return found


def test_whole_model_computes_what_keras_did(answers: dict[str, Any]) -> None:
    assert answers["error"] == pytest.approx(0, abs=1e-5)


def test_inputs_take_the_shape_asked_for_or_that_of_what_is_fed(answers: dict[str, Any]) -> None:
    assert [[3, 3], [3, 3]] == [answers["fixed"], answers["dynamic"]]


def test_halves_run_what_belongs_to_them_and_make_the_whole(answers: dict[str, Any]) -> None:
    operations, first, second = answers["cut"]["operations"]

    assert answers["cut"]["same"]
    assert (2, operations) == (first, first + second)


def test_inner_tensor_is_given_beside_the_output(answers: dict[str, Any]) -> None:
    assert {"a": [1, 3], "b": [1, 3, 3, 4]} == answers["cut"]["both"]


def test_quantized_model_gives_its_integers_and_what_they_mean(answers: dict[str, Any]) -> None:
    assert "int8" == answers["integers"]["type"]
    assert answers["integers"]["error"] < 0.05
    assert [] == answers["integers"]["floats"]


def test_model_in_floating_point_is_next_to_equal_to_itself_on_inputs_that_moved(answers: dict[str, Any]) -> None:
    assert 0 < answers["apart"] < 1e-5


def test_good_model_passes_the_probe(answers: dict[str, Any]) -> None:
    assert 0 == answers["probe"]


def test_model_that_kills_the_interpreter_is_an_error(answers: dict[str, Any]) -> None:
    assert {
        "code": "tensorflow-cannot-run",
        "message": "TFLite's interpreter died (SIGSEGV) on this model",
        "help": "build without the comparison, `accuracy = false`, or use a model that TFLite can run",
        "setting": "source",
    } == answers["dies"]


@pytest.mark.parametrize(
    ("name", "code", "setting", "beginning"),
    [
        ("torn", "tensorflow-cannot-load", "source", "TFLite cannot read `torn.tflite`: "),
        ("unloadable", "tensorflow-cannot-load", "source", "TFLite cannot load `unloadable.tflite`: Tensor "),
        ("shape", "tensorflow-cannot-run", "source", "TFLite's interpreter cannot run this model: "),
        ("unknown", "unknown-tensor", "cut.outputs", "the model has no tensor `"),
        ("incomplete", "incomplete-cut", "cut.inputs", "the part between the cut's inputs and outputs also needs"),
    ],
)
def test_what_cannot_be_run_says_why(
    answers: dict[str, Any], name: str, code: str, setting: str, beginning: str
) -> None:
    assert (code, setting) == (answers[name]["code"], answers[name]["setting"])
    assert answers[name]["message"].startswith(beginning)


def test_flipped_byte_of_a_model_is_read_or_refused_in_words(sources: Path) -> None:
    """Each byte in turn, two ways: a number of a tensor that is not there was once all that was said."""
    content = (sources / "float.tflite").read_bytes()
    said = set()
    for at in range(min(len(content), 3_000)):
        for flip in (0x01, 0x80):
            try:
                ops_of_tflite(content[:at] + bytes([content[at] ^ flip]) + content[at + 1 :], "`m.tflite`")
            except ActionError as error:
                said.add(error.message)

    assert all(message.startswith("`m.tflite` cannot be read: ") for message in said)
    assert any("it refers to a missing tensor " in message for message in said)
