"""The samples of an action: a dataset, part of one, or synthetic samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ovmake.contracts.forms import DatasetForm
from ovmake.contracts.params.declared import Declared


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageParams(Declared):
    """How an image is decoded for a model. See `ovfile.schema.datasets.ImageOptions`."""

    resize: tuple[int, ...] | None = None
    crop: tuple[int, ...] | None = None
    channels: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetParams(Declared):
    """How samples are read from a dataset.

    `form` follows from its path. `inputs` maps a model input to the column or columns that feed it. `loader` is the
    name of the function that yields the samples, "" for a file. `labels` is the column of the labels, and `classes` are
    their names by number; both are left out if no label is read. `limit` is the number of samples to use after a seeded
    shuffle, None for all.
    """

    form: DatasetForm
    inputs: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    loader: str = ""
    labels: str | None = None
    classes: tuple[str, ...] = ()
    images: ImageParams = ImageParams()
    limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleParams:
    """The samples of an action; they are synthetic if `dataset` is None.

    `seed` draws and shuffles, None if nothing does. If `calibrating` is set, so many samples of the dataset calibrate,
    and the action uses the remaining ones.
    """

    KEBAB: ClassVar[bool] = True

    dataset: DatasetParams | None = None
    calibrating: int | None = None
    seed: int | None = None
