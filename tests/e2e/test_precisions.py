"""Every precision end to end: what the IR holds, what is executed, what stays in floating point, and the same bytes.

The example with all precisions, and variants in INT8 that leave some layers alone, built once, on top of what all tests
share; and a small transformer.

Not every processor executes bf16. Where it is not executed, a target of that precision cannot keep a promise of the
Ovfile's; so the example's fails there, and what can be said of the bytes of its IR is said of `fashion@unchecked:bf16`,
which has no gate. Both are tried everywhere: the kind of processor that this one is not is played.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Repo, run_tensorflow
from tests.warm.path.playing import played_by_workers

pytestmark = pytest.mark.heavy

EVERYWHERE = ("fp32", "fp16", "int8", "int8-weights", "int4-weights")
ALL = (*EVERYWHERE, "bf16")
CONVOLUTIONS = ("stem", "conv_14", "wide_14", "depthwise_7", "pointwise_7", "wide_7")

VARIANTS = """
[models.fashion.int4-weights]
all-layers = true

[models.fashion.variants.name]
precisions = ["int8"]
ignored.names = ["wide_14"]

[models.fashion.variants.folded]
precisions = ["int8"]
ignored.names = ["wide_14_bn", "fashion_1/classifier_1/MatMul"]

[models.fashion.variants.pattern]
precisions = ["int8", "int8-weights"]
ignored.patterns = ["wide_(7|14)"]

[models.fashion.variants.type]
precisions = ["int8"]
ignored.types = ["GroupConvolution"]
"""
UNCHECKED = """
[models.fashion.variants.unchecked]
precisions = ["bf16"]
accuracy = false
"""

ACCURACY = """
[models.fashion.accuracy]
dataset = "val"
metric = "accuracy"
max-drop = 0.01
"""
NOT_AVAILABLE = "bf16 is not available on this machine: the target requests it, but the runtime executed f32"

# A batch of values that differ in size from channel to channel, as SmoothQuant likes them.
READER = """
import keras, numpy as np
keras.utils.set_random_seed(0)
tokens = keras.Input((8, 32), name="tokens")
seen = keras.layers.MultiHeadAttention(2, 16, name="attention")(tokens, tokens)
seen = keras.layers.LayerNormalization(name="norm")(keras.layers.Add(name="residual")([tokens, seen]))
deep = keras.layers.Dense(32, name="down")(keras.layers.Dense(64, activation="gelu", name="up")(seen))
pooled = keras.layers.GlobalAveragePooling1D(name="pool")(keras.layers.Add(name="again")([seen, deep]))
keras.Model(tokens, keras.layers.Dense(4, name="head")(pooled)).export("reader", verbose=False)
random = np.random.default_rng(0)
sizes = random.uniform(0.1, 9, 32)
np.savez("train.npz", tokens=(random.normal(size=(64, 8, 32)) * sizes).astype("float32"))
"""
READER_OVFILE = """
[datasets.train]
path = "train.npz"

[defaults]
calibration = "train"
int8.samples = 48
accuracy.agreement.cosine = 0.9

[models.reader]
source = "reader"
precisions = ["int8", "int4-weights"]

[models.reader.variants.transformer]
model-type = "transformer"

[models.reader.variants.rough]
model-type = "transformer"
smooth-quant = false
precisions = ["int8"]

[models.reader.variants.attention]
precisions = ["int8"]
ignored.names = ["attention"]
"""


def listed(precisions: tuple[str, ...]) -> str:
    """Return the example's precisions as a line of the Ovfile."""
    return f"precisions = {list(precisions)}".replace("'", '"')


