"""What the gate can tell of models that refuse made-up inputs, round by themselves, or give nothing to compare."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ovmake import machine
from tests.e2e.conftest import Repo, Result
from tests.once import copy_of, once
from tests.workers.conftest import run_python

pytestmark = pytest.mark.heavy

# model -> its source, the result of its gate, and what the record's text or the warning says of it
MODELS: dict[str, tuple[str, str, str]] = {
    "nothing": ("nothing", "passed", "; `found` was empty in all samples"),
    "only-nothing": ("only-nothing", "not-measured", "nothing to compare: `found` was empty in all samples"),
    "allnan": (
        "allnan",
        "not-measured",
        "nothing finite to compare in `y`: TensorFlow's values are all NaN or infinite",
    ),
    "allinf": ("allinf", "not-measured", "nothing finite to compare in `y`"),
    "nan-beside": ("nan-beside", "not-measured", "nothing finite to compare in `y`"),
    "firstn": ("firstn", "passed", "cosine 1.000000"),
    "boxes": ("boxes", "passed", "cosine 1.000000"),
    "times": ("times", "passed", "cosine 1.000000"),
    "divide": ("divide", "passed", "cosine 1.000000"),
    "segments": ("segments", "passed", "cosine 1.000000"),
    "top": ("top", "passed", "cosine 1.000000"),
    "square": ("square", "passed", "cosine 1.000000"),
    "positions": ("positions", "passed", "cosine 1.000000"),
    "never": ("never", "not-measured", "TensorFlow cannot run the model on these samples"),
    "switch": ("switch.pb", "passed", "cosine 1.000000"),
    "draws": ("draws", "not-measured", "it gives a different answer each time, because the model draws random numbers"),
    "mixed-bfloat16": ("mixed-bfloat16.keras", "passed", "at most 0.03125 wanted (bf16 inside)"),
    "mixed-float16": ("mixed-float16.keras", "passed", "at most 0.00390625 wanted (f16 inside)"),
    "stored-in-half": ("stored-in-half", "passed", "at most 0.0001 wanted"),
    "dynamic-range": ("dynamic-range.tflite", "passed", ""),
}
# OpenVINO executes these in INT8. On a CPU without VNNI or AMX, sums of 8-bit products saturate, and the IR's answers
# are truly different: up to a tenth of the scale of an output.
IN_INTEGERS: dict[str, tuple[str, str, str]] = {
    "integer": ("integer.tflite", "passed", ""),
    "fake-quantized": ("fake-quantized", "passed", ""),
}
SATURATES = machine.int8_instructions(machine.processor()) == ()
without_saturation = pytest.mark.skipif(SATURATES, reason="8-bit products saturate on this processor")
MODELS |= {} if SATURATES else IN_INTEGERS
MADE_UP = {
    "divide": "`b` was drawn from 1 to 9",
    "segments": "`ids` was drawn from 0 to 1",
    "top": "`k` was 1",
    "square": "dynamic dimensions had the size 16",
    "positions": "`ids` was drawn from 0 to 1; dynamic dimensions had the size 16",
    "switch": "`is_training` was set to false",
}


def ovfile(models: Mapping[str, tuple[str, str, str]] = MODELS) -> str:
    tables = "".join(f'[models.{name}]\nsource = "{source}"\n' for name, (source, _, _) in models.items())
    return f'[defaults]\nprecisions = ["fp32"]\n{tables}'


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    def make(folder: Path) -> None:
        run_python("../e2e/make_kinds_of_inputs.py", str(folder))

    return once(tmp_path_factory, "kinds-of-inputs", make)


@pytest.fixture(scope="module")
def built(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Repo, Result]:
    repo = Repo(folder=copy_of(sources, tmp_path_factory.mktemp("repo") / "inputs"))
    (repo.folder / "Ovfile").write_text(ovfile())
    return repo, repo.build("-k")


def warnings(result: Result) -> dict[str, dict[str, Any]]:
    """Return the warnings of a build, by "action target"."""
    return {f"{event['action']} {event['target']}": event["warning"] for event in result.events if "warning" in event}


@pytest.mark.parametrize("model", MODELS)
def test_the_gate_says_what_it_knows(built: tuple[Repo, Result], model: str) -> None:
    repo, result = built
    _, expected, text = MODELS[model]

    gate = repo.record(model)["gate"]

    assert 0 == result.status, result.stdout + result.stderr
    assert expected == gate["result"]
    assert text in gate["text"]


@pytest.mark.parametrize("model", [model for model, (_, result, _) in MODELS.items() if result == "not-measured"])
def test_what_was_not_measured_is_never_silent(built: tuple[Repo, Result], model: str) -> None:
    repo, result = built
    text = repo.record(model)["gate"]["text"]

    warning = warnings(result)[f"gate {model}:fp32"]
    finished = next(e for e in result.events if e["event"] == "target-finished" and e["target"] == f"{model}:fp32")
    again = next(e for e in repo.build().events if e["event"] == "target-finished" and e["target"] == f"{model}:fp32")
    status = repo.ovmake("status", model).stdout

    assert "gate-not-measured" == warning["code"]
    assert warning["message"].endswith(f"the gate was not measured, but the IR is published: {text}")
    assert warning["help"]
    assert ("not-measured", text) == (finished["gate"], finished["why"])
    assert ("fresh", "not-measured", text) == (again["status"], again["gate"], again["why"])
    assert f"gate not measured: {text}" in status


def test_a_gate_that_was_measured_is_not_warned_of(built: tuple[Repo, Result]) -> None:
    _, result = built

    warned = {name.removeprefix("gate ") for name in warnings(result) if name.startswith("gate ")}

    assert {f"{model}:fp32" for model, (_, gate, _) in MODELS.items() if gate == "not-measured"} == warned


@pytest.mark.parametrize("model", MODELS)
def test_what_was_made_up_in_another_way_is_told(built: tuple[Repo, Result], model: str) -> None:
    repo, result = built
    told = MADE_UP.get(model)

    warning = warnings(result).get(f"reference {model}")

    assert (told is None) == (warning is None)
    if warning is not None:
        assert f"reference {model}: the inputs are synthetic: {told}" == warning["message"]
        assert told == "; ".join(repo.record(model)["compared_on"]["notes"])


def test_a_switch_is_offered_as_a_constant(built: tuple[Repo, Result]) -> None:
    assert "`inputs.is_training.value = false` makes it a constant" in warnings(built[1])["reference switch"]["help"]


def test_a_switch_over_a_normalization_is_missed_or_right_and_right_without_it(sources: Path, tmp_path: Path) -> None:
    """OpenVINO's first inference of such an `If` hands out memory that nothing was written to, as it happens to be."""
    repo = Repo(folder=copy_of(sources, tmp_path / "inputs"))
    table = '[models.m]\nsource = "normalizes.pb"\nprecisions = ["fp32"]\n'
    (repo.folder / "Ovfile").write_text(table)

    result = repo.build()
    if result.status:
        (failed,) = [e["diagnostic"] for e in result.events if "diagnostic" in e]
        assert "the IR itself gives a different `y` for the same inputs" in failed["message"]
        assert "`inputs.is_training.value = false` keeps only the branch that is used" in failed["help"]
    (repo.folder / "Ovfile").write_text(f"{table}inputs.is_training.value = false\n")
    assert 0 == repo.build().status
    assert "passed" == repo.record("m")["gate"]["result"]


