"""A suggestion for a path that does not exist.

    nearby(root, path, inside) -> str       "did you mean `models/digits`?", "" if no path is similar

It searches the repo only, and at most as many entries as take well under a second.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator

from ovmake.diagnostics import did_you_mean

# How many entries of a folder are compared, and how many entries the search for the same name elsewhere visits.
MOST_COMPARED = 1_000
MOST_PASSED = 5_000
DEEPEST = 4
# TOML reads "models\new" in double quotes with a line break in it. Each escape -> the letter that was meant.
ESCAPES = {"\b": "/b", "\t": "/t", "\n": "/n", "\f": "/f", "\r": "/r", "\x1b": "/e"}


def nearby(root: str, path: str, inside: Callable[[str], bool]) -> str:
    """Return a suggestion for a path that is relative to `root` and does not exist.

    `inside` says whether a path stays in the repo, links followed; only such folders are listed.
    """
    if path.startswith("/"):
        return ""
    slashes = "".join(ESCAPES.get(sign, sign) for sign in path).replace("\\", "/")
    if slashes != path and inside(slashes) and os.path.exists(os.path.join(root, slashes)):  # noqa: PTH110, PTH118
        return f"did you mean `{slashes}`? Folders are separated by `/`, not by a backslash"
    return _unpulled(root, path, inside) or _misspelt(root, path, inside) or _elsewhere(root, path, inside)


def _unpulled(root: str, path: str, inside: Callable[[str], bool]) -> str:
    """Return the command that fetches a path, if the path or a parent of it is tracked by DVC and not pulled."""
    parts = path.rstrip("/").split("/")
    for count in range(len(parts), 0, -1):
        noted = f"{'/'.join(parts[:count])}.dvc"
        if inside(noted) and os.path.isfile(os.path.join(root, noted)):  # noqa: PTH113, PTH118
            return f"`dvc pull {shlex.quote(noted)}` fetches it"
    return ""


def _misspelt(root: str, path: str, inside: Callable[[str], bool]) -> str:
    """Compare the first missing part of the path with the names in its folder."""
    parts = [part for part in path.split("/") if part not in {"", "."}]
    for count, part in enumerate(parts):
        here = "/".join(parts[:count])
        if not inside(here or "."):
            return ""
        names = _names(os.path.join(root, here))  # noqa: PTH118
        if part == ".." or part in names:
            continue
        meant = did_you_mean(part, names[:MOST_COMPARED]) or _other_suffix(part, names)
        if not meant:
            return ""
        near = "/".join(filter(None, (here, meant.split("`")[1], *parts[count + 1 :])))
        return f"did you mean `{near}`?" if os.path.exists(os.path.join(root, near)) else ""  # noqa: PTH110, PTH118
    return ""


def _other_suffix(name: str, names: list[str]) -> str:
    """Suggest the one file with the same name and a different suffix: `digits.keras` for `digits.h5`."""
    stem = os.path.splitext(name)[0]  # noqa: PTH122
    near = [one for one in names if os.path.splitext(one)[0] == stem]  # noqa: PTH122
    return f"did you mean `{near[0]}`?" if len(near) == 1 else ""


def _elsewhere(root: str, path: str, inside: Callable[[str], bool]) -> str:
    """Suggest the one file with the same name in a different folder; with several matches nothing is suggested."""
    name = path.rstrip("/").rpartition("/")[2]
    found = [one for one in _entries(root, inside) if one.rpartition("/")[2] == name]
    return f"did you mean `{found[0]}`?" if name and len(found) == 1 else ""


def _entries(root: str, inside: Callable[[str], bool]) -> Iterator[str]:
    """Yield paths of the repo, relative to `root`, the shallowest first; hidden folders are skipped."""
    level, passed = [""], 0
    for _ in range(DEEPEST):
        below = []
        for folder in level:
            for name in _names(os.path.join(root, folder)):  # noqa: PTH118
                passed += 1
                if passed > MOST_PASSED:
                    return
                path = f"{folder}/{name}" if folder else name
                yield path
                whole = os.path.join(root, path)  # noqa: PTH118
                if not name.startswith(".") and os.path.isdir(whole) and not os.path.islink(whole) and inside(path):  # noqa: PTH112, PTH114
                    below.append(path)
        level = below


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208
    except OSError:
        return []
