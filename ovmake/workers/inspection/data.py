"""inspect-data: describe a file or folder that may be a dataset, for `ovmake init`. Neither framework is loaded.

facts   {"form": "arrays" | "images" | "table" | "records", "count": 5000, "columns": [...], "classes": [...]}
column  {"name": "x", "kind": "integers" | "floats" | "image" | "words", "shape": [28, 28], "low": 0.0, "high": 255.0,
         "common": 0.1, "words": ["cat", "dog"]}       for a table's images, `words` are their folders

`low` and `high` are those of the first samples; for labels (one number per sample), of all samples; for records, of as
many as are read quickly. `common` is the share of the most frequent label. `classes` are those of a folder. The readers
are those of builds, which trust nothing in a file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ovmake.contracts.forms import form_of
from ovmake.contracts.params.data import DatasetParams
from ovmake.errors import ActionError
from ovmake.workers.inputs.datasets import open_dataset
from ovmake.workers.inputs.datasets.columns import Column, Given
from ovmake.workers.inputs.datasets.images import ImageFolder
from ovmake.workers.inputs.datasets.manifest import Manifest
from ovmake.workers.inputs.datasets.npz import Arrays
from ovmake.workers.inputs.datasets.pictures import SUFFIXES, looks_like_image
from ovmake.workers.inputs.datasets.tfrecord import TFRecords
from ovmake.workers.inputs.preparing import Array
from ovmake.workers.ipc.protocol import Request

# How many of many columns or words are reported.
MOST = 200
# How many samples estimate a range; for labels, all are read.
FIRST = 64
# Records are read whole, with their images.
RECORDS = 2_000
Facts = dict[str, object]


def inspect_data(request: Request) -> Facts:
    """Describe a dataset.

    Raises:
        ActionError: it is not a dataset.
    """
    given = Given(
        role="dataset",
        path=request.inputs["dataset"],
        params=DatasetParams(form=form_of(request.inputs["dataset"])),
        files=(),
        scratch=request.scratch or None,
        log=request.log,
    )
    reader = open_dataset(given)
    if isinstance(reader, Arrays):
        return _arrays(reader)
    if isinstance(reader, Manifest):
        return _table(reader)
    if isinstance(reader, TFRecords):
        return _records(reader)
    if isinstance(reader, ImageFolder):
        return _images(reader, given)
    raise ActionError("dataset-form", "it is not a dataset that init knows")


def _arrays(reader: Arrays) -> Facts:
    columns, counts = [], []
    for name in reader.names[:MOST]:
        try:
            column = reader.labels(name)
        except ActionError:  # an array of objects, or a single value: neither inputs nor labels
            continue
        if column is not None and column.dtype.kind in "biuf" and column.count:
            columns.append(_numbers(name, column))
            counts.append(column.count)
    # Arrays of one file that belong together have the same number of samples.
    count = max(set(counts), key=counts.count, default=0)
    belong = [column for column, one in zip(columns, counts, strict=True) if one == count]
    return {"form": "arrays", "count": count, "columns": belong, "classes": []}


def _numbers(name: str, column: Column) -> Facts:
    single = column.shape in {(), (1,)}
    numbers = np.arange(column.count if single else min(column.count, FIRST))
    return _told(name, column.rows(numbers), column.shape, labels=single)


def _told(name: str, values: Array, shape: tuple[int, ...], *, labels: bool) -> Facts:
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    facts: Facts = {
        "name": name,
        "kind": "floats" if values.dtype.kind == "f" else "integers",
        "shape": list(shape),
        "low": float(finite.min()) if finite.size else 0.0,
        "high": float(finite.max()) if finite.size else 0.0,
    }
    if labels and values.size:
        _, often = np.unique(values, return_counts=True)
        facts["common"] = float(often.max() / values.size)
    return facts


def _table(reader: Manifest) -> Facts:
    columns: list[Facts] = []
    for name, words in list(reader.columns.items())[:MOST]:
        try:
            values = np.asarray([float(word) for word in words])
        except ValueError:
            suffixes = {Path(word).suffix.lower() for word in words}
            kinds = sorted(set(words))
            image = suffixes <= set(SUFFIXES)
            if image:  # their folders, which the Ovfile must name
                kinds = sorted({Path(word).parent.as_posix() for word in words})
            common = max(map(words.count, kinds)) / len(words) if len(kinds) <= MOST else 0.0
            columns.append(
                {
                    "name": name,
                    "kind": "image" if image else "words",
                    "shape": [],
                    "words": kinds if len(kinds) <= MOST else [],
                    "common": common,
                }
            )
        else:
            whole = bool(np.all(values == np.round(values)))
            columns.append(_told(name, values.astype(np.int64) if whole else values, (), labels=True))
    return {"form": "table", "count": len(reader.lines), "columns": columns, "classes": []}


def _records(reader: TFRecords) -> Facts:
    columns: list[Facts] = []
    for name in reader.names[:MOST]:
        value: Any = reader.value(name, 0)
        if isinstance(value, list):
            image = bool(value) and looks_like_image(bytes(value[0]))
            columns.append({"name": name, "kind": "image" if image else "words", "shape": []})
        elif len(value) == 1:
            every = [reader.value(name, number) for number in range(min(len(reader.starts), RECORDS))]
            single = [one[0] for one in every if not isinstance(one, list) and len(one) == 1]
            if len(single) == len(every):
                columns.append(_told(name, np.asarray(single), (), labels=True))
        elif len(value):
            columns.append(_told(name, np.asarray(value), (len(value),), labels=False))
    return {"form": "records", "count": len(reader.starts), "columns": columns, "classes": []}


def _images(reader: ImageFolder, given: Given) -> Facts:
    classes = sorted({file.relative_to(given.path).parts[0] for file in reader.files}) if reader.places else []
    common = 0.0
    if reader.places:
        _, often = np.unique(np.asarray(reader.places), return_counts=True)
        common = float(often.max() / len(reader.places))
    column: Facts = {"name": "", "kind": "image", "shape": [], "common": common}
    return {"form": "images", "count": len(reader.files), "columns": [column], "classes": classes}
