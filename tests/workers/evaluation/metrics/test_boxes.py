"""COCO's mAP is pycocotools', of detectors as TensorFlow's Object Detection API makes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from ovmake.errors import ActionError
from ovmake.workers.evaluation.metrics import Metric, drop_interval
from ovmake.workers.inputs.preparing import Array
from tests.workers.evaluation.metrics.counting import counted, metric

IMAGES, BOXES = 12, 8
IDS = 100 + np.arange(IMAGES)[::-1] * 3
WIDTH, HEIGHT = 64, 48


def truth() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    boxes = [
        {
            "id": number + 1,
            "image_id": int(IDS[number % IMAGES]),
            "category_id": int(rng.choice([3, 7])),
            "bbox": [*map(float, rng.integers(0, 30, 2)), *map(float, rng.integers(5, 18, 2))],
        }
        for number in range(3 * IMAGES)
    ]
    return {
        "images": [{"id": int(image), "height": HEIGHT, "width": WIDTH} for image in IDS],
        "annotations": boxes,
        "categories": [{"id": 3}, {"id": 7}, {"id": 9}],
    }


def detections(noise: float, seed: int = 1) -> dict[str, Array]:
    """Return what a detector finds that sees every box `noise` pixels off, and some that are none."""
    rng, body = np.random.default_rng(seed), truth()
    boxes, scores = np.zeros((IMAGES, BOXES, 4), np.float32), rng.random((IMAGES, BOXES)).astype(np.float32)
    classes = np.full((IMAGES, BOXES), 3, np.float32)
    for place, image in enumerate(IDS):
        mine = [box for box in body["annotations"] if box["image_id"] == image]
        for number, box in enumerate(mine):
            x, y, width, height = np.array(box["bbox"]) + rng.normal(0, noise, 4)
            boxes[place, number] = np.array([y, x, y + height, x + width]) / [HEIGHT, WIDTH, HEIGHT, WIDTH]
            classes[place, number] = box["category_id"]
        boxes[place, 3] = rng.random(4)
    return {
        "detection_boxes": boxes,
        "detection_scores": scores,
        "detection_classes": classes,
        "num_detections": np.full(IMAGES, 4, np.float32),
    }


def coco_map(folder: Path, body: object = None) -> Metric:
    path = folder / "instances.json"
    path.write_text(json.dumps(truth() if body is None else body))
    return metric("coco-map", inputs={"annotations": str(path)})


def by_pycocotools(body: dict[str, Any], found: dict[str, Array], places: Array) -> float:
    """Return COCO's first figure the long way: images drawn again become images of their own."""
    images, results = [], []
    boxes: list[dict[str, Any]] = []
    for number, place in enumerate(places):
        images.append({"id": number, "height": HEIGHT, "width": WIDTH})
        for box in body["annotations"]:
            if box["image_id"] == IDS[place]:
                area = box["bbox"][2] * box["bbox"][3]
                boxes.append({**box, "id": len(boxes) + 1, "image_id": number, "iscrowd": 0, "area": area})
        for index in range(int(found["num_detections"][place])):
            top, left, bottom, right = found["detection_boxes"][place, index] * [HEIGHT, WIDTH, HEIGHT, WIDTH]
            score, category = (found[f"detection_{what}"][place, index] for what in ("scores", "classes"))
            results.append([number, left, top, right - left, bottom - top, score, category])
    coco = COCO()
    coco.dataset = {**body, "images": images, "annotations": boxes}
    coco.createIndex()
    evaluation = COCOeval(coco, coco.loadRes(np.array(results)), "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return float(evaluation.stats[0])


def test_as_pycocotools(tmp_path: Path) -> None:
    found = detections(1.0)

    tally = counted(coco_map(tmp_path), found, IDS)

    expected = by_pycocotools(truth(), found, np.arange(IMAGES)[::-1])
    assert 0.1 < expected < 0.9
    assert expected == pytest.approx(tally.score())
    chosen = np.sort(np.random.default_rng(3).integers(0, IMAGES, IMAGES))[::-1]
    times = np.bincount(chosen, minlength=IMAGES)[np.newaxis].astype(float)
    assert by_pycocotools(truth(), found, chosen) == pytest.approx(tally.scores(times)[0])


def test_worse_detector_drops(tmp_path: Path) -> None:
    near, far = (counted(coco_map(tmp_path), detections(noise), IDS) for noise in (0.5, 3.0))

    interval = drop_interval(near, far, seed=0)

    assert interval is not None
    assert 0 < interval.low < near.score() - far.score() < interval.high
    assert 100 == interval.replicates


def test_only_the_boxes_that_count_do_and_only_finite_ones(tmp_path: Path) -> None:
    found = detections(1.0)
    score = counted(coco_map(tmp_path), found, IDS).score()

    found["detection_scores"][:, 5] = 1
    found["detection_boxes"][:, 3] = np.nan
    found["num_detections"] = found["num_detections"].reshape(-1, 1)
    without = {**found, "num_detections": np.full(IMAGES, 3, np.float32)}

    assert counted(coco_map(tmp_path), without, IDS).score() == counted(coco_map(tmp_path), found, IDS).score()
    assert score <= counted(coco_map(tmp_path), found, IDS).score()


def test_detector_that_finds_nothing(tmp_path: Path) -> None:
    nothing = {**detections(1.0), "num_detections": np.zeros(IMAGES, np.float32)}

    assert 0 == counted(coco_map(tmp_path), nothing, IDS).score()


@pytest.mark.parametrize(
    ("change", "labels", "problem"),
    [
        ({"detection_boxes": None}, IDS, "needs an output `detection_boxes`; the model has `detection_scores`"),
        ({"detection_boxes": np.zeros((IMAGES, BOXES, 5))}, IDS, r"not \[samples, boxes, 4\]"),
        ({"detection_scores": np.zeros((IMAGES, 3))}, IDS, r"`detection_scores` has shape .*, not \[7, 8\]"),
        ({}, IDS + 1, "the annotations have no image 134 and 6 more"),
        ({}, IDS * 0 + 100, "image 100 is in the dataset twice"),
        ({}, IDS.astype(float), "needs an image's id per sample"),
    ],
)
def test_what_it_cannot_count(tmp_path: Path, change: dict[str, Array | None], labels: Array, problem: str) -> None:
    changed = {**detections(1.0), **change}
    outputs = {name: array for name, array in changed.items() if array is not None}

    with pytest.raises(ActionError, match=problem):
        counted(coco_map(tmp_path), outputs, labels)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"images": []}, "there is no 'annotations'"),
        ([], "list indices must be"),
        ({**truth(), "images": [{"id": 1}]}, "there is no 'height'"),
        ({**truth(), "annotations": [{"image_id": 1, "category_id": 1, "id": 1, "bbox": []}]}, "list index out of"),
        ({**truth(), "annotations": [[]]}, "list indices must be"),
    ],
)
def test_annotations_that_are_none(tmp_path: Path, body: object, problem: str) -> None:
    with pytest.raises(ActionError, match=f"cannot read COCO's annotations: {problem}"):
        coco_map(tmp_path, body).tally()


def test_annotations_that_are_nested_without_end(tmp_path: Path) -> None:
    counting = coco_map(tmp_path)
    (tmp_path / "instances.json").write_text("[" * 100_000)

    with pytest.raises(ActionError, match=r"cannot read COCO's annotations: .*recursion"):
        counting.tally()
