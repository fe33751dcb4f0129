"""A build over every form of dataset, with the same samples in each: the same figures, and stale what reads an edit."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.e2e.conftest import Repo, run_tensorflow

pytestmark = pytest.mark.heavy

FORMS = ("arrays", "folder", "table", "records", "own")
OVFILE = """\
[datasets.arrays]
path = "data/val.npz"
inputs = { image = "x" }
labels = "y"
[datasets.folder]
path = "data/photos"
[datasets.table]
path = "data/val.csv"
inputs = { image = "file" }
labels = "kind"
classes = ["a", "b", "c"]
files = ["data/photos"]
[datasets.records]
path = "data/val.tfrecord"
inputs = { image = "image/encoded" }
labels = "label"
[datasets.own]
loader = "data.py:val"
files = ["data/val.npz"]
[datasets.train]
path = "data/train"
images.crop = 8
[defaults]
precisions = ["fp32"]
accuracy = { metric = "accuracy", max-drop = 0 }
"""
MODEL = '[models.{0}]\nsource = "m"\naccuracy.dataset = "{0}"\n'
INT8 = 'precisions = ["int8"]\nint8 = { calibration = "train", samples = 20, accuracy.max-drop = 0.99 }\n'

MAKE = """
import numpy as np, tensorflow as tf
weights = np.random.default_rng(0).normal(size=(192, 3)).astype(np.float32)
class Model(tf.Module):
    def __init__(self):
        self.w = tf.Variable(weights)
    @tf.function(input_signature=[tf.TensorSpec([None, 8, 8, 3], tf.float32, name="image")])
    def __call__(self, image):
        return {"scores": tf.nn.relu(tf.reshape(image / 255.0, [-1, 192])) @ self.w}