def test_outputs_whose_size_depends_on_the_data_are_compared_sample_by_sample(built: tuple[Repo, Result]) -> None:
    """Sixteen samples fed at once would give one long list of boxes, and a box more would move all that follow it."""
    repo, _ = built

    (boxes,) = repo.record("boxes")["differences"]

    assert 16 == repo.record("boxes")["samples"]
    assert boxes["elements"] % 4 == 0
    assert "other_sizes" not in boxes


@pytest.mark.parametrize(
    ("model", "truth"),
    [
        ("mixed-bfloat16", "the same graph in f32"),
        ("mixed-float16", "the same graph in f32"),
        ("dynamic-range", "the model with its weights in f32"),
        ("stored-in-half", None),
        pytest.param("fake-quantized", None, marks=without_saturation),
    ],
)
def test_the_ir_is_seen_beside_the_truth_where_there_is_one(
    built: tuple[Repo, Result], model: str, truth: str | None
) -> None:
    repo, _ = built

    for output in repo.record(model)["differences"]:
        assert truth == output.get("truth")
        if truth is not None:
            assert 0 < output["own_truth_max_abs"] < 0.05 * output["scale"]
            assert output["truth_max_abs"] < 0.05 * output["scale"]


@without_saturation
def test_fake_quantization_is_off_by_steps_in_tensorflow_too(built: tuple[Repo, Result]) -> None:
    by_name = {output["name"]: output for output in built[0].record("fake-quantized")["differences"]}

    assert 1 / 64 == by_name["y"]["quantum"]
    assert by_name["y"]["own_max_abs"] >= 1 / 64
    assert by_name["logits"]["own_max_abs"] > 1e-3


@pytest.mark.skipif(not SATURATES, reason="8-bit products are exact on this processor")
def test_an_ir_whose_sums_saturate_is_missed_and_not_published(sources: Path, tmp_path: Path) -> None:
    repo = Repo(folder=copy_of(sources, tmp_path / "inputs"))
    (repo.folder / "Ovfile").write_text(ovfile(IN_INTEGERS))

    result = repo.build("-k")

    codes = {e["diagnostic"]["code"] for e in result.events if "diagnostic" in e}
    assert (1, {"gate-missed"}) == (result.status, codes)
    assert not (repo.folder / "build").exists()


WRONG = tuple(
    {"mixed-bfloat16", "mixed-float16", "stored-in-half", "dynamic-range", "fake-quantized", "boxes", "segments"}
    & MODELS.keys()
)


def test_a_wrong_ir_is_missed_whatever_is_inside(built: tuple[Repo, Result]) -> None:
    """No tolerance is as wide as a tenth."""
    found = json.loads(run_python("../e2e/judge_wrong_ir.py", str(built[0].folder), *WRONG, by="openvino"))

    assert {name: {"1.0": "passed", "1.1": "missed"} for name in WRONG} == found


def test_noise_is_the_same_on_both_sides_when_it_was_narrowed(built: tuple[Repo, Result]) -> None:
    """The plan is what *evaluate* follows: other inputs than TensorFlow's would have been missed."""
    repo, _ = built

    assert {"from": "noise", "notes": ["`ids` was drawn from 0 to 1"]} == repo.record("segments")["compared_on"]
    assert json.loads((repo.folder / "build/segments/fp32/record.json").read_text())["gate"]["result"] == "passed"
