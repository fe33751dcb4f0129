"""Targets of the links in a source folder: files that belong to it and lie outside of it."""

from __future__ import annotations

import os


def linked(folder: str) -> list[str]:
    """Return the targets of all links below a folder: absolute paths, all links resolved.

    If a link leads to a folder, that folder is listed, and the files below it are not.
    """
    return [
        os.path.realpath(link)
        for top, folders, files in os.walk(folder)
        for name in (*folders, *files)
        if os.path.islink(link := f"{top}/{name}")  # noqa: PTH114
    ]
