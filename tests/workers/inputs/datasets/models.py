"""Interfaces to read samples for, and requests that name a dataset."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from ovmake.contracts.codec import decode
from ovmake.contracts.files.interface import Interface, Tensor
from ovmake.contracts.forms import form_of
from ovmake.contracts.params.data import DatasetParams, SampleParams
from ovmake.workers.inputs.preparing import Array
from ovmake.workers.inputs.samples import Samples, take
from ovmake.workers.ipc.protocol import Request


def interface(*inputs: Tensor, classes: int = 0) -> Interface:
    """Return a model with these inputs, and an output of scores if there are `classes`."""
    outputs = (Tensor(name="scores", shape=(-1, classes), type="f32"),) if classes else ()
    return Interface(inputs=inputs, outputs=outputs)


def tensor(name: str, *shape: int, kind: str = "f32") -> Tensor:
    return Tensor(name=name, shape=shape, type=kind)


IMAGES = interface(tensor("image", -1, 4, 4, 3))


def params_of(path: Path, **keys: object) -> DatasetParams:
    """Return the params of a dataset; `keys` are those of its table, with `__` for the dot between words."""
    nested: dict[str, object] = {"form": "loader" if "loader" in keys else form_of(str(path))}
    for name, value in keys.items():
        key, _, inner = name.partition("__")
        group = nested.setdefault(key, {}) if inner else nested
        assert isinstance(group, dict)
        group[inner or key] = value
    return decode(DatasetParams, nested, "dataset")


def request(path: Path, *files: Path) -> Request:
    """Return a request for a dataset."""
    others = {f"dataset.files.{place}": str(file) for place, file in enumerate(files)}
    return Request(id=1, kind="reference", inputs={"dataset": str(path), **others})


def samples(known: Interface, path: Path, *files: Path, **params: object) -> Samples:
    return take(request(path, *files), known, SampleParams(dataset=params_of(path, **params)))


def values(read: Samples, name: str) -> Array:
    """Return all samples of one input."""
    return np.concatenate([feed.inputs[name][: feed.count] for feed in read.feeds()])


def labels(read: Samples) -> list[object]:
    found: list[object] = []
    for feed in read.feeds():
        assert feed.labels is not None
        found += list(feed.labels.tolist())
    return found


def paint(path: Path, color: tuple[int, int, int] | int, size: tuple[int, int] = (4, 4)) -> Path:
    """Write an image of one colour; `size` is (height, width)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L" if isinstance(color, int) else "RGB", (size[1], size[0]), color).save(path)
    return path
