"""MobileNetV2 cut, reshaped, re-batched and prepared in every way: each IR within 1e-4 of TensorFlow's same cut.

One Ovfile with a variant per option, built once. The weights are random, with batch norms that have seen noise, so that
outputs differ from input to input (see examples/zoo/fetch.py).
"""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from typing import Any

import pytest

from tests.e2e.conftest import ROOT, Repo, run_tensorflow

pytestmark = pytest.mark.heavy

MEAN, SCALE = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]

# For each variant: its settings, and shape and type of input and output of the IR.
CASES: dict[str, tuple[str, list[Any], list[Any]]] = {
    "top": (
        'cut.outputs = ["global_average_pooling2d"]',
        ["keras_tensor", [-1, 224, 224, 3], "f32"],
        ["global_average_pooling2d", [-1, 1280]],
    ),
    "bottom": (
        'cut.inputs = ["block_1_expand"]',
        ["block_1_expand", [-1, 112, 112, 16], "f32"],
        ["output_0", [-1, 1000]],
    ),
    "both": (
        'cut.inputs = ["block_1_expand"]\ncut.outputs = ["block_16_project_BN"]',
        ["block_1_expand", [-1, 112, 112, 16], "f32"],
        ["block_16_project_BN", [-1, 7, 7, 320]],
    ),
    "renamed": (
        'cut.inputs = ["block_3_expand"]\ncut.outputs = ["block_5_add"]\noutputs = { block_5_add = "features" }',
        ["block_3_expand", [-1, 56, 56, 24], "f32"],
        ["features", [-1, 28, 28, 32]],
    ),
    "normalized": (
        f"inputs.keras_tensor = {{ mean = {MEAN}, scale = {SCALE}, reverse-channels = true }}",
        ["keras_tensor", [-1, 224, 224, 3], "f32"],
        ["output_0", [-1, 1000]],
    ),
    "batch": ("batch = 4", ["keras_tensor", [4, 224, 224, 3], "f32"], ["output_0", [4, 1000]]),
    "bounded": (
        'inputs.keras_tensor.shape = ["1..8", 224, 224, 3]',
        ["keras_tensor", [-1, 224, 224, 3], "f32"],
        ["output_0", [-1, 1000]],
    ),
    "small": (
        "inputs.keras_tensor.shape = [-1, 160, 160, 3]",
        ["keras_tensor", [-1, 160, 160, 3], "f32"],
        ["output_0", [-1, 1000]],
    ),
    "bytes": (
        'inputs.keras_tensor = { type = "u8", mean = 127.5, scale = 127.5 }',
        ["keras_tensor", [-1, 224, 224, 3], "u8"],
        ["output_0", [-1, 1000]],
    ),
    "nchw": (
        'inputs.keras_tensor.layout = "NCHW"',
        ["keras_tensor", [-1, 3, 224, 224], "f32"],
        ["output_0", [-1, 1000]],
    ),
    "all": (
        f"""batch = 2
cut.outputs = ["global_average_pooling2d"]
[models.m.variants.all.inputs.keras_tensor]
shape = [-1, 160, 160, 3]
type = "u8"
layout = "NCHW"
resize = "linear"
reverse-channels = true
mean = {MEAN}
scale = {SCALE}""",
        ["keras_tensor", [2, 3, -1, -1], "u8"],
        ["global_average_pooling2d", [2, 1280]],
    ),
}


@pytest.fixture(scope="module")
def mobilenet(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    folder = tmp_path_factory.mktemp("mobilenet")
    zoo = str(ROOT / "examples" / "zoo")
    script = f"import sys; sys.path.insert(0, {zoo!r}); from fetch import random_network\n"
    run_tensorflow(f"{script}random_network('MobileNetV2', -1, 1).export('m')", folder)
    variants = "\n".join(f"[models.m.variants.{name}]\n{settings}\n" for name, (settings, _, _) in CASES.items())
    # Nothing but this figure decides: no allowance for what rounding does to the model.
    promise = "precisions = ['fp32']\naccuracy.agreement = { max-error = 1e-4, cosine = 0.99999 }"
    (folder / "Ovfile").write_text(f'[models.m]\nsource = "m"\n{promise}\n{variants}')
    repo = Repo(folder=folder)
    result = repo.build("-k")
    assert 0 == result.status, result.stdout
    return repo


def record(repo: Repo, variant: str) -> dict[str, Any]:
    return json.loads((repo.folder / f"build/m@{variant}/fp32/record.json").read_bytes())  # type: ignore[no-any-return]


@pytest.mark.parametrize("variant", CASES)
def test_ir_takes_and_gives_what_the_ovfile_says(mobilenet: Repo, variant: str) -> None:
    _, given, made = CASES[variant]
    found = record(mobilenet, variant)

    assert [given] == [[tensor["name"], tensor["shape"], tensor["type"]] for tensor in found["inputs"]]
    assert [made] == [[tensor["name"], tensor["shape"]] for tensor in found["outputs"]]


@pytest.mark.parametrize("variant", CASES)
def test_ir_is_within_1e_4_of_tensorflows_same_cut(mobilenet: Repo, variant: str) -> None:
    found = record(mobilenet, variant)
    (figures,) = found["differences"]

    assert "passed" == found["gate"]["result"]
    assert figures["max_abs"] <= 1e-4 * figures["scale"]
    assert (0, 0) == (figures["nonfinite_expected"], figures["nonfinite_actual"])
    assert figures["scale"] > 0.01  # not the 0.001 that fresh random weights give for every input


def test_ir_itself_answers_to_the_names(mobilenet: Repo) -> None:
    layers = ET.parse(mobilenet.folder / "build/m@renamed/fp32/m@renamed.xml").getroot().iter("layer")  # noqa: S314 - our own file
    ports = {layer.get("name") for layer in layers if layer.get("type") in {"Parameter", "Result"}}

    assert {"block_3_expand", "features"} == ports


def test_a_cut_makes_the_ir_smaller(mobilenet: Repo) -> None:
    sizes = {name: record(mobilenet, name)["size_bytes"] for name in ("nchw", "top", "both")}

    assert sizes["nchw"] > sizes["top"] > sizes["both"]


def test_one_freeze_serves_all_cuts_and_what_is_not_cut_needs_none(mobilenet: Repo) -> None:
    logs = {path.name for path in (mobilenet.folder / ".ovmake/logs").iterdir()}
    ways = {name: record(mobilenet, name)["source"]["read_by"] for name in CASES}

    assert ["freeze-m.log"] == [name for name in sorted(logs) if name.startswith("freeze")]
    cut = {name for name, (settings, _, _) in CASES.items() if "cut." in settings}
    assert cut == {name for name, way in ways.items() if way.startswith("frozen by TensorFlow")}


def test_another_mean_converts_that_variant_and_nothing_else(mobilenet: Repo) -> None:
    mobilenet.edit("mean = 127.5", "mean = 127.0")

    result = mobilenet.build("-n")

    started = {f"{event['action']} {event['target']}" for event in result.events if event["event"] == "action-finished"}
    mobilenet.edit("mean = 127.0", "mean = 127.5")
    assert {"m@bytes", "m@bytes:fp32"} == {name.split()[1] for name in started}
    assert "convert m@bytes" in started
