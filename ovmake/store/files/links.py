"""What the links in a folder lead to: files that belong to it, and lie elsewhere."""

from __future__ import annotations

import os


def linked(folder: str) -> list[str]:
    """Return what the links in a folder and in those below it lead to: absolute paths, without any link in them.

    What is below a folder that a link leads to is reached through that, and not listed.
    """
    return [
        os.path.realpath(link)
        for top, folders, files in os.walk(folder)
        for name in (*folders, *files)
        if os.path.islink(link := f"{top}/{name}")  # noqa: PTH114
    ]
