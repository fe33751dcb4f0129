"""The stamp: what the last look at everything saw when nothing was stale. Checked before anything else is loaded.

    up_to_date(folder, key, asked) -> int | None     how many targets are fresh; None: look properly
    write(folder, key, ...)                          after a look that found every target fresh
    forget(folder)                                   before anything is changed

A no-op `ovmake build` spends its time on importing itself and reading its own state. The stamp lists every file that
the decision rested on (Ovfile, sources and the folders they are in, outputs, the folders of the store, ovmake's own
code, the folders packages are installed in, the CPU's flags) with size, mtime and inode. If none of them changed, the
decision would be the same.

Rule 1: a stamp says "fresh" or nothing. Every doubt, also an unreadable stamp, ends in the full look.
Rule 2: no entry may be racy: a file written within a clock tick of the look could change again unnoticed. `write` then
        writes no stamp.
Rule 3: only the standard library's lightest, no dataclass: this module and argparse are the whole cost of a no-op.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence

FORMAT = 1
PLACE = ".ovmake/stamp.json"
STATE = ".ovmake/state.db"
# The same as in store.sources: kernels stamp files with a clock that ticks every 1 to 10 ms.
RACY_NS = 50_000_000

State = list[int]


def up_to_date(folder: str, key: str, asked: Sequence[str]) -> int | None:
    """Return how many of the targets asked for there are, if all are known to be fresh; else None."""
    try:
        with open(os.path.join(folder, PLACE), "rb") as stored:  # noqa: PTH118, PTH123
            stamp = json.loads(stored.read())
        os.stat(os.path.join(folder, STATE))  # noqa: PTH116, PTH118 - without it, nothing is known of any target
        if stamp["format"] != FORMAT or stamp["key"] != key or stamp["surroundings"] != surroundings():
            return None
        for path, state in stamp["files"].items():
            if state_of(os.path.join(folder, path)) != state:  # noqa: PTH118
                return None
        return _count(stamp["targets"], asked)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _count(targets: list[str], asked: Sequence[str]) -> int | None:
    if not asked:
        return len(targets)
    words = [_words_for(target) for target in targets]
    if any(not any(word in known for known in words) for word in asked):
        return None
    return sum(any(word in known for word in asked) for known in words)


def _words_for(target: str) -> tuple[str, str, str]:
    """Return what a user may call a target, as `graph.query.words_for` does: `m@thumb:fp32`, `m@thumb`, `m`."""
    family = target.partition(":")[0]
    return target, family, family.partition("@")[0]


def write(folder: str, key: str, targets: Sequence[str], files: dict[str, State], looked_ns: int) -> bool:
    """Write the stamp of a look that began at `looked_ns` and saw `files`; return whether it could be.

    `files` are relative to `folder`.
    """
    newest = max((state[1] for state in files.values()), default=0)
    if newest + RACY_NS >= looked_ns:
        return False
    stamp = {
        "format": FORMAT,
        "key": key,
        "surroundings": surroundings(),
        "targets": list(targets),
        "files": files,
    }
    place = os.path.join(folder, PLACE)  # noqa: PTH118
    with open(place + ".tmp", "w") as scratch:  # noqa: PTH123
        json.dump(stamp, scratch)
    os.replace(place + ".tmp", place)  # noqa: PTH105
    return True


def forget(folder: str) -> None:
    """Remove the stamp."""
    try:
        os.unlink(os.path.join(folder, PLACE))  # noqa: PTH108, PTH118
    except FileNotFoundError:
        return


def state_of(path: str) -> State:
    """Return size, mtime and inode.

    Raises:
        OSError: there is nothing.
    """
    found = os.stat(path)  # noqa: PTH116
    # As in store.disk: tar, rsync and cp set mtime back; nothing but a change sets ctime, and then to now.
    return [found.st_size, max(found.st_mtime_ns, found.st_ctime_ns), found.st_ino]


def folders_of(root: str, path: str) -> list[str]:
    """Return a folder and all folders below it, relative to `root`: a file that appears in one changes its mtime."""
    top = os.path.join(root, path)  # noqa: PTH118
    if not os.path.isdir(top):  # noqa: PTH112
        return []
    found: list[str] = []
    _add_folders(top, path, found, frozenset())
    return found


def _add_folders(folder: str, name: str, found: list[str], above: frozenset[tuple[int, int]]) -> None:
    # As in store.disk: a link that leads back up is followed once and no further.
    here = os.stat(folder)  # noqa: PTH116
    identity = (here.st_dev, here.st_ino)
    if identity in above:
        return
    found.append(name)
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                _add_folders(entry.path, f"{name}/{entry.name}", found, above | {identity})


def after_a_tick() -> int:
    """Wait until no file written before this call is racy; return the time."""
    time.sleep(2 * RACY_NS / 1e9)
    return time.time_ns()


def surroundings() -> list[object]:
    """Return what decisions rest on outside of the repo: Python, ovmake's code, installed packages, the CPU."""
    package = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120
    code = [state_of(path) for path in _code(package)]
    installed = [[path, os.stat(path).st_mtime_ns] for path in sys.path if os.path.isdir(path)]  # noqa: PTH112, PTH116
    return [sys.version, package, code, installed, _cpu()]


def _code(package: str) -> list[str]:
    found = []
    with os.scandir(package) as entries:
        for entry in entries:
            if entry.name.endswith(".py"):
                found.append(entry.path)
            elif entry.is_dir() and entry.name != "__pycache__":
                found += _code(entry.path)
    return sorted(found)


def _cpu() -> str:
    """Return the first page of /proc/cpuinfo less the clock's reading: model and flags of the first core."""
    try:
        with open("/proc/cpuinfo", "rb") as file:  # noqa: PTH123
            lines = file.read(4096).partition(b"\n\n")[0].splitlines()
    except OSError:
        return ""
    return b"\n".join(line for line in lines if not line.startswith((b"cpu MHz", b"bogomips"))).decode(errors="replace")
