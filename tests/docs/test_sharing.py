"""The page on sharing takes a team from nothing to a signed cache: its commands run, with a SeaweedFS as the bucket.

Step 5 runs in a colleague's clone, with credentials that may only read; all others run in CI's. Blocks of `console` are
compared with what the commands print. Blocks of `sh` must succeed; their `export` lines hold for what comes after.

After a change of words: OVMAKE_BLESS=1 python -m pytest tests/docs/test_sharing.py
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ovmake.cli import building, observing, sharing
from ovmake.cli.arguments import parser
from ovmake.remote.settings import SIGNING_KEY
from tests import warm
from tests.docs.blocks import ROOT, Block, blocks, steps
from tests.docs.test_console import bless
from tests.e2e.tiny import frozen_graph
from tests.remote.servers import S3, seaweed

pytestmark = pytest.mark.heavy

PAGE = ROOT / "ovmake/docs/sharing.md"
COLLEAGUE, LOCK = "5.", "6."
KEY = re.compile(r"ed25519:[A-Za-z0-9+/]{43}=")
EXAMPLE = next(iter(KEY.findall(PAGE.read_text(encoding="utf-8"))))
SECRET = re.compile(r"(?<=OVMAKE_CACHE_SIGNING_KEY=)\S+")
ENDPOINT = "https://s3.example.org"
MODELS = (
    '\n[defaults]\naccuracy = false\n\n[models.digits]\nsource = "models/digits.pb"\nprecisions = ["fp32", "fp16"]\n'
)
REPO = re.compile(r"(?m)^(repo +)/\S+")
SIZE = re.compile(r"\d+(\.\d+)? k?B\b")
GIT = {f"GIT_{who}_{what}": "ci" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


@dataclass(slots=True)
class Role:
    """Somebody with a clone: the environment of a shell, and the exports so far."""

    folder: Path
    environment: dict[str, str]
    exports: list[str] = field(default_factory=list)

    def shell(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run a script; it ends at the first failure."""
        return subprocess.run(
            ["bash", "-euc", "\n".join([*self.exports, script])],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )


@dataclass(slots=True)
class Play:
    """The page as it is performed: `known` are texts of the page and what they are here."""

    tmp: Path
    known: dict[str, str]
    ci: Role
    ran: list[tuple[Block, list[tuple[str, str, str]]]] = field(default_factory=list)

    def here(self, text: str) -> str:
        """Return a text of the page with the URLs and keys of this test."""
        for said, meant in self.known.items():
            text = text.replace(said, meant)
        return text

    def there(self, text: str) -> str:
        """Return what was printed with the URLs and keys of the page."""
        for said, meant in self.known.items():
            text = text.replace(meant, said)
        return REPO.sub(r"\g<1>/home/you/models", SECRET.sub("THIS-IS-SECRET", text))

    def colleague(self) -> Role:
        """Clone what CI has; credentials may only read, and the state folder is a person's own."""
        folder = self.tmp / "colleague"
        self.ci.shell(f"git clone -q . {folder}")
        keys = {"AWS_ACCESS_KEY_ID": "rk", "AWS_SECRET_ACCESS_KEY": "rs", "XDG_STATE_HOME": str(self.tmp / "theirs")}
        environment = {name: value for name, value in self.ci.environment.items() if name != SIGNING_KEY}
        return Role(folder, {**environment, **keys})

    def perform(self) -> None:
        """Run the page's blocks in their order."""
        colleague: Role | None = None
        for step, block in by_step():
            if step == LOCK and not lockable():
                continue
            if step == COLLEAGUE and colleague is None:
                colleague = self.colleague()
            role = colleague if step == COLLEAGUE and colleague else self.ci
            if block.info == "toml":
                (role.folder / "Ovfile").write_text(self.here(block.text) + MODELS)
                assert 0 == role.shell("git add Ovfile models && git commit -qm models").returncode
            elif block.info == "sh":
                role.exports += [line for line in self.here(block.text).splitlines() if line.startswith("export ")]
                done = role.shell(self.here(block.text))
                assert 0 == done.returncode, f"{block.text}{done.stdout}{done.stderr}"
            elif block.info == "console":
                self.ran.append((block, [self.step(role, *one) for one in steps(block.text)]))

    def step(self, role: Role, command: str, expected: str) -> tuple[str, str, str]:
        """Run a command of a transcript; return it with what it should print, and what it does."""
        done = role.shell(self.here(command))
        assert 0 == done.returncode, f"{command}: {done.stderr}"
        if command == "ovmake cache keygen":
            self.known[EXAMPLE] = KEY.findall(done.stdout)[0]
            role.environment[SIGNING_KEY] = SECRET.findall(done.stdout)[0]
        return command, expected, self.there(done.stdout)


def by_step() -> Iterator[tuple[str, Block]]:
    """Yield the blocks of the page, each with the number of its step ("5.")."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    for block in blocks(PAGE):
        heading = next(line for line in reversed(lines[: block.start]) if line.startswith("## "))
        yield heading.split()[1], block


def lockable() -> bool:
    """Whether this ovmake has the commands of step 6."""
    commands = {**observing.COMMANDS, **building.COMMANDS, **sharing.COMMANDS}
    asked = parser(commands).parse_known_args(["build", "--locked"])[1]
    return "lock" in commands and not asked


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with seaweed(tmp_path_factory.mktemp("seaweed")) as server:
        server.shell("s3.bucket.create -name team-models")
        yield server


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory, s3: S3) -> Play:
    """The page, performed."""
    tmp = tmp_path_factory.mktemp("team")
    (tmp / "bin").mkdir()
    command = tmp / "bin/ovmake"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m ovmake "$@"\n')
    command.chmod(0o755)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("OVMAKE_CACHE", "AWS_"))},
        **warm.environment(),
        **GIT,
        "TERM": "dumb",
        "PATH": f"{tmp / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "XDG_STATE_HOME": str(tmp / "state"),
        "AWS_ACCESS_KEY_ID": "ak",
        "AWS_SECRET_ACCESS_KEY": "sk",
        "OVMAKE_CACHE_TIMEOUT": "60",  # a machine full of tests makes a server slow
    }
    (tmp / "ci/models").mkdir(parents=True)
    (tmp / "ci/models/digits.pb").write_bytes(frozen_graph(1))
    ci = Role(tmp / "ci", environment)
    assert 0 == ci.shell("git init -q && printf '.ovmake/\\nbuild/\\n' > .gitignore").returncode
    found = Play(tmp, {ENDPOINT: s3.endpoint}, ci)
    found.perform()
    return found


def test_the_page_prints_what_it_says(play: Play) -> None:
    if os.environ.get("OVMAKE_BLESS"):
        bless(PAGE, play.ran)
        return
    for _, found in play.ran:
        for command, expected, actual in found:
            assert (command, SIZE.sub("N", expected)) == (command, SIZE.sub("N", actual))
    assert "ovmake cache gc --older-than 30d --dry-run" == play.ran[-1][1][-1][0]


def test_the_example_of_a_key_is_no_key_of_anybody() -> None:
    assert {EXAMPLE} == set(KEY.findall(PAGE.read_text(encoding="utf-8")))
    assert "EXAMPLE" in EXAMPLE


def test_every_command_of_the_cache_is_on_the_page() -> None:
    said = PAGE.read_text(encoding="utf-8")

    assert [] == [name for name in sharing.COMMANDS if name != "cache" and f"ovmake {name}" not in said]
