"""Check of the build folder before a build.

check_build_folder(ours, folder, inside) -> Diagnostic | None
"""

from __future__ import annotations

import os
import stat as stat_module
from collections.abc import Callable

from ovmake.diagnostics import Diagnostic
from ovmake.store.files.handles import ForeignEntryError
from ovmake.store.files.own_folders import OwnFolders


def check_build_folder(
    ours: OwnFolders, folder: str, inside: Callable[[str], bool], *, follow: bool = False
) -> Diagnostic | None:
    """Return the problem with a build folder, None if it can be used. The folder need not exist yet.

    `inside` says whether a path stays in the repo, links followed; with `follow` links may lead anywhere.

    Raises:
        ForeignEntryError: the folder, or a parent, is a link that stays in the repo, or contains `..`.
    """
    parts = folder.split("/")
    for path in ("/".join(parts[:count]) for count in range(1, len(parts) + 1)):
        found = ours.stat(path)
        if found is None:
            return None
        link = stat_module.S_ISLNK(found.st_mode)
        if link and follow:
            found, link = os.stat(f"{ours.root}/{path}" if not path.startswith("/") else path), False  # noqa: PTH116
        if link and inside(path):
            raise ForeignEntryError(path, "is a link")
        if link:
            message = f"the build folder `{path}` is a link that leaves the repo"
            hint = "run ovmake with --allow-outside if you trust it"
            return Diagnostic(code="path-outside", message=message, help=hint)
        if not stat_module.S_ISDIR(found.st_mode):
            message = f"outputs cannot go to `{path}`: it is not a folder"
            hint = 'move it away, or name another folder at the top of the Ovfile: `build-dir = "FOLDER"`'
            return Diagnostic(code="build-dir", message=message, help=hint)
    return None