@pytest.fixture(scope="module")
def fashion(built_once: Repo, tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """The example with all variants and all precisions but bf16."""
    repo = built_once.copy(tmp_path_factory.mktemp("precisions") / "fashion")
    repo.edit(listed(("fp32", "fp16", "int8")), listed(EVERYWHERE))
    path = repo.folder / "Ovfile"
    path.write_text(path.read_text() + VARIANTS)
    result = repo.build()
    assert result.status == 0, result.stdout + result.stderr
    return repo


@pytest.fixture(params=["bf16", "f32"])
def runs_as(request: pytest.FixtureRequest, bf16_runs_as: str) -> Iterator[str]:
    """What is executed where bf16 is asked for: by this processor, and by the other kind, which is played."""
    if request.param == bf16_runs_as:
        yield bf16_runs_as
        return
    with played_by_workers(request.param):
        yield request.param


@pytest.fixture(scope="module")
def halves() -> dict[str, Repo]:
    """What `halved` has built so far."""
    return {}


@pytest.fixture
def halved(fashion: Repo, runs_as: str, halves: dict[str, Repo], tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """The example with bf16, too, built on such a processor."""
    if runs_as not in halves:
        halves[runs_as] = built_with_bf16(fashion.copy(tmp_path_factory.mktemp(runs_as) / "fashion"), runs_as)
    return halves[runs_as]


def built_with_bf16(repo: Repo, runs_as: str) -> Repo:
    repo.edit(listed(EVERYWHERE), listed(ALL))
    path = repo.folder / "Ovfile"
    path.write_text(path.read_text() + UNCHECKED)
    result = repo.build("--keep-going")
    unpublished = [target for target, status in result.targets.items() if status not in {"built", "fresh"}]
    assert ([] if runs_as == "bf16" else ["fashion:bf16"]) == unpublished, result.stdout + result.stderr
    return repo


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    folder = tmp_path_factory.mktemp("reader")
    run_tensorflow(READER, folder)
    (folder / "Ovfile").write_text(READER_OVFILE)
    result = Repo(folder=folder).build("--keep-going")
    assert result.status == 0, result.stdout + result.stderr
    return Repo(folder=folder)


def in_floating_point(record: dict[str, Any], kind: str) -> int:
    """Return how many layers of a kind the runtime computes in f32."""
    return sum(layer["type"] == kind and layer["precision"] == "f32" for layer in record["layers"])


def operations(repo: Repo, family: str, precision: str = "int8") -> list[str]:
    """Return the types of an IR's operations."""
    xml = (repo.folder / f"build/{family}/{precision}/{family}.xml").read_text()
    return [part.split('"')[0] for part in xml.split(' type="')[1:]]


# --- what is in the IR, and what is executed --------------------------------------------------------------


@pytest.mark.parametrize(
    ("precision", "most_bytes", "element"),
    [("fp16", 0.51, "f16"), ("int8-weights", 0.26, "u8"), ("int4-weights", 0.26, "u4")],
)
def test_ir_is_as_small_as_its_precision_promises(
    fashion: Repo, precision: str, most_bytes: float, element: str
) -> None:
    sizes = {p: (fashion.folder / f"build/fashion/{p}/fashion.bin").stat().st_size for p in ("fp32", precision)}

    assert sizes[precision] <= most_bytes * sizes["fp32"]
    assert element in fashion.record("fashion", precision)["weights"]


def test_ir_for_bf16_is_that_of_fp16_on_every_processor(halved: Repo) -> None:
    files = halved.outputs()

    for suffix in ("xml", "bin"):
        assert files[f"fashion/fp16/fashion.{suffix}"] == files[f"fashion@unchecked/bf16/fashion@unchecked.{suffix}"]
    assert "bf16" == halved.record("fashion@unchecked", "bf16")["options"]["execute-in"]


@pytest.mark.parametrize("runs_as", ["bf16"], indirect=True)
def test_bf16_is_executed_in_bf16_and_the_record_says_so(halved: Repo) -> None:
    record = halved.record("fashion", "bf16")

    assert {"INFERENCE_PRECISION_HINT": "bf16"} == record["compile_properties"]
    assert {"bf16"} == {layer["precision"] for layer in record["layers"] if layer["type"] == "Convolution"}
    assert "passed" == record["gate"]["result"]


@pytest.mark.parametrize("runs_as", ["f32"], indirect=True)
def test_bf16_that_is_not_executed_keeps_no_promise_of_the_ovfile(halved: Repo) -> None:
    result = halved.ovmake("build", "fashion:bf16")

    expected = f"""\
error[gate-not-measured]: gate fashion:bf16: {NOT_AVAILABLE}
  --> Ovfile:27:1
   |
27 | [models.fashion.accuracy]
   | ^^^^^^^^^^^^^^^^^^^^^^^^^
   |
   = note: nothing was published; the last good IR, if any, stays
help: `accuracy = false` publishes the IR without comparing it
"""
    assert (1, expected) == (result.status, result.stderr)
    assert ["fashion:bf16", "failed", "gate", "not-measured"] == result.stdout.splitlines()[0].split()
    assert not (halved.folder / "build/fashion/bf16").exists()


def test_bf16_without_a_promise_is_published_with_what_was_executed(halved: Repo, runs_as: str, tmp_path: Path) -> None:
    repo = halved.copy(tmp_path / "fashion")
    repo.edit(ACCURACY, "")

    result = repo.build("fashion:bf16")

    assert (0, {"fashion:bf16": "built"}) == (result.status, result.targets)
    record = repo.record("fashion", "bf16")
    assert {"INFERENCE_PRECISION_HINT": "bf16"} == record["compile_properties"]
    assert {runs_as} == {layer["precision"] for layer in record["layers"] if layer["type"] == "Convolution"}
    if runs_as == "bf16":
        assert "passed" == record["gate"]["result"]
    else:
        assert ("not-measured", NOT_AVAILABLE, None) == tuple(record["gate"][key] for key in ("result", "text", "drop"))


@pytest.mark.parametrize("runs_as", ["f32"], indirect=True)
@pytest.mark.parametrize(("command", "action"), [("report", "benchmark"), ("debug", "compare-layers")])
def test_bf16_that_is_not_executed_is_neither_timed_nor_taken_apart(
    halved: Repo, tmp_path: Path, command: str, action: str
) -> None:
    repo = halved.copy(tmp_path / "fashion")

    result = repo.ovmake(command, "fashion@unchecked:bf16")

    assert 1 == result.status
    (error,) = [line for line in result.stderr.splitlines() if line.startswith("error[")]
    side = "openvino: " if command == "report" else ""
    assert f"error[not-executed]: {action} fashion@unchecked:bf16: {side}{NOT_AVAILABLE}" == error
    if command == "report":
        (target,) = json.loads((repo.folder / "build/report/report.json").read_text())["targets"]
        assert (None, None) == (target["speedup"]["median"], target["openvino"]["latency_median_us"])


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8-weights", "int4-weights"])
def test_everything_else_that_is_no_int8_is_executed_in_f32(fashion: Repo, precision: str) -> None:
    record = fashion.record("fashion", precision)

    assert {"INFERENCE_PRECISION_HINT": "f32"} == record["compile_properties"]
    assert {"f32"} == set(record["executed"])


def test_layers_are_listed_as_they_are_counted_and_under_names_of_the_ir(fashion: Repo) -> None:
    record = fashion.record("fashion", "int8")

    counted = [layer["precision"] for layer in record["layers"]]
    assert record["executed"] == {precision: counted.count(precision) for precision in sorted(set(counted))}
    assert 0 == in_floating_point(record, "Convolution")
    xml = (fashion.folder / "build/fashion/int8/fashion.xml").read_text()
    assert [] == [layer["name"] for layer in record["layers"] if f'name="{layer["name"]}"' not in xml]


# --- what stays in floating point -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variant", "convolutions", "dense"),
    [("name", 1, 0), ("folded", 1, 1), ("pattern", 2, 0), ("type", 1, 0)],
)
def test_exactly_the_ignored_layers_stay_in_floating_point(
    fashion: Repo, variant: str, convolutions: int, dense: int
) -> None:
    record = fashion.record(f"fashion@{variant}", "int8")

    assert convolutions == in_floating_point(record, "Convolution")
    assert dense == in_floating_point(record, "FullyConnected")
    in_integers = sum(layer["precision"] == "i8" for layer in record["layers"])
    assert fashion.record("fashion", "int8")["executed"]["i8"] - convolutions - dense == in_integers


def test_the_layer_that_costs_the_accuracy_gives_it_back(fashion: Repo) -> None:
    plain, without = (fashion.record(name, "int8")["gate"]["drop"] for name in ("fashion", "fashion@name"))

    assert without < plain


def test_weights_of_ignored_layers_are_not_compressed(fashion: Repo) -> None:
    plain, some = (fashion.record(name, "int8-weights")["weights"] for name in ("fashion", "fashion@pattern"))

    # wide_14: 3·3·32·64 weights, wide_7: 3·3·128·96, of 4 bytes each.
    floats = 4 * (3 * 3 * 32 * 64 + 3 * 3 * 128 * 96)
    assert some["f32"] - plain["f32"] == floats
    assert plain["u8"] - some["u8"] >= floats // 4


@pytest.mark.parametrize(
    ("line", "code", "message", "help_"),
    [
        (
            'names = ["wide_15"]',
            "unknown-layer",
            "the model has no layer `wide_15`",
            "did you mean `wide_14`? `ovmake inspect MODEL` lists all names",
        ),
        (
            'types = ["GroupConv"]',
            "unknown-operation-type",
            "the model has no operation of type `GroupConv`",
            "did you mean `GroupConvolution`?",
        ),
        (
            'patterns = ["wide"]',
            "unknown-layer",
            "the pattern `wide` matches no whole name of a layer or of an operation of the IR",
            "`ovmake inspect MODEL` lists the layers; `.*` stands for any characters",
        ),
    ],
)
def test_what_is_ignored_and_matches_nothing_is_an_error(
    built: Repo, line: str, code: str, message: str, help_: str
) -> None:
    before = built.outputs()
    built.edit("samples = 300", f"samples = 300\nignored.{line}")

    result = built.ovmake("build", "fashion:int8")

    assert 1 == result.status
    assert f"error[{code}]: quantize fashion:int8: {message}\n" in result.stderr
    assert f"help: {help_}\n" in result.stderr
    assert before == built.outputs()


# --- transformers -----------------------------------------------------------------------------------------


def test_a_transformer_keeps_more_in_floating_point_and_has_its_outliers_smoothed(reader: Repo) -> None:
    found = {family: operations(reader, family) for family in ("reader", "reader@rough", "reader@transformer")}

    quantized = {family: kinds.count("FakeQuantize") for family, kinds in found.items()}
    assert quantized["reader@rough"] < quantized["reader"]
    assert "nncf_smooth_quant" in (reader.folder / "build/reader@transformer/int8/reader@transformer.xml").read_text()
    assert "nncf_smooth_quant" not in (reader.folder / "build/reader@rough/int8/reader@rough.xml").read_text()


def test_a_layer_that_holds_layers_stays_in_floating_point_as_a_whole(reader: Repo) -> None:
    plain, without = (reader.record(name, "int8") for name in ("reader", "reader@attention"))

    def of_attention(record: dict[str, Any]) -> set[str]:
        return {layer["precision"] for layer in record["layers"] if "attention_1/" in layer["name"]}

    assert {"f32"} == of_attention(without)
    assert "i8" in of_attention(plain)
    assert without["executed"]["i8"] > 0


def test_weights_in_4_bits_where_group_size_divides_no_channels_take_smaller_groups(reader: Repo) -> None:
    assert reader.record("reader", "int4-weights")["weights"]["u4"] > 0


# --- the same bytes ---------------------------------------------------------------------------------------


def test_two_quantizations_by_two_processes_give_the_same_bytes(fashion: Repo, tmp_path: Path) -> None:
    again = Repo(folder=tmp_path / "again")
    shutil.copytree(fashion.folder, again.folder, ignore=shutil.ignore_patterns("build", ".ovmake"))

    result = again.build("-j", "1", *(f"fashion:{precision}" for precision in ("int8", "int8-weights", "int4-weights")))

    assert 0 == result.status
    files = again.outputs()
    assert 9 == len(files)
    assert files == {name: fashion.outputs()[name] for name in files}


def test_record_says_which_step_could_give_other_bytes_elsewhere(halved: Repo) -> None:
    records = {precision: halved.record("fashion", precision) for precision in EVERYWHERE}
    records["bf16"] = halved.record("fashion@unchecked", "bf16")

    steps = {
        precision: [one["action"] for one in record["reproducible"]["may_differ_between_machines"]]
        for precision, record in records.items()
    }

    assert {
        **{precision: [] for precision in ("fp32", "fp16", "bf16")},
        "int8": ["quantize"],
        **{precision: ["compress-weights"] for precision in ("int8-weights", "int4-weights")},
    } == steps
    assert "isa" in halved.record("fashion", "int8")["reproducible"]
