"""A team whose repo is built: its actions are hashes, so that no framework is loaded.

made(folder) -> a built repo, to copy
Member(root)                        somebody's clone; member.run("ls") -> Done     the real command
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.real import build, environment

MODELS = '\n[models.a]\nsource = "models/a.pb"\n\n[models.b]\nsource = "models/b.pb"\n'
TARGETS = ("a:fp32", "a:fp16", "b:fp32", "b:fp16")


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended."""

    status: int
    stdout: str
    stderr: str

    @property
    def lines(self) -> list[str]:
        """The lines of stdout."""
        return self.stdout.splitlines()

    @property
    def objects(self) -> list[dict[str, Any]]:
        """The objects of `--json`."""
        return [json.loads(line) for line in self.lines]


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody's clone."""

    root: Path

    def run(self, *words: str, typed: str = "", **variables: str) -> Done:
        """Run `ovmake cache ...`; stdin is no terminal."""
        done = subprocess.run(
            [sys.executable, "-m", "ovmake", "cache", *words],
            cwd=self.root,
            env={**environment(), **variables},
            input=typed,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Done(done.returncode, done.stdout, done.stderr)

    def configure(self, remote: str, *, keys: tuple[str, ...] = (), **more: str) -> None:
        """Write `[cache]` of the Ovfile."""
        lines = [f'{name} = "{value}"' for name, value in {"remote": remote, **more}.items() if value]
        lines += [f"trusted-keys = {json.dumps(list(keys))}"] if keys else []
        (self.root / "Ovfile").write_text("\n".join(["[cache]", *lines, MODELS]))

    def trust(self) -> None:
        """Accept what the Ovfile names."""
        done = self.run("trust", "--remote", "--yes")
        assert 0 == done.status, done.stderr


def made(folder: Path) -> Path:
    """Build a repo of two models."""
    root = folder / "repo"
    (root / "models").mkdir(parents=True)
    for name in "ab":
        (root / f"models/{name}.pb").write_text(name)
    (root / ".git").mkdir()
    (root / "Ovfile").write_text(MODELS)
    assert 0 == build(root)[0].exit_status
    return root


def clone(built: Path, to: Path, *, cold: bool = False) -> Member:
    """Copy a repo; a cold clone has built nothing."""
    shutil.copytree(built, to)
    if cold:
        shutil.rmtree(to / ".ovmake")
        shutil.rmtree(to / "build")
    return Member(to)


def objects(remote: Path) -> dict[str, Path]:
    """Return the objects of a remote that is a folder."""
    return {str(path.relative_to(remote)): path for path in sorted(remote.rglob("*")) if path.is_file()}


def age(path: Path, seconds: float) -> None:
    """Let an object have been uploaded earlier."""
    found = path.stat()
    os.utime(path, (found.st_atime - seconds, found.st_mtime - seconds))
