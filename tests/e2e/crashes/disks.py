"""Disks that are small, full or read-only, for as long as a test takes.

with small_disk(folder, size="4m") as place: ...     a file system of its own, mounted at `folder`
with read_only(folder): ...                          nothing below can be written, not even by root
fill(place, leave=4096)                              write until so many bytes are free; return the file to delete
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


@contextlib.contextmanager
def small_disk(folder: Path, *, size: str) -> Iterator[Path]:
    """Mount a tmpfs; yield where to find it."""
    folder.mkdir()
    if not _done("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)):
        pytest.skip("this user may not mount; under `unshare -rm python -m pytest …` he may")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Make everything below a folder read-only: by its rights, and for root, who has none, by a mount on top of it."""
    if os.geteuid() != 0:
        folder.chmod(0o555)
        try:
            yield
        finally:
            folder.chmod(0o755)
        return
    if not _done("mount", "--bind", str(folder), str(folder)):
        pytest.skip("root may not mount here, and no other way of making a folder read-only stops him")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(folder)], check=True)
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(place: Path, *, leave: int) -> Path:
    """Leave so many bytes free."""
    filler = place / "filler"
    free = shutil.disk_usage(place).free
    with filler.open("wb") as file, contextlib.suppress(OSError):
        while (chunk := min(1 << 16, free - leave)) > 0:
            file.write(b"\1" * chunk)
            file.flush()
            free -= chunk
    return filler


def _done(*command: str) -> bool:
    return subprocess.run(command, check=False, capture_output=True).returncode == 0
