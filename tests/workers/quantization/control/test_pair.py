"""Layers of INT8 models given back to floating point, and what each layer's quantization does.

On models of awkward shapes: a FakeQuantize that two layers share behind a MaxPool, layers without a bias, SmoothQuant,
a batch that moves.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.workers.conftest import run_python

pytestmark = pytest.mark.heavy

LAYERS = {
    "shared": {"first", "left", "right", "added", "mean", "scores"},
    "turned": {"first", "second", "mean"},
    "attention": {"q", "k", "v", "scores", "mixed", "o", "up", "down"},
}


@pytest.fixture(scope="module")
def answers() -> dict[str, Any]:
    """What make_pairs.py found."""
    found = json.loads(run_python("quantization/control/make_pairs.py", by="openvino").splitlines()[-1])
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("model", LAYERS)
def test_layers_are_what_computes_on_quantized_values(answers: dict[str, Any], model: str) -> None:
    assert LAYERS[model] <= {name for name, _ in answers[model]["layers"]}
    assert answers[model]["int8_moves"]


@pytest.mark.parametrize("model", LAYERS)
def test_with_all_layers_given_back_the_outputs_are_those_of_the_float_model_to_the_last_bit(
    answers: dict[str, Any], model: str
) -> None:
    assert answers[model]["all_back"]
    assert [] == answers[model]["left_when_all_back"]


@pytest.mark.parametrize("model", LAYERS)
def test_giving_one_layer_back_leaves_all_others_in_int8(answers: dict[str, Any], model: str) -> None:
    names = [name for name, _ in answers[model]["layers"]]

    assert {name: [other for other in names if other != name] for name in names} == answers[model]["left_without"]


@pytest.mark.parametrize("model", ["shared", "attention"])
def test_effects_of_all_layers_at_once_are_those_of_one_quantized_layer_after_the_other(
    answers: dict[str, Any], model: str
) -> None:
    for name, (apart, size) in answers[model]["effects"].items():
        assert apart <= max(1e-6, 1e-3 * size), name


def test_model_whose_samples_are_no_rows_inside_is_not_probed_in_rows(answers: dict[str, Any]) -> None:
    assert isinstance(answers["turned"]["effects"], str)
