"""Both sides of an unfinished merge, from git's index.

    sides_in_index(root, name) -> tuple[str, ...]     empty without git or without a conflict

Conflict markers do not contain both sides whole. If only one side changed a line of a block, git uses that line for
both, and the file lacks the other side's block. The index has it until `git add`.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from ovmake.diagnostics import OvmakeError
from ovmake.lockfile.text import decode

OURS, THEIRS = 2, 3
# A repo's own settings may name programs that git runs when it reads the index.
HARMLESS = ("-c", "core.fsmonitor=false")
SECONDS = 60


def sides_in_index(root: Path, name: str) -> tuple[str, ...]:
    """Return the texts of both sides of the lock; a side that deleted it, or whose lock is not text, is left out."""
    return tuple(text for stage in (OURS, THEIRS) if (text := _stage(root, name, stage)) is not None)


def _stage(root: Path, name: str, stage: int) -> str | None:
    # `./` is relative to the folder that git runs in, which may be below the repo's root.
    command = ["git", *HARMLESS, "-C", str(root), "cat-file", "blob", f":{stage}:./{name}"]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=SECONDS)  # noqa: S603
        return decode(done.stdout, file=name) if done.returncode == 0 else None
    except (OSError, subprocess.TimeoutExpired, OvmakeError):
        return None
