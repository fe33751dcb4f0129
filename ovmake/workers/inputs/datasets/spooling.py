"""spool: run a user's loader, and write its samples to files, one by one.

params      SpoolParams
inputs      loader: the .py file
outputs     folder: a file of raw values per input, one of labels, and index.json:
            {"arrays": {"image": {"file", "dtype", "shape": [samples, ...]}}, "labels": {…} or [...] or null,
             "fingerprints": {"samples": hex, "labels": hex}}, see yielded.py

The function is called without arguments. It yields (inputs, label), or inputs alone; inputs are a dict of arrays by
name, or one bare array, each without the batch dimension. Every sample is copied at once: a loader may reuse the same
array.

A loader may be endless. With a `limit`, it is stopped after MORE times as many samples. Without one, it fails when the
disk is nearly full, or after MOST samples. The number of samples so far is written to the note and the log.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np

from ovmake.contracts.params.helping import SpoolParams
from ovmake.errors import ActionError, kind_and_message_of, message_of
from ovmake.workers.inputs.datasets.columns import ROOM
from ovmake.workers.inputs.datasets.yielded import FINGERPRINT_BYTES, YIELD_ONE
from ovmake.workers.inputs.preparing import Array
from ovmake.workers.ipc.progress import counted
from ovmake.workers.ipc.protocol import Request
from ovmake.workers.ipc.user_code import noted, say

PAIR = 2
TRACEBACK_LINES = 6
# With a limit, samples are chosen from so many times as many: enough to shuffle, and an endless loader ends.
MORE = 10
# The most samples without a limit. ImageNet has 1.3 million.
MOST = 2_000_000
SAY_SECONDS, PRINT_SECONDS = 1.0, 10.0
LIMIT = "if it is endless, set `limit = 5000` in the dataset's table: it takes so many samples by a seeded shuffle"

# What samples have in common: type and shape of an array.
Form = tuple[np.dtype[np.generic], tuple[int, ...]]


@dataclass(slots=True, kw_only=True)
class Spool:
    """The files that are being written. `called` is the loader's name; `room_bytes` is the most they may use."""

    folder: Path
    called: str
    room_bytes: int
    count: int = 0
    written_bytes: int = 0
    files: dict[str, IO[bytes]] = field(default_factory=dict)
    forms: dict[str, Form] = field(default_factory=dict)
    labels: list[object] = field(default_factory=list)
    fingerprints: dict[str, bytearray] = field(default_factory=lambda: {"samples": bytearray(), "labels": bytearray()})
    noted: float = 0.0
    printed: float = field(default_factory=time.monotonic)

    def add(self, item: object) -> None:
        """Write one sample.

        Raises:
            ActionError: it is not a sample, or differs in form from the first; or there is no room for it.
        """
        inputs, label = item if isinstance(item, tuple) and len(item) == PAIR else (item, None)
        arrays = _arrays(inputs, self.count)
        if self.count == 0:
            self.forms = {name: (array.dtype, array.shape) for name, array in arrays.items()}
            paths = [self.folder / f"{place}.bin" for place in range(len(arrays))]
            self.files = {name: path.open("wb") for name, path in zip(arrays, paths, strict=True)}
        self._check(arrays, labelled=label is not None)
        fingerprint = hashlib.blake2b(digest_size=FINGERPRINT_BYTES)
        for name, array in arrays.items():
            whole = np.ascontiguousarray(array)
            self.files[name].write(whole.data)
            fingerprint.update(whole.data)
            self.written_bytes += whole.nbytes
        if label is not None:
            kept, text = _label(label, self.count)
            self.labels.append(kept)
            digest = hashlib.blake2b(text, digest_size=FINGERPRINT_BYTES)
            self.fingerprints["labels"] += digest.digest()
        self.fingerprints["samples"] += fingerprint.digest()
        self.count += 1

    def _check(self, arrays: Mapping[str, Array], *, labelled: bool) -> None:
        found = {name: (array.dtype, array.shape) for name, array in arrays.items()}
        if found != self.forms:
            message = f"sample {self.count} of the loader is {_words(found)}, the first one is {_words(self.forms)}"
            raise ActionError("dataset-shape", message, help=YIELD_ONE if _is_rest(found, self.forms) else "")
        if self.count and labelled != bool(self.labels):
            message = f"sample {self.count} of the loader has {'a' if labelled else 'no'} label, unlike earlier samples"
            raise ActionError("dataset-length", message)
        if self.written_bytes > self.room_bytes:
            gigabytes = self.written_bytes / 1e9
            raise self.endless(f"{self.count:,} samples so far, {gigabytes:.1f} GB, and the disk is nearly full")

    def tell(self, note: str) -> None:
        """Report the number of samples so far from time to time: the total is unknown."""
        now = time.monotonic()
        if now - self.noted >= SAY_SECONDS:
            self.noted = now
            say(note, self.called, samples=self.count)
        if now - self.printed >= PRINT_SECONDS:
            self.printed = now
            sys.stdout.write(f"{self.called}: {self.count:,} samples so far\n")
            sys.stdout.flush()

    def endless(self, what: str) -> ActionError:
        """Return the error for a loader that does not end after `what`."""
        message = f"`{self.called}` has yielded {what}, and has not ended"
        return ActionError("loader-endless", message, help=LIMIT)

    def close(self) -> None:
        """Close the files."""
        for file in self.files.values():
            file.close()

    def write_index(self) -> None:
        """Write index.json."""
        arrays = {
            name: {"file": f"{place}.bin", "dtype": dtype.str, "shape": [self.count, *shape]}
            for place, (name, (dtype, shape)) in enumerate(self.forms.items())
        }
        fingerprints = {what: each.hex() for what, each in self.fingerprints.items()}
        index = {"arrays": arrays, "labels": self._labels(), "fingerprints": fingerprints}
        (self.folder / "index.json").write_text(json.dumps(index, default=_plain))

    def _labels(self) -> object:
        """Write labels of one shape to a file and return its entry; else return the labels, None without labels."""
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
        ActionError: it fails, yields something other than samples, or is endless. Notes have the end of the traceback.
    """
    asked = request.asked(SpoolParams)
    path, name, note = Path(request.inputs["loader"]), asked.function, asked.note
    folder = Path(request.outputs["folder"])
    called = f"{path.name}:{name}"
    spooled = Spool(folder=folder, called=called, room_bytes=int(shutil.disk_usage(folder).free * ROOM))
    most = None if asked.limit is None else asked.limit * MORE
    try:
        with noted(note, called):
            for item in counted(_items(_function(path, name), called), of=None, unit="samples loaded"):
                spooled.add(item)
                spooled.tell(note)
                if spooled.count == most:
                    break
                if most is None and spooled.count >= MOST:
                    raise spooled.endless(f"{spooled.count:,} samples so far")
            spooled.write_index()
    except ActionError:
        raise
    except BaseException as error:  # also SystemExit and KeyboardInterrupt: the user's code failed
        where = f" after {spooled.count} sample{'' if spooled.count == 1 else 's'}" if spooled.count else ""
        message = f"`{called}` failed{where}: {kind_and_message_of(error)}"
        hint = "a loader may only read files that the Ovfile names: add it to the dataset's `files`"
        denied = isinstance(error, PermissionError)
        raise ActionError("loader-failed", message, notes=_end_of(error), help=hint if denied else "") from error
    finally:
        spooled.close()
    return {"samples": spooled.count}


def _function(path: Path, name: str) -> Callable[[], object]:
    """Return the function of a file. It can import the modules beside it, as a script can."""
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ActionError("loader-failed", f"`{path.name}` is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # the user's dataclasses and pickles look it up
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
        message = f"`{called}` returned {type(items).__name__}, which does not yield samples"
        raise ActionError("loader-failed", message)
    return items


def _arrays(inputs: object, number: int) -> dict[str, Array]:
    named = inputs if isinstance(inputs, Mapping) else {"": inputs}
    if not named:
        hint = "yield (inputs, label) or inputs; inputs are an array, or a dict of arrays by input"
        raise ActionError("dataset-array", f"sample {number} of the loader is an empty dict", help=hint)
    arrays = {str(name): _array(value) for name, value in named.items()}
    for name, array in arrays.items():
        if array.dtype.kind not in "biuf":
            what = f"`{name}` of sample {number}" if name else f"sample {number}"
            message = f"{what} of the loader is {_type_of(named, name)}, which is not an array of numbers"
            hint = "yield (inputs, label) or inputs; inputs are an array, or a dict of arrays by input"
            raise ActionError("dataset-type", message, help=hint)
    return arrays


def _label(label: object, number: int) -> tuple[object, bytes]:
    """Return a copy of a label as plain values or an array of numbers, and bytes that identify it.

    Raises:
        ActionError: it is neither numbers nor valid JSON.
    """
    array = _array(label)
    if array.dtype.kind in "biuf":
        return np.array(array)[()], f"{array.dtype.kind} {array.shape}".encode() + array.tobytes()
    try:
        text = json.dumps(label, default=_plain)
    except (TypeError, ValueError) as error:  # a number of 5,000 digits, or a user's object
        message = f"the label of sample {number} of the loader, {type(label).__name__}, cannot be stored"
        hint = "yield numbers, strings, arrays, or lists and dicts of them"
        raise ActionError("label-type", message, notes=(message_of(error),), help=hint) from error
    return json.loads(text), text.encode()


def _is_rest(found: Mapping[str, Form], first: Mapping[str, Form]) -> bool:
    """Whether a sample differs from the first only in its first dimension: the last batch of a loader of batches."""
    return found.keys() == first.keys() and all(
        dtype == first[name][0] and len(shape) > 1 and shape[1:] == first[name][1][1:]
        for name, (dtype, shape) in found.items()
    )


def _array(value: object) -> Array:
    """Return the value as an array; an array of objects, which is never a sample, for (image, 1, "extra")."""
    try:
        return np.asarray(value)
    except ValueError:
        return np.array(None)


def _type_of(named: Mapping[object, object], name: str) -> str:
    return next((type(value).__name__ for key, value in named.items() if str(key) == name), "nothing")


def _words(forms: Mapping[str, Form]) -> str:
    return ", ".join(f"{f'`{name}` ' if name else ''}{dtype} {list(shape)}" for name, (dtype, shape) in forms.items())


def _plain(value: object) -> object:
    """Return plain JSON values of numpy values, and of anything convertible to an array, such as a tensor."""
    return np.asarray(value).tolist()


def _end_of(error: BaseException) -> tuple[str, ...]:
    """Return the last lines of a traceback, beginning with the user's code."""
    own = str(Path(__file__).parents[2])
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(own)]
    frames = [frame for frame in frames if not frame.filename.startswith("<frozen")]
    return tuple(f"{Path(f.filename).name}:{f.lineno}, in {f.name}: {f.line}" for f in frames[-TRACEBACK_LINES:])
