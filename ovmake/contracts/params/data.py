"""Where samples come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ovmake.contracts.forms import DatasetForm
from ovmake.contracts.params.declared import Declared


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageParams(Declared):
    """What is done to an image before it goes into a model. See `ovfile.schema.datasets.ImageOptions`."""

    resize: tuple[int, ...] | None = None
    crop: tuple[int, ...] | None = None
    channels: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetParams(Declared):
    """How samples come out of a dataset.

    `form` is what its path names. `inputs` maps a model input to the column that feeds it, or to several. `loader` is
    the name of the function that yields the samples, "" of a file. `labels` names what holds the labels, and `classes`
    their names in the order of their numbers: both are left out where no label is read. `limit` is how many samples are
    used after a seeded shuffle, None for all.
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
    """The samples of an action: of a dataset; without one they are synthetic.

    `seed` is of what is drawn and shuffled, None where nothing is. `calibrating` is how many samples of the dataset
    calibrate: then the others are meant.
    """

    KEBAB: ClassVar[bool] = True

    dataset: DatasetParams | None = None
    calibrating: int | None = None
    seed: int | None = None
