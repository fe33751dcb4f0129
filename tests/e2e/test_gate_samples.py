"""Which samples judge INT8 where no dataset does: those that do not calibrate; and noise only if it was asked for."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.e2e.conftest import Repo, Result, run_tensorflow

pytestmark = pytest.mark.heavy

MODELS = """
import keras, numpy as np
keras.utils.set_random_seed(3)
layers = keras.layers
image = keras.Input((8, 8, 3), name="image")
hidden = layers.Flatten()(layers.Conv2D(8, 3, activation="relu")(image))
keras.Model(image, layers.Dense(4)(hidden)).export("net", verbose=False)
pixels = np.random.default_rng(0).integers(0, 256, (100, 8, 8, 3))
np.savez("train.npz", image=pixels.astype("float32"))
"""
OVFILE = """\
[datasets.train]
path = "train.npz"
[defaults]
precisions = ["fp32", "int8"]
calibration = "train"
speed-check = false
[models.some]
source = "net"
int8.samples = 60
[models.all]
source = "net"
[models.asked]
source = "net"
accuracy.agreement.cosine = 0.9
[models.noise]
source = "net"
accuracy = { agreement.cosine = 0.1, inputs = "noise" }
[models.chosen]
source = "net"
precisions = ["auto"]
auto.candidates = ["int8"]
"""
ALL = "all 100 samples of the calibration set calibrate"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Repo, Result]:
    folder = tmp_path_factory.mktemp("samples")
    run_tensorflow(MODELS, folder)
    (folder / "Ovfile").write_text(OVFILE)
    return Repo(folder=folder), Repo(folder=folder).build("-k")


def ended(result: Result, target: str) -> dict[str, Any]:
    return next(e for e in result.events if e["event"] == "target-finished" and e["target"] == target)


@pytest.mark.parametrize(
    ("target", "gate", "origin"),
    [
        ("some:fp32", "passed", {"from": "calibration"}),
        ("some:int8", "passed", {"from": "calibration"}),
        ("all:fp32", "passed", {"from": "noise", "why": ALL}),
        ("all:int8", "not-measured", {"from": "noise", "why": ALL}),
        ("asked:fp32", "passed", {"from": "noise", "why": ALL}),
        ("noise:fp32", "passed", {"from": "noise"}),
        ("noise:int8", "passed", {"from": "noise"}),
        ("chosen:auto", "not-measured", {"from": "noise", "why": ALL}),
    ],
)
def test_inputs_are_of_the_models_own_kind_where_there_are_some(
    built: tuple[Repo, Result], target: str, gate: str, origin: dict[str, str]
) -> None:
    repo, result = built

    record = repo.record(*target.split(":"))

    assert gate == record["gate"]["result"] == ended(result, target)["gate"]
    assert origin == record["compared_on"]
    assert (32 if origin["from"] == "calibration" else 16) == record["samples"]


def test_tensorflow_runs_once_for_all_precisions(built: tuple[Repo, Result]) -> None:
    assert ["reference some"] == [name for name in built[1].ran if name.startswith("reference some")]


@pytest.mark.parametrize("place", ["gate all:int8", "choose chosen:auto"])
def test_int8_that_only_noise_could_judge_is_warned_of(built: tuple[Repo, Result], place: str) -> None:
    warned = {f"{e['action']} {e['target']}": e["warning"] for e in built[1].events if "warning" in e}

    assert "gate-not-measured" == warned[place]["code"]
    assert f"INT8 is judged on real samples, and {ALL}; on synthetic inputs: cosine" in warned[place]["message"]
    assert "set `samples` below the size of the calibration set" in warned[place]["help"]


def test_an_agreement_that_was_asked_for_is_not_kept_by_noise(built: tuple[Repo, Result]) -> None:
    repo, result = built
    (failed,) = [e["diagnostic"] for e in result.events if e.get("status") == "failed" and "diagnostic" in e]

    assert 1 == result.status
    assert ("failed", "not-measured") == tuple(ended(result, "asked:int8")[key] for key in ("status", "gate"))
    assert "gate-not-measured" == failed["code"]
    assert '`inputs = "noise"` judges INT8 on noise anyway' in failed["help"]
    assert not (repo.folder / "build/asked/int8").exists()


def test_nothing_is_given_back_where_noise_says_that_it_must(built: tuple[Repo, Result], tmp_path: Path) -> None:
    repo = built[0].copy(tmp_path / "samples")
    repo.edit("accuracy.agreement.cosine = 0.9\n", 'accuracy.agreement.cosine = 0.9999\nint8.on-drop = "mixed"\n')

    result = repo.build("asked:int8")

    assert "control asked:int8" in result.ran
    assert "not-measured" == ended(result, "asked:int8")["gate"]
    log = (repo.folder / ".ovmake/logs/control-asked-int8.log").read_text()
    assert 1 == log.count("layers in floating point:")


def test_the_rest_of_the_set_judges_as_soon_as_there_is_one(built: tuple[Repo, Result], tmp_path: Path) -> None:
    repo = built[0].copy(tmp_path / "samples")
    with np.load(repo.folder / "train.npz") as known:
        more = np.concatenate([known["image"]] * 4)[:310]
    np.savez(repo.folder / "train.npz", image=more + np.arange(310, dtype=np.float32)[:, None, None, None] / 310)

    result = repo.build("all", "asked")

    assert 0 == result.status, result.stdout
    assert {"from": "calibration"} == repo.record("all", "int8")["compared_on"]
    assert 10 == repo.record("all", "int8")["samples"]
    assert "passed" == repo.record("asked", "int8")["gate"]["result"]


def test_a_calibration_set_that_is_not_there_is_named(built: tuple[Repo, Result], tmp_path: Path) -> None:
    repo = built[0].copy(tmp_path / "samples")
    (repo.folder / "train.npz").unlink()
    shutil.rmtree(repo.folder / ".ovmake")

    result = repo.ovmake("build", "some:fp32")

    assert 1 == result.status
    assert "there is no `train.npz`" in result.stderr
    assert " --> Ovfile:2:" in result.stderr
