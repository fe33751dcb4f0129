"""inspect-data: describe a file or folder that may be a dataset, for `ovmake init`. Neither framework is loaded.

Facts are a `Data`. It is read by the readers that builds use, which believe nothing of a file.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from ovmake.contracts.codec import encode_object
from ovmake.contracts.files.inspected import Data, DataColumn
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


def inspect_data(request: Request) -> dict[str, object]:
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
    return encode_object(_told(given))


def _told(given: Given) -> Data:
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


def _arrays(reader: Arrays) -> Data:
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
    return Data(form="arrays", count=count, columns=tuple(belong))


def _numbers(name: str, column: Column) -> DataColumn:
    single = column.shape in {(), (1,)}
    numbers = np.arange(column.count if single else min(column.count, FIRST))
    return _range(name, column.rows(numbers), column.shape, labels=single)


def _range(name: str, values: Array, shape: tuple[int, ...], *, labels: bool) -> DataColumn:
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    column = DataColumn(
        name=name,
        kind="floats" if values.dtype.kind == "f" else "integers",
        shape=shape,
        low=float(finite.min()) if finite.size else 0.0,
        high=float(finite.max()) if finite.size else 0.0,
    )
    if not labels or not values.size:
        return column
    _, often = np.unique(values, return_counts=True)
    return replace(column, common=float(often.max() / values.size))


def _table(reader: Manifest) -> Data:
    columns: list[DataColumn] = []
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
            told = tuple(kinds) if len(kinds) <= MOST else ()
            columns.append(DataColumn(name=name, kind="image" if image else "words", words=told, common=common))
        else:
            whole = bool(np.all(values == np.round(values)))
            columns.append(_range(name, values.astype(np.int64) if whole else values, (), labels=True))
    return Data(form="table", count=len(reader.lines), columns=tuple(columns))


def _records(reader: TFRecords) -> Data:
    columns: list[DataColumn] = []
    for name in reader.names[:MOST]:
        value = reader.value(name, 0)
        if isinstance(value, list):
            image = bool(value) and looks_like_image(bytes(value[0]))
            columns.append(DataColumn(name=name, kind="image" if image else "words"))
        elif len(value) == 1:
            every = [reader.value(name, number) for number in range(min(len(reader.starts), RECORDS))]
            single = [one[0] for one in every if not isinstance(one, list) and len(one) == 1]
            if len(single) == len(every):
                columns.append(_range(name, np.asarray(single), (), labels=True))
        elif len(value):
            columns.append(_range(name, np.asarray(value), (len(value),), labels=False))
    return Data(form="records", count=len(reader.starts), columns=tuple(columns))


def _images(reader: ImageFolder, given: Given) -> Data:
    classes = sorted({file.relative_to(given.path).parts[0] for file in reader.files}) if reader.places else []
    common = 0.0
    if reader.places:
        _, often = np.unique(np.asarray(reader.places), return_counts=True)
        common = float(often.max() / len(reader.places))
    column = DataColumn(name="", kind="image", common=common)
    return Data(form="images", count=len(reader.files), columns=(column,), classes=tuple(classes))
