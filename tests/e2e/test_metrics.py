"""Metrics from Ovfile to record: scores that an independent script gets too, doubt, and functions of users."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import Repo, environment, run_tensorflow

pytestmark = pytest.mark.heavy

OVFILE = """
[defaults]
precisions = ["fp16"]

[datasets.mail]
path = "mail.npz"
labels = "spam"

[datasets.houses]
path = "houses.npz"
labels = "paid"

[datasets.images]
path = "images.npz"
labels = "ids"

[datasets.street]
path = "street.npz"
labels = "masks"

[models.mail]
source = "models/mail"
accuracy = { dataset = "mail", metric = "f1" }

[models.houses]
source = "models/houses"
accuracy = { dataset = "houses", metric = "mae", output = "prices" }

[models.own]
source = "models/houses"
accuracy = { dataset = "houses", metric = "metrics.py:worst", higher-is-better = false, max-drop = "5%" }

[models.detector]
source = "models/detector"
accuracy = { dataset = "images", metric = "coco-map", annotations = "instances.json", max-drop = 0.1 }

[models.street]
source = "models/street"
accuracy = { dataset = "street", metric = "miou", ignored = 255 }

[models.pointing]
source = "models/street"
accuracy = { metric = "cosine" }
"""

OWN = """
import numpy as np

def worst(outputs, labels):
    return np.abs(outputs["prices"] - labels).max()
"""

# Nothing of ovmake in it: the published IR, the samples, and the libraries.
INDEPENDENT = """
import json, numpy as np, openvino as ov
from sklearn.metrics import f1_score, jaccard_score, mean_absolute_error

def run(model, array):
    compiled = ov.Core().compile_model(f"build/{model}/fp16/{model}.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    outputs = [compiled(sample[None]) for sample in array]
    return {port.any_name: np.concatenate([one[port] for one in outputs]) for port in compiled.outputs}

mail, houses, street = (np.load(f"{name}.npz") for name in ("mail", "houses", "street"))
prices = run("houses", houses["x"])["prices"]
masks, seen = run("street", street["image"])["scores"].argmax(-1), street["masks"] != 255
print(json.dumps({
    "mail": f1_score(mail["spam"], run("mail", mail["x"])["spam"][:, 0] > 0.5),
    "houses": mean_absolute_error(houses["paid"], prices),
    "own": float(np.abs(prices - houses["paid"]).max()),
    "street": jaccard_score(street["masks"][seen], masks[seen], average="macro"),
}))
"""


@pytest.fixture(scope="module")
def scored_once(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    folder = tmp_path_factory.mktemp("scored")
    run_tensorflow(Path(__file__).with_name("make_scored.py").read_text(), folder)
    (folder / "Ovfile").write_text(OVFILE)
    (folder / "metrics.py").write_text(OWN)
    repo = Repo(folder=folder)
    result = repo.build()
    assert result.status == 0, result.stdout + result.stderr
    return repo


@pytest.fixture
def scored(scored_once: Repo, tmp_path: Path) -> Repo:
    return scored_once.copy(tmp_path / "scored")


def test_scores_are_what_an_independent_script_gets(scored_once: Repo) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INDEPENDENT],
        cwd=scored_once.folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )

    names = {"mail": "f1", "houses": "mae", "own": "metrics.py:worst", "street": "miou"}
    recorded = {model: scored_once.record(model, "fp16")["openvino"][name] for model, name in names.items()}
    assert pytest.approx(json.loads(done.stdout), rel=1e-5) == recorded


def test_detections_and_cosine_have_scores(scored_once: Repo) -> None:
    found = scored_once.record("detector", "fp16")
    pointing = scored_once.record("pointing", "fp16")

    assert 0.02 < found["tensorflow"]["coco-map"] < 1
    assert pytest.approx(found["tensorflow"]["coco-map"], abs=0.05) == found["openvino"]["coco-map"]
    assert 100 == found["gate"]["interval"]["replicates"]
    assert 1 == pointing["tensorflow"]["cosine"] > pointing["openvino"]["cosine"] > 0.999
    assert 16 == pointing["samples"]


def test_record_has_the_interval_and_whether_it_decides(scored_once: Repo) -> None:
    gate = scored_once.record("houses", "fp16")["gate"]

    assert "passed" == gate["result"]
    assert "doubt" not in gate
    assert gate["interval"]["low"] <= gate["drop"] <= gate["interval"]["high"]
    assert (0.95, 1000) == (gate["interval"]["level"], gate["interval"]["replicates"])


def test_too_few_samples_are_warned_of(scored: Repo) -> None:
    scored.edit('metric = "f1"', 'metric = "accuracy", max-drop = 0.001')

    result = scored.ovmake("build", "mail")

    assert 0 == result.status
    assert "warning[undecided-gate]: gate mail:fp16: the gate passed, but `max-drop` is smaller than 0.0250, the " in (
        result.stderr
    )
    assert scored.record("mail", "fp16")["gate"]["doubt"]
    assert (
        "drop 0.0000 (0.0000 to 0.0000 with 95 % confidence on 40 samples)"
        in (scored.record("mail", "fp16")["gate"]["text"])
    )


def test_changed_function_is_checked_and_run_again_and_tensorflow_is_not(scored: Repo) -> None:
    (scored.folder / "metrics.py").write_text(OWN.replace("max()", "mean()"))

    result = scored.build()

    assert ["check-samples own", "evaluate own:fp16", "gate own:fp16", "publish own:fp16"] == result.ran


def test_mistake_in_a_function_points_at_the_metric_and_names_its_line(scored: Repo) -> None:
    (scored.folder / "metrics.py").write_text(OWN.replace('"prices"', '"price"'))

    result = scored.ovmake("build", "own")

    assert 1 == result.status
    assert "error[user-code]: evaluate own:fp16: `metrics.py:worst` failed: KeyError: 'price'" in result.stderr
    assert 'note: raised at metrics.py:5: return np.abs(outputs["price"] - labels).max()' in result.stderr
    assert '"metrics.py:worst", higher-is-better = false' in result.stderr


def test_labels_of_another_shape_name_both(scored: Repo) -> None:
    scored.edit('output = "prices"', 'output = "heat"')

    result = scored.ovmake("build", "houses")

    assert 1 == result.status
    assert "`mae`: the output has shape [1] per sample, labels have [2]" in result.stderr
