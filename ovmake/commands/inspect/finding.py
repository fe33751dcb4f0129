"""Find models and datasets below folders, and name the models for an Ovfile.

    for found in find([Path(".")]): found.path, found.recognised
    names = name_all([found.path for found in ...])
    paths = find_data([Path(".")], models)

The content decides what a file is. But only files with a suffix of models are opened, because there may be many files.
Folders without sources are skipped: hidden ones, build/, environments, node_modules/.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ovmake.contracts.forms import form_of
from ovmake.sources.recognise import Recognised, recognise

SUFFIXES = (".pb", ".keras", ".h5", ".hdf5", ".tflite", ".meta")
_SKIPPED = {"build", "node_modules", "__pycache__", "site-packages"}
# Names that exporters give to every model: the folder's name says more.
_SAYS_NOTHING = re.compile(r"\d+|model|saved_?model|frozen_?(inference_)?graph|export(ed)?|keras|tf|weights|best|final")
_RESERVED = {"report"}
DATA_SUFFIXES = (".npz", ".csv")
IMAGES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
# The most files and folders that may be datasets: with more, no choice is likely to be right.
MOST_DATA = 40
_LONGEST = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A file or folder that is a model, or looks like one by its name."""

    path: Path
    recognised: Recognised


def find(paths: Sequence[Path]) -> list[Found]:
    """Return the models at these paths: each path is a model, or a folder to search.

    Raises:
        OSError: a path does not exist, or cannot be read.
    """
    found: dict[Path, Found] = {}
    for path in paths:
        recognised = recognise(path)
        if path.is_dir() and not recognised.kind:
            for inside in sorted(_walk(path), key=lambda found: found.path):
                found.setdefault(inside.path, inside)
        else:
            found.setdefault(path, Found(path=path, recognised=recognised))
    return list(found.values())


def _walk(folder: Path) -> Iterator[Found]:
    for here, folders, files in os.walk(folder):
        place = Path(here)
        folders[:] = sorted(name for name in folders if not _skipped(place / name))
        for name in list(folders):
            recognised = recognise(place / name)
            if recognised.kind:
                folders.remove(name)
                yield Found(path=place / name, recognised=recognised)
        for name in sorted(files):
            if name.endswith(SUFFIXES) and not name.startswith("."):
                yield Found(path=place / name, recognised=recognise(place / name))


def _skipped(folder: Path) -> bool:
    return folder.name.startswith(".") or folder.name in _SKIPPED or (folder / "pyvenv.cfg").exists()


def find_data(places: Sequence[Path], models: Sequence[Path]) -> list[Path]:
    """Return possible datasets below folders: files by their names, and folders of images. Models are not searched."""
    within = {path.absolute() for path in models}
    found: dict[Path, None] = {}
    for place in places:
        for here, folders, files in os.walk(place):
            folder = Path(here)
            folders[:] = sorted(
                name for name in folders if not _skipped(folder / name) and (folder / name).absolute() not in within
            )
            names = sorted(name for name in files if not name.startswith("."))
            found |= {
                folder / name: None for name in names if name.endswith(DATA_SUFFIXES) or form_of(name) == "tfrecord"
            }
            classes = [name for name in folders if _has_images(folder / name)]
            if any(name.lower().endswith(IMAGES) for name in names):
                found[folder] = None
            elif len(classes) > 1:
                found[folder] = None
                folders[:] = [name for name in folders if name not in classes]
            if len(found) > MOST_DATA:
                return list(found)[:MOST_DATA]
    return list(found)


def _has_images(folder: Path) -> bool:
    try:
        with os.scandir(folder) as entries:
            return any(entry.name.lower().endswith(IMAGES) for entry in entries)
    except OSError:
        return False


def name_all(paths: Sequence[Path]) -> list[str]:
    """Return a name for each path: valid in an Ovfile, and unique."""
    taken = set(_RESERVED)
    names = []
    for path in paths:
        parent = _legal(path.absolute().parent.name)
        own = _own(path)
        kind = path.suffix.lstrip(".") or "saved-model"
        candidates = [own, f"{own}-{_legal(kind)}", f"{parent}-{own}", f"{parent}-{own}-{_legal(kind)}"]
        numbered = (f"{own}-{turn}" for turn in range(2, len(paths) + len(taken) + 3))
        name = next(name for name in (*candidates, *numbered) if name not in taken)
        taken.add(name)
        names.append(name)
    return names


def _own(path: Path) -> str:
    """Return a model's own name: the last part of its path that is not a generic name."""
    path = path.absolute()
    stem = path.name if path.is_dir() else path.name.removesuffix(path.suffix)
    for name in (stem, *(parent.name for parent in list(path.parents)[:2])):
        if name and not _SAYS_NOTHING.fullmatch(name.lower()):
            return _legal(name)
    return _legal(stem)


def _legal(name: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-_")
    return plain[:_LONGEST] or "model"
