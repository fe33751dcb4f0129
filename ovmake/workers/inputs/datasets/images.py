"""A folder of images: a class per sub-folder, or images alone.

A label is the index of the sub-folder among the sorted sub-folders, or in `classes` if the Ovfile lists them. Images
directly in the folder have no labels; they can be used for calibration. Samples are in the order of their paths. An
image is decoded on request.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ovmake.contracts.files.interface import Tensor
from ovmake.diagnostics import did_you_mean
from ovmake.workers.inputs.datasets.columns import Column, Given, each_of, one_by_one, stacked
from ovmake.workers.inputs.datasets.pictures import SUFFIXES, Picture
from ovmake.workers.inputs.preparing import Array


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFolder:
    """An open folder. `places` are the class indexes of the images, None without sub-folders."""

    given: Given
    files: tuple[Path, ...]
    places: tuple[int, ...] | None
    what: str = "array"

    @classmethod
    def open(cls, given: Given) -> ImageFolder:
        """List the images.

        Raises:
            ActionError: the folder cannot be read, has no images, or mixes images and sub-folders of images.
        """
        top = Path(given.path)
        try:
            loose = _images(top, deep=False)
            folders = {path.name: _images(path, deep=True) for path in sorted(top.iterdir()) if _is_class(path)}
        except OSError as error:
            raise given.unreadable(error) from error
        if loose and any(folders.values()):
            message = f"`{loose[0].name}` is beside the class folders, so its class is unknown"
            raise given.error("dataset-form", message, help="move it into one of them")
        if not loose and not any(folders.values()):
            message = f"the dataset has no samples: `{top.name}` contains no images"
            hint = f"images are files whose names end in {', '.join(sorted(SUFFIXES))}"
            raise given.error("dataset-empty", message, help=hint)
        if loose:
            return cls(given=given, files=tuple(loose), places=None)
        numbers = _numbers(list(folders), given)
        return cls(
            given=given,
            files=tuple(file for files in folders.values() for file in files),
            places=tuple(numbers[name] for name, files in folders.items() for _ in files),
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The only column has no name."""
        return ("",)

    def inputs(self, names: tuple[str, ...], tensor: Tensor) -> Column:  # noqa: ARG002 - there is only one column
        """Return the images as samples of `tensor`."""
        return column_of(self.files, Path(self.given.path), Picture.of(tensor, self.given))

    def labels(self, name: str) -> Column | None:
        """Return the classes.

        Raises:
            ActionError: the labels have a name.
        """
        if name:
            message = f"a folder of images has no array `{name}`: the label of an image is its sub-folder"
            raise self.given.error("dataset-array", message, key="labels", help="remove `labels`")
        return None if self.places is None else Column.of(np.asarray(self.places, dtype=np.int64), "the classes")


def column_of(files: tuple[Path, ...], top: Path, picture: Picture) -> Column:
    """Return image files as a column; messages name them relative to `top`."""

    def name(number: int) -> str:
        return files[number].relative_to(top).as_posix() if files[number].is_relative_to(top) else str(files[number])

    def rows(numbers: Array) -> Array:
        samples = each_of(lambda number: picture.array(files[number], name(number)), numbers)
        return stacked(samples, "images", picture.given)

    return Column(
        label="images",
        count=len(files),
        dtype=np.dtype(np.uint8),
        shape=picture.shape,
        rows=rows,
        look=one_by_one(lambda number: picture.look(files[number], name(number))),
    )


def _is_class(path: Path) -> bool:
    return path.is_dir() and not path.name.startswith(".")


def _images(folder: Path, *, deep: bool) -> list[Path]:
    found = folder.rglob("*") if deep else folder.iterdir()
    return sorted(path for path in found if path.suffix.lower() in SUFFIXES and not path.name.startswith("."))


def _numbers(folders: list[str], given: Given) -> dict[str, int]:
    """Return the label of each sub-folder."""
    classes = given.params.classes or tuple(folders)
    for name in folders:
        if name not in classes:
            hint = did_you_mean(name, list(classes)) or "add it, or remove the folder"
            message = f"the folder `{name}` is not a class in `classes`"
            raise given.error("dataset-class", message, key="classes", help=hint)
    return {name: number for number, name in enumerate(classes)}
