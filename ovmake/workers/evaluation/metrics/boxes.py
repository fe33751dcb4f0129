"""COCO's mAP, by pycocotools. Higher is better; a share.

It takes the outputs of detectors of TensorFlow's Object Detection API (`outputs` in the Ovfile renames other outputs):

    detection_boxes      [samples, boxes, 4], ymin, xmin, ymax, xmax as shares of the image's height and width
    detection_scores     [samples, boxes]
    detection_classes    [samples, boxes], `category_id`s of the annotations
    num_detections       [samples], how many of the boxes count; without it, all

Labels are the images' ids in the annotations, [samples]; the true boxes and the image sizes come from the annotations
(https://cocodataset.org/#format-data).
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ovmake.errors import ActionError, message_of
from ovmake.workers.evaluation.metrics.choosing import same_count
from ovmake.workers.evaluation.metrics.tally import Metric, Tally
from ovmake.workers.inputs.preparing import Array

if TYPE_CHECKING:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

BOXES, SCORES, CLASSES, COUNT = "detection_boxes", "detection_scores", "detection_classes", "num_detections"
CORNERS = 4
# COCO's own: the 100 most certain boxes of an image count, whatever their size.
MOST = 100
ANY_SIZE = [0.0, 1e10]
# pycocotools takes 0.13 s to accumulate 500 images of 80 categories, and does it twice for each draw.
REPLICATES = 100


class CocoMap(Tally):
    """Average precision over IoU thresholds from 0.50 to 0.95, and over categories: COCO's first figure."""

    replicates = REPLICATES

    def __init__(self, metric: Metric) -> None:
        super().__init__(metric)
        self._truth = read_annotations(metric)
        self._found: dict[int, Array] = {}  # image -> rows in the form of pycocotools
        self._evaluated: COCOeval | None = None

    def add(self, outputs: Mapping[str, Array], labels: Array | None, expected: Mapping[str, Array]) -> None:
        """See `Tally`. Non-finite boxes are dropped."""
        del expected
        images = image_ids(self.metric, labels, self._truth)
        boxes, scores, classes, counts = _parts(self.metric, outputs, images)
        for place, image in enumerate(images.tolist()):
            if image in self._found:
                raise ActionError("label-range", f"image {image} is in the dataset twice", setting="dataset")
            known = self._truth.imgs[image]
            size = np.array([known["height"], known["width"]] * 2, dtype=np.float64)
            real = slice(0, counts[place])
            top, left, bottom, right = (boxes[place, real] * size).T
            rows = [top * 0 + image, left, top, right - left, bottom - top, scores[place, real], classes[place, real]]
            found = np.stack(rows, axis=1)
            self._found[image] = found[np.isfinite(found).all(axis=1)]
        self.count += len(images)
        self._evaluated = None

    def score(self) -> float:
        """See `Tally`."""
        return self._average(np.arange(self.count))

    def scores(self, draws: Array) -> Array:
        """See `Tally`. Images are matched once; pycocotools accumulates the drawn ones."""
        everything = np.arange(self.count)
        return np.array([self._average(np.repeat(everything, row.astype(int))) for row in draws])

    @property
    def blind(self) -> str:
        """See `Tally`."""
        return "predicting no boxes"

    def by_chance(self, draws: Array) -> Array:
        """See `Tally`: random boxes are never right."""
        return np.zeros(len(draws))

    def _average(self, drawn: Array) -> float:
        """Return the mAP over images by their index among the samples; NaN if no drawn image has a box."""
        if not any(map(len, self._found.values())):
            return 0.0
        evaluation = self._matched()
        images = evaluation.params.imgIds
        order = np.searchsorted(self._sorted, np.array(list(self._found))[drawn])
        order.sort()
        table = np.empty(len(self._matches), dtype=object)
        table[:] = self._matches
        rows = table.reshape(-1, self.count)[:, order]
        evaluation.evalImgs = rows.ravel().tolist()
        # From here on, only the indexes of the images and their number count.
        evaluation.params.imgIds = evaluation._paramsEval.imgIds = list(range(len(order)))  # noqa: SLF001
        with quiet():
            evaluation.accumulate()
        evaluation.params.imgIds = images
        precision = evaluation.eval["precision"]
        precision = precision[precision > -1]
        return float(precision.mean()) if precision.size else float("nan")

    def _matched(self) -> COCOeval:
        """Match boxes with the annotations', once."""
        if self._evaluated is None:
            from pycocotools.cocoeval import COCOeval

            with quiet():
                found = self._truth.loadRes(np.concatenate(list(self._found.values())))
                evaluation = COCOeval(self._truth, found, "bbox")
                evaluation.params.imgIds = list(self._found)
                evaluation.params.maxDets = [MOST]
                evaluation.params.areaRng, evaluation.params.areaRngLbl = [ANY_SIZE], ["all"]
                evaluation.evaluate()
            self._matches = evaluation.evalImgs
            self._sorted = np.sort(list(self._found))
            self._evaluated = evaluation
        return self._evaluated


