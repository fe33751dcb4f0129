"""The state folder `.ovmake` of a repo: its lock, its `.gitignore`, and the refusal of one that git tracks.

refuse_tracked(where)
with hold_state(disk.ours, wait=..., tell=...):
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable, Iterator

from ovmake.diagnostics import Diagnostic, OvmakeError
from ovmake.names import STATE
from ovmake.project.repo import Where
from ovmake.store.files.own_folders import OwnFolders
from ovmake.store.files.tracked import tracked
from ovmake.store.lock import hold

IGNORED = f"{STATE}/.gitignore"


def refuse_tracked(where: Where) -> None:
    """Refuse a repo whose `.ovmake` git tracks: it came with the repo, and the next push would publish it.

    Raises:
        OvmakeError: git tracks a file of it.
    """
    below = where.root.relative_to(where.repo) / STATE
    if found := tracked(where.repo, f"{below}/"):
        message = f"git tracks `{found}`: `{STATE}` is the state of one user on one machine, and must not be shared"
        hint = f"remove it from git: `git rm -r --cached {below}`, and commit"
        raise OvmakeError(Diagnostic(code="tracked-state", message=message, help=hint), exit_status=1)


@contextlib.contextmanager
def hold_state(ours: OwnFolders, *, wait: bool, tell: Callable[[str], None]) -> Iterator[None]:
    """Create the state folder and hold the lock; create it again if `clean --all` removed it while we waited."""
    _make_state_folder(ours)
    with hold(ours, STATE, wait=wait, waiting=tell):
        _make_state_folder(ours)
        yield


def _make_state_folder(ours: OwnFolders) -> None:
    """Create `.ovmake/` with a `.gitignore`, or complete one that a killed run began.

    An existing folder may have come with a cloned repo: it is checked before any file in it is opened.
    """
    ours.check(STATE)
    ignored = ours.stat(IGNORED)
    if ignored is None or not ignored.st_size:
        try:
            ours.replace(IGNORED, b"*\n")
        except OSError as error:
            message = f"cannot make {ours.root}/{STATE}: {error.strerror}"
            hint = "free space on that disk" if error.errno in {errno.ENOSPC, errno.EDQUOT} else ""
            raise OvmakeError(Diagnostic(code="cannot-write", message=message, help=hint), exit_status=1) from None
