"""spool: run a user's loader, and write what it yields to files, sample by sample.

params      function: "val"
inputs      loader: the .py file
outputs     folder: gets a file of raw values per input, one of labels, and index.json:
            {"arrays": {"image": {"file", "dtype", "shape": [samples, ...]}}, "labels": {…} or [...] or null}

The function is called without arguments. It yields (inputs, label), or inputs alone; inputs are a dict of arrays by
name, or one bare array, each without the batch's dimension.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np

from ovmake.workers.preparing import Array
from ovmake.workers.progress import counted
from ovmake.workers.protocol import ActionError, Request, message_of

PAIR = 2
TRACEBACK_LINES = 6


@dataclass(slots=True, kw_only=True)
class Spool:
    """Files that are being written."""

    folder: Path
    count: int = 0
    files: dict[str, IO[bytes]] = field(default_factory=dict)
    forms: dict[str, tuple[np.dtype[Any], tuple[int, ...]]] = field(default_factory=dict)
    labels: list[object] = field(default_factory=list)

    def add(self, item: object) -> None:
        """Write one sample.

        Raises:
            ActionError: it is no sample, or not like the first.
        """
        inputs, label = item if isinstance(item, tuple) and len(item) == PAIR else (item, None)
        arrays = _arrays(inputs, self.count)
        if self.count == 0:
            self.forms = {name: (array.dtype, array.shape) for name, array in arrays.items()}
            paths = [self.folder / f"{place}.bin" for place in range(len(arrays))]
            self.files = {name: path.open("wb") for name, path in zip(arrays, paths, strict=True)}
        self._check(arrays, labelled=label is not None)
        for name, array in arrays.items():
            self.files[name].write(np.ascontiguousarray(array).data)
        if label is not None:
            self.labels.append(label)
        self.count += 1

    def _check(self, arrays: Mapping[str, Array], *, labelled: bool) -> None:
        found = {name: (array.dtype, array.shape) for name, array in arrays.items()}
        if found != self.forms:
            message = f"sample {self.count} of the loader is {_words(found)}, the first {_words(self.forms)}"
            raise ActionError("dataset-shape", message)
        if self.count and labelled != bool(self.labels):
            message = f"sample {self.count} of the loader has {'a' if labelled else 'no'} label, unlike those before"
            raise ActionError("dataset-length", message)

    def close(self) -> None:
        """Write the index."""
        for file in self.files.values():
            file.close()
        arrays = {
            name: {"file": f"{place}.bin", "dtype": dtype.str, "shape": [self.count, *shape]}
            for place, (name, (dtype, shape)) in enumerate(self.forms.items())
        }
        index = {"arrays": arrays, "labels": self._labels()}
        (self.folder / "index.json").write_text(json.dumps(index, default=_plain))

    def _labels(self) -> object:
        """Write labels that are alike to a file; return how, or the labels, None if there are none."""
        if not self.labels:
            return None
        try:
            array = np.asarray(self.labels)
        except ValueError:  # of different shapes
            return self.labels
        if array.dtype.kind not in "biuf":
            return self.labels
        array.tofile(self.folder / "labels.bin")
        return {"file": "labels.bin", "dtype": array.dtype.str, "shape": list(array.shape)}


def spool(request: Request) -> dict[str, object]:
    """Run the loader; write the files.

    Raises:
        ActionError: it fails, or yields what is no sample. Notes hold the end of the traceback.
    """
    path, name = Path(request.inputs["loader"]), str(request.params["function"])
    spooled = Spool(folder=Path(request.outputs["folder"]))
    called = f"{path.name}:{name}"
    try:
        for item in counted(_items(_function(path, name), called), of=None, unit="samples loaded"):
            spooled.add(item)
    except ActionError:
        raise
    except (Exception, SystemExit) as error:
        where = f" after {spooled.count} samples" if spooled.count else ""
        message = f"`{called}` failed{where}: {type(error).__name__}: {message_of(error)}"
        hint = "a loader may read what the Ovfile names, and nothing else: name it in the dataset's `files`"
        denied = isinstance(error, PermissionError)
        raise ActionError("loader-failed", message, notes=_end_of(error), help=hint if denied else "") from error
    spooled.close()
    return {"samples": spooled.count}


def _function(path: Path, name: str) -> Callable[[], object]:
    """Return the function of a file. Modules beside it can be imported, as where it is run as a script."""
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ActionError("loader-failed", f"`{path.name}` is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # dataclasses and pickling of the user's look it up
    spec.loader.exec_module(module)
    function = getattr(module, name, None)
    if not callable(function):
        known = ", ".join(f"`{key}`" for key, value in vars(module).items() if callable(value) and key[0] != "_")
        message = f"`{path.name}` has no function `{name}`"
        raise ActionError("loader-failed", message, help=f"it has {known}" if known else "")
    return function  # type: ignore[no-any-return]


def _items(function: Callable[[], object], called: str) -> Iterable[object]:
    items = function()
    if not isinstance(items, Iterable) or isinstance(items, Mapping | str | bytes):
        message = f"`{called}` returned {type(items).__name__}, and not something that yields samples"
        raise ActionError("loader-failed", message)
    return items


def _arrays(inputs: object, number: int) -> dict[str, Array]:
    named = inputs if isinstance(inputs, Mapping) else {"": inputs}
    if not named:
        hint = "yield (inputs, label) or inputs; inputs are an array, or a dict of arrays by input"
        raise ActionError("dataset-array", f"sample {number} of the loader is a dict with no input in it", help=hint)
    arrays = {str(name): _array(value) for name, value in named.items()}
    for name, array in arrays.items():
        if array.dtype.kind not in "biuf":
            what = f"`{name}` of sample {number}" if name else f"sample {number}"
            message = f"{what} of the loader is {_type_of(named, name)}, and no array of numbers"
            hint = "yield (inputs, label) or inputs; inputs are an array, or a dict of arrays by input"
            raise ActionError("dataset-type", message, help=hint)
    return arrays


def _array(value: object) -> Array:
    """Return an array of objects, which no sample is, for what makes no array: (image, 1, "extra")."""
    try:
        return np.asarray(value)
    except ValueError:
        return np.array(None)


def _type_of(named: Mapping[Any, object], name: str) -> str:
    return next((type(value).__name__ for key, value in named.items() if str(key) == name), "nothing")


def _words(forms: Mapping[str, tuple[np.dtype[Any], tuple[int, ...]]]) -> str:
    return ", ".join(f"{f'`{name}` ' if name else ''}{dtype} {list(shape)}" for name, (dtype, shape) in forms.items())


def _plain(value: object) -> object:
    """Return what JSON can hold of numpy's, and of anything that becomes an array, such as a tensor."""
    return np.asarray(value).tolist()


def _end_of(error: BaseException) -> tuple[str, ...]:
    """Return the end of a traceback, from where the user's code begins."""
    own = str(Path(__file__).parent.parent)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(own)]
    frames = [frame for frame in frames if not frame.filename.startswith("<frozen")]
    return tuple(f"{Path(f.filename).name}:{f.lineno}, in {f.name}: {f.line}" for f in frames[-TRACEBACK_LINES:])
