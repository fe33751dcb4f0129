"""An IR as applications compile it, without a property: on some processors that is bf16, and another program."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.e2e.conftest import Repo, Result, run_tensorflow
from tests.warm.path.playing import played_by_workers

pytestmark = pytest.mark.heavy

# `phase` turns by whole radians for a last place of bf16, `difference` is what is left of two large numbers; `plain`
# is as far off as bf16 always is, and `shared` the same under a promise that leaves no room for that.
MODELS = """
import keras, numpy as np, tensorflow as tf
keras.utils.set_random_seed(1)
layers = keras.layers
x = keras.Input((64,), name="x")
turned = layers.Dense(64, kernel_initializer="orthogonal")(x)
keras.Model(x, keras.ops.sin(turned * 200.0)).export("phase", verbose=False)
plain = layers.Dense(8, activation="softmax")(layers.Dense(32, activation="relu")(x))
keras.Model(x, plain).export("plain", verbose=False)
wide = layers.Dense(64, kernel_initializer="orthogonal")
keras.Model(x, wide(x + 1000.0) - wide(keras.ops.zeros_like(x) + 1000.0)).export("difference", verbose=False)
"""
OVFILE = """\
[defaults]
precisions = ["fp32"]
benchmark.max-seconds = 4

[models.phase]
source = "phase"
precisions = ["fp32", "fp16"]

[models.difference]
source = "difference"

[models.plain]
source = "plain"
precisions = ["fp32", "bf16"]

[models.strict]
source = "plain"
accuracy.agreement.max-error = 1e-5
"""
NEEDS = "INFERENCE_PRECISION_HINT=f32"
BROKEN = {"phase:fp32", "phase:fp16", "difference:fp32", "strict:fp32"}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory, bf16_runs_as: str) -> tuple[Repo, Result]:
    """The models, built on this processor."""
    if bf16_runs_as == "f32":
        pytest.skip("this processor executes f32 where it is told nothing: there is no other program")
    folder = tmp_path_factory.mktemp("compiled")
    run_tensorflow(MODELS, folder)
    (folder / "Ovfile").write_text(OVFILE)
    repo = Repo(folder=folder)
    return repo, repo.build()


def record(repo: Repo, target: str) -> dict[str, Any]:
    name, _, precision = target.partition(":")
    return repo.record(name, precision)


def test_promise_that_needs_a_property_is_published_with_a_warning_that_names_it(compiled: tuple[Repo, Result]) -> None:
    _, result = compiled

    assert 0 == result.status, result.stderr
    warned = {event["target"]: event["warning"] for event in result.events if "warning" in event}
    assert set(warned) == BROKEN
    for target, warning in warned.items():
        assert "promise-needs-property" == warning["code"]
        assert f"set `{NEEDS}`" in warning["help"]
        name = target.partition(":")[0]
        assert f'core.compile_model("{name}.xml", "CPU", {{"INFERENCE_PRECISION_HINT": "f32"}})' in warning["notes"][0]
    ended = {event["target"]: event for event in result.events if event["event"] == "target-finished"}
    assert {target: event.get("needs") for target, event in ended.items()} == {
        **dict.fromkeys(ended, None),
        **dict.fromkeys(BROKEN, NEEDS),
    }
    assert all("passed" == event["gate"] for event in ended.values())


def test_record_says_what_the_default_does_and_how_the_ir_was_compiled(compiled: tuple[Repo, Result]) -> None:
    repo, _ = compiled

    own = record(repo, "plain:bf16")
    missed, kept = (record(repo, target)["gate"]["by_default"] for target in ("phase:fp32", "plain:fp32"))
    assert ("bf16", "missed", NEEDS) == (missed["precision"], missed["verdict"]["result"], missed["needs"])
    assert ("bf16", "passed") == (kept["precision"], kept["verdict"]["result"])
    assert "needs" not in kept
    assert "by_default" not in own["gate"], "a target in bf16 is verified as it is compiled by default"
    assert '"INFERENCE_PRECISION_HINT": "bf16"' in own["compile"]


def test_line_of_the_record_compiles_the_ir_and_keeps_the_promise(compiled: tuple[Repo, Result]) -> None:
    """What the record shows is run as it stands, beside the default."""
    import numpy as np
    import openvino

    repo, _ = compiled
    xml = str(repo.folder / "build/phase/fp32/phase.xml")
    line = record(repo, "phase:fp32")["compile"].replace('"phase.xml"', repr(xml))
    core = openvino.Core()
    verified = eval(line, {"core": core})  # noqa: S307 - the record is ours
    x = np.random.default_rng(0).uniform(size=(16, 64)).astype("f4")
    first, second = verified(x)[0].ravel(), core.compile_model(xml, "CPU")(x)[0].ravel()
    assert "f32" == verified.get_property("INFERENCE_PRECISION_HINT").get_type_name()
    assert first @ second / np.sqrt((first @ first) * (second @ second)) < 0.99


def test_status_repeats_it_and_a_second_build_does_nothing(compiled: tuple[Repo, Result]) -> None:
    repo, _ = compiled

    assert [] == repo.build().ran
    status = repo.ovmake("status").stdout.splitlines()
    assert {line.split()[0] for line in status if line.endswith(f"needs {NEEDS}")} == BROKEN


def test_report_has_the_speed_of_both_ways(compiled: tuple[Repo, Result]) -> None:
    repo, _ = compiled
    result = repo.ovmake("report", "phase:fp32", "plain:bf16")
    assert 0 == result.status, result.stderr

    body = json.loads((repo.folder / "build/report/report.json").read_text())
    targets = {target["target"]: target for target in body["targets"]}
    found = targets["phase:fp32"]["measured"]["by_default"]
    assert ("bf16", True) == (found["precision"], found["latency_median_us"] > 0)
    assert "by_default" not in targets["plain:bf16"]["measured"]
    assert "missed" == targets["phase:fp32"]["gate"]["by_default"]["result"]


def test_where_the_default_is_f32_there_is_nothing_to_say(compiled: tuple[Repo, Result]) -> None:
    repo, _ = compiled
    with played_by_workers("f32"):
        result = repo.ovmake("build", "--force", "--json", "phase:fp32")

    assert 0 == result.status, result.stderr
    assert "promise-needs-property" not in result.stdout
    assert "by_default" not in record(repo, "phase:fp32")["gate"]
