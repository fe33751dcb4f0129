"""A stranger's repo, and the user who clones it.

    stranger = Stranger(folder)              folder/repo is the clone, folder/home what is the user's own
    stranger.run("status", by=ROOT)          the installed program, as root or as an ordinary user
    stranger.home_is_untouched()             nothing of the user's was read into the repo, written, made or removed

An ordinary user has no capabilities: a user namespace of its own in which the number is 1000. That needs root here, and
what root's own files allow stays allowed, so that Python and the packages can be read.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

PROGRAM = (str(Path(sys.executable).parent / "ovmake"),)
SECRET = b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 the user's own\n"
ROOT, USER = "root", "user"
_UNPRIVILEGED = ("unshare", "--user", "--map-user=1000", "--map-group=1000")


def _can_be_both() -> bool:
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return False
    return subprocess.run([*_UNPRIVILEGED, "true"], check=False, capture_output=True).returncode == 0


# As whom a test can run the program: as root and as an ordinary user, or as whoever runs the tests.
EACH = (ROOT, USER) if _can_be_both() else (ROOT,) if os.geteuid() == 0 else (USER,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How a command ended."""

    status: int
    stdout: str
    stderr: str

    @property
    def said(self) -> str:
        """All that was printed."""
        return self.stdout + self.stderr


@dataclass(slots=True)
class Stranger:
    """A clone of a stranger's repo beside the home of the user."""

    folder: Path
    _before: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.repo.mkdir(parents=True)
        (self.home / ".ssh/more").mkdir(parents=True)
        for name in (".ssh/authorized_keys", ".ssh/more/id", "index.html", "m.xml"):
            (self.home / name).write_bytes(SECRET)
        (self.repo / "Ovfile").write_text('[models.m]\nsource = "m.pb"\n')
        (self.repo / "m.pb").write_bytes(b"no model")
        self._before = _everything(self.home)

    @property
    def repo(self) -> Path:
        """The clone."""
        return self.folder / "repo"

    @property
    def home(self) -> Path:
        """What is the user's own."""
        return self.folder / "home"

    def run(self, *words: str, by: str = EACH[0], environment: Mapping[str, str] | None = None) -> Done:
        """Run the installed program in the repo."""
        prefix = _UNPRIVILEGED if by == USER and os.geteuid() == 0 else ()
        done = subprocess.run(
            [*prefix, *PROGRAM, *words],
            cwd=self.repo,
            env={**os.environ, **(environment or {}), "TERM": "dumb", "PYTHONIOENCODING": "utf-8"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=600,
        )
        return Done(status=done.returncode, stdout=done.stdout, stderr=done.stderr)

    def home_is_untouched(self) -> None:
        """See that everything there is as it was, and that no file of the repo holds it."""
        assert _everything(self.home) == self._before
        holding = [
            path
            for path in self.repo.rglob("*")
            if path.is_file() and not path.is_symlink() and SECRET in path.read_bytes()
        ]
        assert holding == []


def _everything(folder: Path) -> dict[str, object]:
    found: dict[str, object] = {}
    for path in sorted((folder, *folder.rglob("*"))):
        state = path.lstat()
        content = path.read_bytes() if path.is_file() else b""
        found[str(path.relative_to(folder))] = (content, state.st_mode, state.st_mtime_ns)
    return found
