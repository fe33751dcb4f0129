"""`ovmake clean`: remove the files that ovmake published, and only those."""

from __future__ import annotations

import stat as stat_module
from collections.abc import Iterable
from pathlib import PurePosixPath

from ovmake.store.files.disk import RealDisk, by_folder
from ovmake.store.files.own_folders import OwnFolders
from ovmake.store.lock import LOCK

REPORT_FILES = ("index.html", "report.json")


def remove_outputs(disk: RealDisk, build_dir: str, paths: Iterable[str]) -> int:
    """Remove published files, and the folders that become empty; return the number of files."""
    published = list(paths)
    disk.clear_up(by_folder(published))
    files = [*published, *(f"{build_dir}/report/{name}" for name in REPORT_FILES)]
    # All paths are checked before the first file is removed: a foreign entry on any of them ends the command.
    there = [file for file in files if _is_file(disk.ours, file)]
    for file in there:
        disk.remove(file)
    top = PurePosixPath(build_dir)
    folders = {folder for file in files for folder in PurePosixPath(file).parents if folder.is_relative_to(top)}
    for folder in sorted(folders, key=lambda folder: -len(folder.parts)):
        disk.ours.remove_if_empty(str(folder))
    return len(there)


def _is_file(ours: OwnFolders, path: str) -> bool:
    found = ours.stat(path)
    return found is not None and not stat_module.S_ISDIR(found.st_mode)


def remove_state(ours: OwnFolders, state: str) -> None:
    """Remove `.ovmake/`. The caller holds its lock.

    The lock file is removed last. After that a new ovmake may start, with a lock of its own, and the folder may stay.
    """
    for name in ours.names(state):
        if name != LOCK:
            ours.remove(f"{state}/{name}", as_far_as_possible=True)
    ours.remove(f"{state}/{LOCK}", as_far_as_possible=True)
    ours.remove_if_empty(state)