def read_annotations(metric: Metric) -> COCO:
    """Return pycocotools' view of the annotations.

    Raises:
        ActionError: the file cannot be read, or is not in COCO's format.
    """
    from pycocotools.coco import COCO

    path = metric.options.annotations
    if path is None:
        raise AssertionError("the Ovfile cannot ask for coco-map without annotations")
    truth = COCO()
    try:
        truth.dataset = json.loads(Path(path).read_bytes())
        _check(truth)
        with quiet():
            truth.createIndex()
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        what = f"there is no {error}" if isinstance(error, KeyError) else message_of(error)
        message = f"cannot read COCO's annotations: {what}"
        raise ActionError("bad-annotations", message, setting="accuracy.annotations") from error
    return truth


def _check(truth: COCO) -> None:
    """Access every key that pycocotools needs, so that a missing one is reported here."""
    body = truth.dataset
    for image in body["images"]:
        _ = image["id"], image["height"], image["width"]
    for box in body["annotations"]:
        _ = box["image_id"], box["category_id"], box["bbox"], box["id"]
        box.setdefault("iscrowd", 0)
        box.setdefault("area", box["bbox"][2] * box["bbox"][3])
    for category in body["categories"]:
        _ = category["id"]


def image_ids(metric: Metric, labels: Array | None, truth: COCO) -> Array:
    """Return labels as image ids.

    Raises:
        ActionError: they are not whole numbers, or are not in the annotations.
    """
    labels = metric.labelled(labels)
    if labels.dtype.kind not in "iu" or labels.size != len(labels):
        message = f"labels are {labels.dtype} {list(labels.shape)}; `{metric.name}` needs an image's id per sample"
        raise ActionError("label-type", message, setting="dataset")
    ids = labels.reshape(len(labels))
    unknown = [int(image) for image in ids if int(image) not in truth.imgs]
    if unknown:
        more = f" and {len(unknown) - 1} more" if unknown[1:] else ""
        message = f"the annotations have no image {unknown[0]}{more}; labels must be the images' ids"
        raise ActionError("label-range", message, setting="dataset")
    return ids


def _parts(metric: Metric, outputs: Mapping[str, Array], images: Array) -> tuple[Array, Array, Array, list[int]]:
    missing = [name for name in (BOXES, SCORES, CLASSES) if name not in outputs]
    if missing:
        listed = ", ".join(f"`{name}`" for name in outputs)
        message = f"`{metric.name}` needs an output `{missing[0]}`; the model has {listed}"
        hint = f'rename the right one: `outputs = {{ "NAME" = "{missing[0]}" }}` in the model\'s table'
        raise ActionError("unknown-output", message, setting="accuracy.metric", help=hint)
    boxes, scores, classes = (outputs[name].astype(np.float64) for name in (BOXES, SCORES, CLASSES))
    same_count(metric, len(boxes), images)
    if boxes.ndim != len(("samples", "boxes", "corners")) or boxes.shape[2] != CORNERS:
        message = f"`{BOXES}` has shape {list(boxes.shape)}, not [samples, boxes, {CORNERS}]"
        raise ActionError("metric-shape", message, setting="accuracy.metric")
    most = boxes.shape[1]
    for name, array in ((SCORES, scores), (CLASSES, classes)):
        if array.shape != boxes.shape[:2]:
            message = f"`{name}` has shape {list(array.shape)}, not {list(boxes.shape[:2])} as `{BOXES}`"
            raise ActionError("metric-shape", message, setting="accuracy.metric")
    counts = outputs[COUNT].reshape(len(images), -1)[:, 0] if COUNT in outputs else np.full(len(images), most)
    return boxes, scores, classes, np.nan_to_num(counts.astype(np.float64)).clip(0, most).astype(int).tolist()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Suppress the output of pycocotools, which would fill the action's log."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield
