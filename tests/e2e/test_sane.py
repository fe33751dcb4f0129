"""Data, labels, loaders and functions that cannot be meant: what a build says of each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.e2e.conftest import Repo, run_tensorflow

pytestmark = pytest.mark.heavy

# The mean of an image says its class: dark or bright. The model normalizes by itself.
MAKE = """
import numpy as np, tensorflow as tf
class Model(tf.Module):
    def __init__(self):
        self.w = tf.Variable(np.array([[-3, 3]] * 3, np.float32))
    @tf.function(input_signature=[tf.TensorSpec([None, 8, 8, 3], tf.float32, name="image")])
    def __call__(self, image):
        return {"scores": tf.nn.softmax(tf.reduce_mean(image / 127.5 - 1, [1, 2]) @ self.w)}
model = Model()
tf.saved_model.save(model, "m", signatures=model.__call__)
"""

OVFILE = """\
[datasets.val]
path = "val.npz"
labels = "y"
[datasets.wrong]
path = "val.npz"
labels = "shuffled"
[datasets.loaded]
loader = "data.py:val"
files = ["val.npz"]
[datasets.unsteady]
loader = "data.py:unsteady"
files = ["val.npz"]
[datasets.nan]
path = "nan.npz"
[datasets.one]
path = "one.npz"
[datasets.scaled]
path = "scaled.npz"
[datasets.drawn]
loader = "data.py:drawn"
[defaults]
precisions = ["fp32"]
speed-check = false
accuracy = { dataset = "val", max-drop = 0.05 }
"""
MODEL = '[models.{name}]\nsource = "m"\n{rest}\n'
INT8 = 'precisions = ["int8"]\ncalibration = "{0}"\naccuracy.max-drop = 0.9'
OWN = 'accuracy.metric = "metrics.py:{0}"'
MODELS = {
    "sound": 'accuracy.dataset = "loaded"',
    "twice": "inputs.image = { mean = 127.5, scale = 127.5 }",
    "wrong": 'accuracy.dataset = "wrong"',
    "unsteady": 'accuracy.dataset = "unsteady"',
    "nan": INT8.format("nan"),
    "one": INT8.format("one"),
    "scaled": INT8.format("scaled"),
    "drawn": INT8.format("drawn"),
    "leaves": OWN.format("leave"),
    "quits": OWN.format("quit_"),
    "interrupts": OWN.format("interrupt"),
    "huge": OWN.format("huge"),
    "prints": OWN.format("shout"),
}
DATA = """
import numpy as np
def val():
    with np.load("val.npz") as stored:
        yield from zip(stored["image"], stored["y"].tolist())
def unsteady():
    samples = list(val())
    for number in np.random.default_rng().permutation(len(samples)):
        yield samples[number]
def drawn():
    for image in np.random.default_rng().integers(0, 256, (40, 8, 8, 3)):
        yield image.astype("f4")
"""
METRICS = """
import os
def leave(outputs, labels):
    raise SystemExit(3)
def quit_(outputs, labels):
    os._exit(3)
def interrupt(outputs, labels):
    raise KeyboardInterrupt
def huge(outputs, labels):
    return 10**400
def shout(outputs, labels):
    print("here I am")
    os.write(1, b"and here")
    return (outputs.argmax(1) == labels).mean()
"""


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    folder = tmp_path_factory.mktemp("sane")
    random = np.random.default_rng(0)
    bright = random.choice([70, 190], 160)[:, None, None, None]
    pixels = np.clip(random.normal(bright, 40, (160, 8, 8, 3)), 0, 255).astype(np.uint8)
    labels = (pixels.mean((1, 2, 3)) > 127.5).astype(np.int64)
    judging, calibrating = pixels[:100], pixels[100:].astype(np.float32)
    np.savez(folder / "val.npz", image=judging, y=labels[:100], shuffled=random.permutation(labels[:100]))
    np.savez(folder / "nan.npz", image=np.where(calibrating > 250, np.nan, calibrating))
    np.savez(folder / "one.npz", image=calibrating[:1])
    np.savez(folder / "scaled.npz", image=calibrating / 255)
    (folder / "data.py").write_text(DATA)
    (folder / "metrics.py").write_text(METRICS)
    run_tensorflow(MAKE, folder)
    (folder / "Ovfile").write_text(
        OVFILE + "".join(MODEL.format(name=name, rest=rest) for name, rest in MODELS.items())
    )
    return Repo(folder=folder)


@pytest.fixture(scope="module")
def said(repo: Repo) -> dict[str, list[dict[str, Any]]]:
    """What one build of all says of each model."""
    result = repo.build("-k")
    assert 1 == result.status, result.stderr
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in MODELS}
    for event in result.events:
        for kind in ("diagnostic", "warning"):
            if event.get(kind):
                found[event["target"].partition(":")[0]].append(event[kind])
        if event["event"] == "target-finished":
            found[event["target"].partition(":")[0]].append(event)
    return found


ERRORS = {
    "unsteady": ("loader-unsteady", "`data.py:unsteady` yielded different samples than before, first at "),
    "nan": ("calibration-not-finite", "array `image` of `nan` has NaN in "),
    "drawn": (
        "loader-unsteady",
        "quantize drawn:int8: `data.py:drawn` yielded different samples than before, first at 0",
    ),
    "leaves": ("user-code", "`metrics.py:leave` failed: SystemExit: 3"),
    "quits": ("user-code", "the process of `metrics.py:quit_` ended with exit status 3"),
    "interrupts": ("user-code", "`metrics.py:interrupt` failed: KeyboardInterrupt"),
    "huge": ("metric-value", "`metrics.py:huge` returned a whole number of 1329 bits, more than a float holds"),
}
WARNINGS = {
    "twice": (
        "reference-at-chance",
        "the gate passed, but means nothing: TensorFlow itself is no better than chance: ",
    ),
    "wrong": ("reference-at-chance", "and always answering the most frequent label, "),
    "one": ("calibration-few", "`one` has 1 sample to calibrate INT8, and 300 are requested"),
    "scaled": (
        "calibration-range",
        "input `image` runs from 0 to 1 in `scaled`, which calibrates, and from 0 to 255 in ",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_it_is_refused_and_named(said: dict[str, list[dict[str, Any]]], name: str) -> None:
    code, message = ERRORS[name]

    found = [one for one in said[name] if one.get("severity") == "error"]

    assert [code] == [one["code"] for one in found]
    assert message in found[0]["message"]
    assert "Ovfile" == found[0]["at"]["file"]
    assert "failed" == said[name][-1]["status"]


@pytest.mark.parametrize("name", WARNINGS)
def test_it_is_warned_of(said: dict[str, list[dict[str, Any]]], name: str) -> None:
    code, message = WARNINGS[name]

    found = {one["code"]: one["message"] for one in said[name] if one.get("severity") == "warning"}

    assert message in found[code]
    assert "built" == said[name][-1]["status"]


@pytest.mark.parametrize("name", ["sound", "prints"])
def test_what_is_sound_passes_without_a_word(said: dict[str, list[dict[str, Any]]], name: str) -> None:
    (finished,) = said[name]

    assert ("built", "passed", 0.0) == (finished["status"], finished["gate"], finished["drop"])
    assert (1.0, 1.0) == (finished["tensorflow"], finished["openvino"])


def test_scores_stand_in_the_record_and_in_status(repo: Repo, said: dict[str, list[dict[str, Any]]]) -> None:
    assert said
    gate = repo.record("twice")["gate"]
    lines = {line.split()[0]: line for line in repo.ovmake("status").stdout.splitlines()}

    assert {"metric": "accuracy", "unit": "share"}.items() <= gate["scores"].items()
    assert gate["scores"]["tensorflow"] == gate["scores"]["openvino"] < 0.7
    assert "no better than chance" in gate["at_chance"]
    assert lines["sound:fp32"].endswith("accuracy 100.00 % → 100.00 %, drop 0.0000")
    assert "TensorFlow itself is no better than chance" in lines["twice:fp32"]


def test_nothing_runs_again_and_what_failed_fails_again(repo: Repo, said: dict[str, list[dict[str, Any]]]) -> None:
    assert said

    again = repo.build("-k")

    assert {name.partition(":")[0] for name, status in again.targets.items() if status == "failed"} == set(ERRORS)
    assert not [name for name in again.ran if not name.startswith(("evaluate", "quantize", "check"))]


def test_missed_gate_speaks_of_what_calibrated(repo: Repo, tmp_path: Path) -> None:
    copy = repo.copy(tmp_path / "repo")
    copy.edit("[models.scaled]", "[models.scaled]\naccuracy.agreement = { max-error = 1e-12 }")

    result = copy.ovmake("build", "scaled")

    assert 1 == result.status
    assert "error[gate-missed]: gate scaled:int8: " in result.stderr
    assert "= note: input `image` runs from 0 to 1 in `scaled`, which calibrates, and from 0 to 255 in" in result.stderr
    assert "help: fix the calibration samples first; `on-drop" in result.stderr
