"""Whether answers depend on the batch, asked of IRs that do and of some that do not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ovmake.contracts.codec import encode_object, load, save
from ovmake.contracts.files.evaluation import ComparedInputs, Evaluation
from ovmake.contracts.files.reference import Distance, ReferenceFacts
from ovmake.contracts.params.data import DatasetParams, SampleParams
from ovmake.contracts.params.evaluation import EvaluateParams, MetricParams
from ovmake.verdicts.neighbours import depends_by_nature, other_batches
from ovmake.workers.inputs.samples import ALONE, alone
from ovmake.workers.ipc.protocol import Request
from tests.promises import decide

pytestmark = pytest.mark.heavy

SAMPLES, WIDTH = 12, 4
PARAMS = {"accuracy.agreement.cosine": 0.99999, "accuracy.agreement.max-error": 1e-4}

EVALUATE = EvaluateParams(samples=SampleParams(dataset=DatasetParams(form="arrays")))


def layers(kind: str) -> Any:
    """Return a small model; of some kinds an answer depends on the whole batch, from `mixes` on."""
    from openvino import Model
    from openvino import opset13 as ops

    weights = np.random.default_rng(1).normal(size=(WIDTH, WIDTH)).astype("f4")
    taken = ops.parameter([-1, WIDTH], np.float32, name="x")
    x = ops.relu(ops.matmul(taken, ops.constant(weights), False, False, name="before"), name="bent")
    if kind == "centred":
        mean = ops.reduce_mean(x, ops.constant(np.array([0], "i8")), True)
        x = ops.subtract(x, mean, name="mixes")
    if kind == "rolled":
        x = ops.add(x, ops.roll(x, ops.constant(np.array([1], "i8")), ops.constant(np.array([0], "i8"))), name="mixes")
    x = ops.matmul(x, ops.constant(weights), False, False, name="after")
    if kind == "summed":
        x = ops.reduce_sum(x, ops.constant(np.array([0], "i8")), True, name="total")
    x.output(0).set_names({"y"})
    return Model([x], [taken], "m")


def evaluated(folder: Path, kind: str, own: Mapping[str, Distance] | None = None, samples: int = SAMPLES) -> Evaluation:
    """Return what *evaluate* says of such an IR, whose reference is what the IR itself gives for the whole batch.

    `own` is what TensorFlow is said to have found of itself.
    """
    import openvino as ov

    from ovmake.contracts.files.interface import Interface, Tensor
    from ovmake.workers.conversion import ir
    from ovmake.workers.evaluation import evaluating
    from ovmake.workers.evaluation.outputs import Writing

    model = layers(kind)
    ir.write(model, str(folder / "xml"), str(folder / "bin"))
    x = np.random.default_rng(2).normal(size=(samples, WIDTH)).astype("f4")
    np.savez(folder / "x.npz", x=x)
    answer = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(x)[0]
    rowed = len(answer) == len(x)
    tensor = Tensor(name="y", shape=(-1 if rowed else 1, WIDTH), type="f32")
    Interface(inputs=(Tensor(name="x", shape=(-1, WIDTH), type="f32"),), outputs=(tensor,)).write(str(folder / "i"))
    with Writing(str(folder / "expected")) as written:
        written.add({"y": answer if rowed else answer[np.newaxis]})
    (folder / "truth").write_bytes((folder / "expected").read_bytes())
    scales = {"y": float(np.abs(answer).max())}
    facts = ReferenceFacts(inputs=ComparedInputs(origin="dataset"), scales=scales, alone=own, operations=1)
    save(facts, str(folder / "facts"))
    inputs = {
        "xml": "xml",
        "bin": "bin",
        "interface": "i",
        "expected": "expected",
        "facts": "facts",
        "truth": "truth",
        "dataset": "x.npz",
    }
    evaluating.evaluate(
        Request(
            id=1,
            kind="evaluate",
            params=encode_object(EVALUATE),
            inputs={role: str(folder / name) for role, name in inputs.items()},
            outputs={"evaluation": str(folder / "evaluation")},
        )
    )
    return load(Evaluation, str(folder / "evaluation"), "evaluation")


@pytest.mark.parametrize("kind", ["centred", "rolled"])
def test_answer_that_depends_on_the_batch_breaks_the_promise_and_the_first_layer_is_named(
    tmp_path: Path, kind: str
) -> None:
    found = evaluated(tmp_path, kind, {"y": Distance(max_abs=0.0, cosine=1.0)})

    verdict = decide(found, PARAMS)
    assert ("missed", "batch") == (verdict.result, verdict.broken)
    assert found.neighbours is not None
    begins = found.neighbours.begins
    assert begins is not None
    assert {"centred": "Subtract", "rolled": "Roll"}[kind] == begins.type
    assert f"in a batch of {SAMPLES} differs from that in a batch of 1" in verdict.text
    assert f"the first layer that differs is `{begins.name}`" in verdict.text
    assert f"`batch = {SAMPLES}` limits the IR to batches of that size" in other_batches(found.neighbours)
    assert "the answers agree" not in other_batches(found.neighbours), "no property makes this model another"


def test_where_tensorflows_answers_depend_on_it_as_much_the_promise_is_kept_and_that_is_said(tmp_path: Path) -> None:
    found = evaluated(tmp_path, "centred", {"y": Distance(max_abs=2.0, cosine=0.3)})

    assert "passed" == decide(found, PARAMS).result
    assert depends_by_nature(found.neighbours).startswith("by ")
    assert found.neighbours is not None
    assert found.neighbours.begins is None, "there is nothing to look for"


def test_answers_that_are_the_same_in_any_batch_keep_it(tmp_path: Path) -> None:
    found = evaluated(tmp_path, "plain", {"y": Distance(max_abs=0.0, cosine=1.0)})

    assert found.neighbours is not None
    (output,) = found.neighbours.outputs
    assert (1, SAMPLES, ALONE) == (*found.neighbours.sizes, found.neighbours.samples)
    assert output.max_abs is not None
    assert output.max_abs <= 1e-6
    assert ("passed", "") == (decide(found, PARAMS).result, depends_by_nature(found.neighbours))


def test_output_that_has_no_row_per_sample_is_not_asked(tmp_path: Path) -> None:
    found = evaluated(tmp_path, "summed", {})

    assert found.neighbours is not None
    assert () == found.neighbours.outputs
    assert "passed" == decide(found, PARAMS).result


@pytest.mark.parametrize(("samples", "seen"), [(12, 12), (512, 512), (3000, 512)])
def test_another_execution_sees_some_of_a_large_set_spread_over_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, samples: int, seen: int
) -> None:
    from ovmake.workers.evaluation import by_default

    monkeypatch.setitem(by_default.DEFAULTS, "INFERENCE_PRECISION_HINT", "bf16")  # on every processor
    found = evaluated(tmp_path, "plain", {"y": Distance(max_abs=0.0, cosine=1.0)}, samples=samples)

    assert found.figures is not None
    assert found.by_default is not None
    assert (samples, seen) == (found.figures.samples, found.by_default.figures.samples)
    assert (found.by_default.figures.outputs[0].cosine or 0.0) > 0.99


@pytest.mark.parametrize(("kind", "seen"), [("plain", 512), ("rolled", 3000)])
def test_another_execution_that_is_worse_on_some_samples_sees_all(tmp_path: Path, kind: str, seen: int) -> None:
    import openvino as ov

    from ovmake.workers.evaluation.comparison import Subject, compare_both

    evaluated(tmp_path, "plain", {}, samples=3000)
    x = np.load(tmp_path / "x.npz")["x"]
    first, second = (ov.Core().compile_model(layers(one), "CPU") for one in ("plain", kind))
    np.savez(tmp_path / "x.npz", x=x, labels=first(x)[0].argmax(axis=1))
    roles = {"interface": "i", "expected": "expected", "facts": "facts", "truth": "truth", "dataset": "x.npz"}
    request = Request(
        id=1,
        kind="evaluate",
        inputs={role: str(tmp_path / name) for role, name in roles.items()},
    )

    samples = SampleParams(dataset=DatasetParams(form="arrays", labels="labels"))
    asked = EvaluateParams(samples=samples, metric=MetricParams(name="accuracy"))

    own, other = compare_both(Subject.of(request, asked), first, second, lambda _: False)

    assert (3000, seen) == (own.samples, other.samples)


def test_where_tensorflow_runs_no_sample_alone_the_first_dimension_is_no_batch(tmp_path: Path) -> None:
    found = evaluated(tmp_path, "centred", None)

    assert found.neighbours is None
    assert "passed" == decide(found, PARAMS).result


def test_one_sample_has_no_neighbours(tmp_path: Path) -> None:
    found = evaluated(tmp_path, "centred", {}, samples=1)

    assert found.neighbours is None
    assert "passed" == decide(found, PARAMS).result


def test_samples_that_are_run_alone_are_spread_with_the_first_and_the_last() -> None:
    assert [0, 1, 2] == alone(3)
    assert [0, 9, 18, 27, 36, 45, 54, 63] == alone(64)
