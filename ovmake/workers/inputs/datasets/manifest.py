"""A .csv with a header row: each column is numbers, names of classes, or paths of images or .npy files.

Paths are relative to the .csv. A file that it names must be under one of the dataset's `files`: these are inputs of
every action that reads the dataset, so editing an image makes exactly the dependent results stale.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ovmake.contracts.files.interface import Tensor
from ovmake.sources.archives import UNREADABLE
from ovmake.workers.inputs.datasets import decoding
from ovmake.workers.inputs.datasets.columns import (
    Column,
    Given,
    each_of,
    one_by_one,
    side_by_side,
    stacked,
    stacked_labels,
)
from ovmake.workers.inputs.datasets.decoding import decoded, opened
from ovmake.workers.inputs.datasets.images import column_of
from ovmake.workers.inputs.datasets.npz import load_npy
from ovmake.workers.inputs.datasets.pictures import SUFFIXES, Picture, refusal
from ovmake.workers.inputs.preparing import Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """An open .csv: its words by column, and the line of each row."""

    given: Given
    columns: dict[str, list[str]]
    lines: list[int]
    what: str = "column"

    @classmethod
    def open(cls, given: Given) -> Manifest:
        """Read the words.

        Raises:
            ActionError: it is not a .csv with a header, or a row has the wrong number of fields.
        """
        at = 0
        try:
            with open(given.path, newline="", encoding="utf-8-sig") as file:  # noqa: PTH123
                reader = csv.reader(file, strict=True)
                header, at = next(reader, []), reader.line_num
                rows = [(at := reader.line_num, row) for row in reader if row]
        except csv.Error as error:
            raise given.error("dataset-unreadable", f"cannot read the samples: after line {at}, {error}") from error
        except (OSError, ValueError) as error:
            raise given.unreadable(error) from error
        if not rows:
            what = "ends after the header" if header else "is empty"
            raise given.error("dataset-empty", f"the dataset has no samples: the .csv {what}")
        if len(set(header)) < len(header):
            raise given.error("dataset-unreadable", "two columns have the same name in the first line")
        for line, row in rows:
            if len(row) != len(header):
                message = f"line {line} has {len(row)} fields, the first line {len(header)}"
                raise given.error("dataset-unreadable", message)
        columns = {name: [row[place].strip() for _, row in rows] for place, name in enumerate(header)}
        return cls(given=given, columns=columns, lines=[line for line, _ in rows])

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return list(self.columns)

    def inputs(self, names: tuple[str, ...], tensor: Tensor) -> Column:
        """Return a column of numbers or files; or several columns of numbers, concatenated."""
        if len(names) == 1 and _numbers(self.columns[names[0]]) is None:
            return self._files(names[0], tensor)
        together = side_by_side([self._column_of_numbers(name) for name in names], self.what)
        # A single column has one number per sample, which an input may take as [] or as [1].
        return _as(together, (1,)) if together.shape == () and tensor.shape[1:] in {(1,), (-1,)} else together

    def _column_of_numbers(self, name: str) -> Column:
        numbers = _numbers(self.columns[name])
        if numbers is None:
            line, words = next(
                (line, words)
                for line, words in zip(self.lines, self.columns[name], strict=True)
                if _numbers([words]) is None
            )
            message = f"column `{name}` must contain numbers, and line {line} has `{words[:40]}`"
            raise self.given.error("dataset-type", message)
        return Column.of(numbers, f"column `{name}`")

    def labels(self, name: str) -> Column | None:
        """Return a column as labels: numbers, indexes in `classes`, or arrays from files.

        Raises:
            ActionError: the column holds none of these.
        """
        if not name:
            return None
        words, label = self.columns[name], f"column `{name}`"
        if classes := self.given.params.classes:
            return Column.of(self._places(name, words, classes), label)
        if (numbers := _numbers(words)) is not None:
            return Column.of(numbers, label)
        if not all(Path(word).suffix.lower() in {*SUFFIXES, ".npy"} for word in words):
            message = f"column `{name}` contains words, such as `{words[0][:40]}`, and labels must be numbers"
            hint = 'list the classes in order; a label is an index in that list: `classes = ["cat", "dog"]`'
            raise self.given.error("label-type", message, key="labels", help=hint)
        files = self._paths(name)

        def rows(chosen: Array) -> Array:
            return stacked_labels(each_of(lambda number: self._load(files[number]), chosen))

        return Column(label=label, count=len(files), dtype=np.dtype(object), shape=(-1,), rows=rows)

    def _places(self, name: str, words: Sequence[str], classes: tuple[str, ...]) -> Array:
        for line, word in zip(self.lines, words, strict=True):
            if word not in classes:
                message = f"line {line} has `{word[:40]}` in column `{name}`, which is not in `classes`"
                raise self.given.error("dataset-class", message, key="classes")
        return np.asarray([classes.index(word) for word in words], dtype=np.int64)

    def _files(self, name: str, tensor: Tensor) -> Column:
        files = self._paths(name)
        if not all(file.suffix.lower() == ".npy" for file in files):
            picture = Picture.of(tensor, self.given)
            return column_of(tuple(files), Path(self.given.path).parent, picture)
        label = f"column `{name}`"
        first = self._load(files[0])

        def rows(chosen: Array) -> Array:
            return stacked(each_of(lambda number: self._load(files[number]), chosen), label, self.given)

        return Column(
            label=label,
            count=len(files),
            dtype=first.dtype,
            shape=first.shape,
            rows=rows,
            look=one_by_one(lambda number: stacked([first, self._load(files[number])], label, self.given)),
        )

    def _load(self, file: Path) -> Array:
        try:
            if file.suffix.lower() == ".npy":
                return load_npy(file)
        except UNREADABLE as error:
            raise self.given.unreadable(error, file.name) from error
        try:
            with opened(file) as image, decoded(image):
                return np.asarray(image)
        except decoding.UNREADABLE as error:
            raise refusal(self.given, error, file.name) from error

    def _paths(self, name: str) -> list[Path]:
        """Return the files that a column names."""
        folder = os.path.dirname(self.given.path)  # noqa: PTH120
        found = []
        for line, word in zip(self.lines, self.columns[name], strict=True):
            if not word:
                raise self.given.error("dataset-unreadable", f"column `{name}` of line {line} is empty")
            path = os.path.normpath(os.path.join(folder, word))  # noqa: PTH118
            if not any(path == known or path.startswith(known + os.sep) for known in self.given.files):
                self._refuse(line, word, path)
            found.append(Path(path))
        return found

    def _refuse(self, line: int, word: str, path: str) -> None:
        shown = os.path.relpath(os.path.dirname(path), os.path.dirname(self.given.path))  # noqa: PTH120
        where = "beside the .csv" if shown == "." else f"in `{shown}` beside the .csv"
        message = f"line {line} names `{word[:80]}`, {where}, which is not among the dataset's `files`"
        hint = 'name its folder, relative to the Ovfile: `files = ["FOLDER"]`; a change in it then makes IRs stale'
        raise self.given.error("dataset-file", message, key="files", help=hint)


def _numbers(words: Sequence[str]) -> Array | None:
    """Return words as integers or floats, None if some are neither."""
    for kind in (int, float):
        try:
            return np.asarray([kind(word) for word in words], dtype=np.int64 if kind is int else np.float64)
        except (ValueError, OverflowError):
            continue
    return None


def _as(column: Column, shape: tuple[int, ...]) -> Column:
    def rows(chosen: Array) -> Array:
        return column.rows(chosen).reshape(len(chosen), *shape)

    return Column(label=column.label, count=column.count, dtype=column.dtype, shape=shape, rows=rows)
