"""`ovmake clean`: remove what ovmake published, and nothing that somebody else put there."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterable
from pathlib import Path

from ovmake.store.disk import RealDisk, by_folder
from ovmake.store.lock import LOCK

REPORT_FILES = ("index.html", "report.json")


def remove_outputs(disk: RealDisk, build_dir: str, places: Iterable[str]) -> int:
    """Remove published files, and folders that are empty then; return how many files."""
    published = list(places)
    disk.clear_up(by_folder(published))
    files = [Path(disk.absolute(place)) for place in published]
    files += [Path(disk.absolute(f"{build_dir}/report/{name}")) for name in REPORT_FILES]
    removed = 0
    for file in files:
        if file.is_file():
            file.unlink()
            removed += 1
    top = Path(disk.absolute(build_dir))
    folders = {folder for file in files for folder in file.parents if folder == top or top in folder.parents}
    for folder in sorted(folders, key=lambda folder: -len(folder.parts)):
        with contextlib.suppress(OSError):  # not empty, or not there
            folder.rmdir()
    return removed


def remove_state(state: Path) -> None:
    """Remove `.ovmake/`, by whoever holds its lock.

    The lock goes last. Once it is gone the next one may be at work, with a lock of its own and in a folder that stays.
    """
    for entry in state.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        elif entry.name != LOCK:
            with contextlib.suppress(OSError):
                entry.unlink()
    with contextlib.suppress(OSError):
        (state / LOCK).unlink()
        state.rmdir()
