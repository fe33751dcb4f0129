"""Locks for tests: plain blocks, random ones, and folders under git.

block("m:fp32") -> LockedTarget              whole: its input digest fits its settings and sources
LOCKS, BLOCKS                                strategies of hypothesis
GitRepo(folder)                              a folder under git, of nobody's settings
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from hypothesis import strategies as st

from ovmake.contracts.sharing.lock import Lock, LockedTarget
from ovmake.lockfile.inputs import combined


def sha256(*words: object) -> str:
    return hashlib.sha256(repr(words).encode()).hexdigest()


def digest(*words: object, size: int = 7) -> str:
    return f"{sha256(*words)}:{size}"


def block(name: str, version: object = 1, **changed: object) -> LockedTarget:
    """Return a whole block. Another `version` has other sources and outputs."""
    family, _, precision = name.partition(":")
    sources = {"data/val.npz": digest("val"), f"models/{family}": digest(name, version)}
    settings = sha256("settings", name)
    plain = LockedTarget(
        inputs=combined(settings, sources),
        settings=settings,
        sources=sources,
        outputs={
            f"{family}/{precision}/{file}": digest(name, version, file)
            for file in (f"{family}.bin", f"{family}.xml", "record.json")
        },
        versions={"openvino": "2026.4.1", "ovmake": "0.1.0"},
        metric="accuracy",
        tensorflow=0.918,
        openvino=0.9138,
        drop=0.0042,
    )
    return replace(plain, **changed)  # type: ignore[arg-type]


def lock(*names: str, **versions: object) -> Lock:
    """Return a lock of plain blocks; `versions` are of blocks, by the name of their model."""
    return Lock(targets={name: block(name, versions.get(name.partition(":")[0], 1)) for name in names})


# Text as it may stand in a source's path, a version or the name of a layer.
WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
NUMBERS = st.none() | st.floats(allow_nan=False, allow_infinity=False)
SHA256 = st.integers(0, 2**256 - 1).map(lambda number: f"{number:064x}")
DIGESTS = st.builds("{}:{}".format, SHA256, st.integers(0, 10**18))
NAMES = st.from_regex(
    r"[A-Za-z0-9][A-Za-z0-9._-]{0,6}(@[a-z0-9][a-z0-9]{0,3})?:(fp32|int8|int4-weights)", fullmatch=True
)


@st.composite
def _blocks(draw: st.DrawFn, name: str) -> LockedTarget:
    folder = name.replace(":", "/")
    files = draw(
        st.lists(st.from_regex(r"[a-z0-9][a-z0-9._@-]{0,5}", fullmatch=True), min_size=1, max_size=3, unique=True)
    )
    return LockedTarget(
        inputs=draw(SHA256),
        settings=draw(SHA256),
        sources=draw(st.dictionaries(WORDS, DIGESTS, min_size=1, max_size=3)),
        outputs={f"{folder}/{file}": draw(DIGESTS) for file in files},
        versions=draw(st.dictionaries(WORDS, WORDS, min_size=1, max_size=3)),
        isa=draw(st.just("") | WORDS),
        metric=draw(st.just("") | WORDS),
        tensorflow=draw(NUMBERS),
        openvino=draw(NUMBERS),
        drop=draw(NUMBERS),
        drop_low=draw(NUMBERS),
        drop_high=draw(NUMBERS),
        reverted=tuple(draw(st.lists(WORDS, max_size=3))),
    )


@st.composite
def _locks(draw: st.DrawFn) -> Lock:
    return Lock(targets={name: draw(_blocks(name)) for name in draw(st.lists(NAMES, max_size=4, unique=True))})


LOCKS = _locks()


@dataclass(frozen=True, slots=True)
class GitRepo:
    """A folder under git. No setting of the user's or of the system counts."""

    folder: Path

    @classmethod
    def init(cls, folder: Path) -> GitRepo:
        """Make it, with the branch `main`."""
        folder.mkdir(parents=True, exist_ok=True)
        repo = cls(folder)
        repo.git("init", "-q", "-b", "main")
        return repo

    def run(self, *words: str, extra: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run git, which may fail."""
        who = {f"GIT_{role}_{what}": "t@t" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        alone = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null", "GIT_EDITOR": "true"}
        return subprocess.run(
            ["git", "-C", str(self.folder), *words],
            env={**os.environ, **who, **alone, **(extra or {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def git(self, *words: str) -> str:
        """Run git, which must succeed; return what it says."""
        done = self.run(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def write(self, path: str, content: str) -> None:
        """Write a file."""
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(content)

    def commit(self, message: str) -> None:
        """Commit all files."""
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)

    def branch(self, name: str, start: str = "main") -> None:
        """Go to a new branch."""
        self.git("checkout", "-q", "-b", name, start)

    def read(self, path: str = "Ovfile.lock") -> str:
        """Return a file's text."""
        return (self.folder / path).read_text()