model = Model()
tf.saved_model.save(model, "m", signatures=model.__call__)
data = np.load("data/val.npz")
with tf.io.TFRecordWriter("data/val.tfrecord") as writer:
    for image, label in zip(data["x"], data["y"]):
        png = tf.train.BytesList(value=[tf.io.encode_png(image).numpy()])
        features = {"image/encoded": tf.train.Feature(bytes_list=png),
                    "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[label]))}
        writer.write(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())
"""

LOADER = """
import numpy as np
from pathlib import Path

def val():
    with np.load(Path(__file__).parent / "data/val.npz") as stored:
        for image, label in zip(stored["x"], stored["y"]):
            yield {"image": image}, label
"""


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """A small model, thirty pictures of three classes in every form, and others to calibrate with."""
    folder = tmp_path_factory.mktemp("datasets")
    generator = np.random.default_rng(1)
    pictures, kinds = generator.integers(0, 256, (30, 8, 8, 3), dtype=np.uint8), np.repeat([0, 1, 2], 10)
    rows = ["file,kind"]
    for number, (picture, kind) in enumerate(zip(pictures, kinds.tolist(), strict=True)):
        path = folder / f"data/photos/{'abc'[kind]}/{number:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(path)
        rows.append(f"photos/{'abc'[kind]}/{number:02}.png,{'abc'[kind]}")
    (folder / "data/train").mkdir()
    for number in range(24):
        Image.fromarray(generator.integers(0, 256, (9, 8, 3), dtype=np.uint8)).save(folder / f"data/train/{number}.png")
    (folder / "data/val.csv").write_text("\n".join(rows) + "\n")
    np.savez_compressed(folder / "data/val.npz", x=pictures, y=kinds)
    (folder / "data.py").write_text(LOADER)
    run_tensorflow(MAKE, folder)
    (folder / "Ovfile").write_text(OVFILE + "".join(map(MODEL.format, FORMS)) + INT8)
    return Repo(folder=folder)


@pytest.fixture(scope="module")
def built(repo: Repo) -> Repo:
    result = repo.build()
    assert 0 == result.status, result.stdout + result.stderr
    return repo


def stale(repo: Repo) -> set[str]:
    """Return the models of which a dry run would run something for another reason than what comes before."""
    events = repo.build("-n").events
    return {
        event["target"].partition(":")[0]
        for event in events
        if event["event"] == "action-finished" and not all("may change" in reason for reason in event["reasons"])
    }


def test_every_form_gives_the_same_figures(built: Repo) -> None:
    records = [built.record(form, "int8" if form == "own" else "fp32") for form in FORMS]

    figures = [(record["samples"], record["tensorflow"], record["differences"][0]["scale"]) for record in records]
    assert [figures[0]] * len(FORMS) == figures
    samples, accuracy, scale = figures[0]
    assert 30 == samples
    assert 0 < accuracy["accuracy"] < 1 < scale
    assert set() == stale(built)


@pytest.mark.parametrize(
    ("path", "models"),
    [
        ("data/photos/a/00.png", {"folder", "table"}),
        ("data/val.csv", {"table"}),
        ("data/val.tfrecord", {"records"}),
        ("data.py", {"own"}),
        ("data/val.npz", {"arrays", "own"}),
        ("data/train/3.png", {"own"}),
    ],
)
def test_edited_file_makes_stale_what_reads_it(built: Repo, path: str, models: set[str]) -> None:
    file = built.folder / path
    before = file.read_bytes()
    file.write_bytes(before + b"\n")

    found = stale(built)

    file.write_bytes(before)
    assert models == found


def test_picture_in_both_sets_stops_the_build_before_it_quantizes(built: Repo) -> None:
    twin = built.folder / "data/train/00-twin.png"
    twin.write_bytes((built.folder / "data/photos/b/17.png").read_bytes())
    for number in range(10, 24):
        (built.folder / f"data/train/{number}.png").rename(built.folder / f"data/{number}.png")

    result = built.ovmake("build", "own")

    twin.unlink()
    for number in range(10, 24):
        (built.folder / f"data/{number}.png").rename(built.folder / f"data/train/{number}.png")
    assert 1 == result.status
    assert (
        "error[calibration-overlaps-validation]: check-calibration own:int8: 1 of the 11 samples that calibrate INT8 "
        "are also in `own`, which validates it\n"
    ) in result.stderr
    assert 'calibration = "train"' in result.stderr
    assert "= note: their numbers in `train` (and in `own`): 1 (17)\n" in result.stderr


def test_wrong_label_stops_the_build_before_tensorflow_runs(built: Repo) -> None:
    path = built.folder / "data/val.csv"
    before = path.read_text()
    path.write_text(before.replace("29.png,c", "29.png,d"))
    built.workers_started()

    result = built.ovmake("build", "table")

    path.write_text(before)
    assert 1 == result.status
    expected = """\
error[dataset-class]: check-samples table: line 31 has `d` in column `kind`, which is not in `classes`
  --> Ovfile:11:11
   |
11 | classes = ["a", "b", "c"]
   |           ^^^^^^^^^^^^^^^
   |
"""
    assert expected in result.stderr
    assert {"worker-openvino.log"} == built.workers_started()


def test_exception_in_a_loader_points_at_it_and_shows_where(built: Repo) -> None:
    path = built.folder / "data.py"
    before = path.read_text()
    path.write_text(before + '\ndef val():\n    raise KeyError("split")\n')

    result = built.ovmake("build", "own")

    path.write_text(before)
    assert 1 == result.status
    assert "`data.py:val` failed: KeyError: 'split'" in result.stderr
    assert 'loader = "data.py:val"' in result.stderr
    assert '= note: data.py:11, in val: raise KeyError("split")\n' in result.stderr


def test_loader_that_takes_long_is_counted(built: Repo) -> None:
    path = built.folder / "data.py"
    before = path.read_text()
    slowly = "    for item in quick():\n        time.sleep(0.1)\n        yield item\n"
    path.write_text(f"{before}\nimport time\nquick = val\ndef val():\n{slowly}")

    result = built.build("own")

    path.write_text(before)
    said = [event for event in result.events if event["event"] == "action-progressed"]
    counts = [event["done"] for event in said if event["unit"] == "samples loaded"]
    assert (0, True) == (result.status, len(counts) > 1)
    assert all(event["of"] is None for event in said if event["unit"] == "samples loaded")
    assert next(event for event in result.events if event["event"] == "build-progressed")["done"] == 0
