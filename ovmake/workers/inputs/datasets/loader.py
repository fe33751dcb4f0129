"""A dataset that a function of the user yields: `loader = "data.py:val"`.

The function runs in a process of its own (`loader_worker.py`): it may import TensorFlow, which must not share a process
with OpenVINO. Its samples are written to files, which are mapped here and deleted when this process closes them. So the
function runs once per action, and samples can be read by number, as in any other dataset.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import numpy as np

from ovmake.contracts.codec import encode_object
from ovmake.contracts.files.interface import Tensor
from ovmake.contracts.params.helping import SpoolParams
from ovmake.errors import ActionError
from ovmake.workers.inputs.datasets.columns import Column, Given, side_by_side, stacked_labels
from ovmake.workers.inputs.datasets.yielded import Yielded
from ovmake.workers.inputs.preparing import Array
from ovmake.workers.ipc.helper_worker import HelperWorker
from ovmake.workers.ipc.protocol import Request
from ovmake.workers.ipc.user_code import note_of


class _Spooled(TypedDict):
    """An array of `index.json`: the file that holds its numbers, and how to read them (`spooling.py`)."""

    file: str
    dtype: str
    shape: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The samples of a loader. `lists` are labels that do not fit an array, `yielded` the fingerprints of this pass."""

    given: Given
    arrays: Mapping[str, Array]
    numbers: Array | None
    lists: tuple[object, ...] | None
    yielded: Yielded
    what: str = "array"

    @property
    def names(self) -> list[str]:
        """The keys of its dicts; "" if it yields bare arrays."""
        return list(self.arrays)

    def inputs(self, names: tuple[str, ...], tensor: Tensor) -> Column:  # noqa: ARG002 - arrays are as they are
        """Return the arrays under a key; or the numbers under several keys, concatenated."""
        return side_by_side([Column.of(self.arrays[name], _label(name)) for name in names], self.what)

    def labels(self, name: str) -> Column | None:
        """Return the labels that it yielded with the inputs."""
        if name:
            message = "a loader yields its labels: (inputs, label)"
            raise self.given.error("dataset-array", message, key="labels", help="remove `labels`")
        if self.numbers is not None:
            return Column.of(self.numbers, "labels")
        if self.lists is None:
            return None
        lists = self.lists

        def rows(numbers: Array) -> Array:
            return stacked_labels([lists[number] for number in numbers.tolist()])

        return Column(label="labels", count=len(lists), dtype=np.dtype(object), shape=(-1,), rows=rows)


def _label(name: str) -> str:
    return f"array `{name}`" if name else "the loader's arrays"


def run_loader(given: Given) -> Loaded:
    """Run the loader to its end.

    Raises:
        ActionError: it fails, its process ends, or it yields something other than samples.
    """
    with tempfile.TemporaryDirectory(dir=given.scratch, prefix="loader-") as folder:
        called = called_of(given)
        asked = Request(
            id=1,
            kind="spool",
            params=encode_object(
                SpoolParams(function=given.params.loader, limit=given.params.limit, note=note_of(given.scratch))
            ),
            inputs={"loader": given.path},
            outputs={"folder": folder},
            log=given.log,
            scratch=given.scratch or "",
        )
        # A fresh process each time: the modules that the user's code imports may have been edited since.
        process = HelperWorker("loader", who=f"the process of `{called}`")
        response = process.ask(asked)
        process.end()
        if response is None:
            message = process.death or f"the process of `{called}` could not be started"
            hint = "let it raise an exception if something is wrong: ovmake reports exceptions with their line"
            raise given.error("loader-failed", message, help=hint)
        if not response.ok:
            raise ActionError(
                response.code, response.message, notes=response.notes, help=response.help, setting=given.role
            )
        return _opened(Path(folder), given)


def called_of(given: Given) -> str:
    """Return a loader's name for messages: `data.py:val`."""
    return f"{Path(given.path).name}:{given.params.loader}"


def _opened(folder: Path, given: Given) -> Loaded:
    """Map the files. The folder is removed afterwards; the files exist as long as they are mapped."""
    index = json.loads((folder / "index.json").read_bytes())
    if not index["arrays"]:
        raise given.error("dataset-empty", f"`{called_of(given)}` yielded no samples")
    arrays = {name: _mapped(folder, entry) for name, entry in index["arrays"].items()}
    labels: _Spooled | list[object] | None = index["labels"]
    return Loaded(
        given=given,
        arrays=arrays,
        numbers=_mapped(folder, labels) if isinstance(labels, dict) else None,
        lists=tuple(labels) if isinstance(labels, list) else None,
        yielded=Yielded(called=called_of(given), **index["fingerprints"]),
    )


def _mapped(folder: Path, entry: _Spooled) -> Array:
    shape, dtype = tuple(entry["shape"]), np.dtype(entry["dtype"])
    if 0 in shape:
        return np.zeros(shape, dtype)
    return np.memmap(folder / entry["file"], dtype=dtype, mode="r", shape=shape)
