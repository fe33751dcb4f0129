"""An Ovfile that a pull request points elsewhere reaches nobody, and gets no credential, before a user accepts it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.commands.cache.teams import Member, clone
from tests.real import environment
from tests.remote.results import PUBLIC
from tests.remote.servers import Handler, served

pytestmark = pytest.mark.heavy  # a dozen processes each

SECRETS = {
    "AWS_ACCESS_KEY_ID": "AKIAAMBIENT",
    "AWS_SECRET_ACCESS_KEY": "ambient-secret",
    "AWS_SESSION_TOKEN": "ambient-token",
    "OVMAKE_CACHE_AUTHORIZATION": "Bearer ambient",
    "OVMAKE_CACHE_SIGNING_KEY": "not even looked at",
}
NETWORKED = [["cache", word] for word in ("ls", "verify", "push", "gc")]
# Commands that work without a remote.
OTHERS = [["status"], ["explain"], ["build", "-n"], ["build"], ["gc", "-n"]]
ATTACKER = "ed25519:" + "A" * 43 + "="


@dataclass
class Trap:
    """A server that notes whoever comes, with all that they bring."""

    url: str = ""
    came: list[str] = field(default_factory=list)


@pytest.fixture
def trap() -> Iterator[Trap]:
    """The attacker's server."""
    state = Trap()

    class Catching(Handler):
        def setup(self) -> None:
            state.came.append("a connection")
            super().setup()

        def handle_one(self) -> None:
            state.came.append(f"{self.command} {self.path} {dict(self.headers.items())}")
            self.answer(404)

        do_GET = do_HEAD = do_PUT = do_DELETE = do_POST = handle_one  # noqa: N815 - the names of the base class

    with served(Catching) as port:
        state.url = f"http://127.0.0.1:{port}"
        yield state


# Runs ovmake, and says whether what makes requests was loaded.
PROBE = """
import json, sys
from ovmake.cli import main
try:
    status = main(sys.argv[1:])
except SystemExit as ended:
    status = ended.code
print(json.dumps([name for name in ("obstore", "cryptography") if name in sys.modules]))
sys.exit(status)
"""


def ovmake(root: Path, *words: str) -> tuple[int, str, list[str]]:
    """Run a command with all secrets; return its status, all that it said, and what it loaded."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *words],
        cwd=root,
        env={**environment(), **SECRETS},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "Traceback" not in done.stderr, done.stderr
    *_, loaded = done.stdout.splitlines()
    return done.returncode, done.stdout + done.stderr, json.loads(loaded)


def everything(root: Path) -> None:
    """Run every command that might touch a remote; all that need one fail, and none loads what makes requests."""
    for words in NETWORKED:
        status, said, loaded = ovmake(root, *words)
        assert (1, True, []) == (status, "remote-not-accepted" in said, loaded), (words, said)
        assert "ambient" not in said
    for words in OTHERS:
        status, _, loaded = ovmake(root, *words)
        assert (0, []) == (status, loaded), words
    status, said, loaded = ovmake(root, "cache", "trust")  # it shows, and asks nobody
    assert (1, True, []) == (status, "not-confirmed" in said, loaded), said


@pytest.fixture
def team(built: Path, tmp_path: Path, trap: Trap) -> Member:
    """Somebody who has accepted a signed remote; nobody is there."""
    member = clone(built, tmp_path / "repo")
    member.configure("s3://team/models", endpoint="http://127.0.0.1:9", keys=(PUBLIC,))
    member.trust()
    assert trap.came == []
    return member


def test_a_cloned_repo_reaches_nobody(built: Path, tmp_path: Path, trap: Trap) -> None:
    member = clone(built, tmp_path / "repo")
    member.configure("s3://team/models", endpoint=trap.url)

    everything(member.root)

    assert trap.came == []


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param({"endpoint": True}, id="another-endpoint"),
        pytest.param({"endpoint": True, "remote": "s3://attacker/models"}, id="another-bucket"),
        pytest.param({"url": True}, id="a-web-server"),
        pytest.param({"keys": (PUBLIC, ATTACKER)}, id="another-key"),
        pytest.param({"keys": ()}, id="no-keys"),
        pytest.param({"region": "x.attacker.example#"}, id="another-region"),
    ],
)
def test_a_pull_request_that_edits_the_ovfile_reaches_nobody(team: Member, trap: Trap, edit: dict[str, object]) -> None:
    remote = f"{trap.url}/x" if "url" in edit else str(edit.get("remote", "s3://team/models"))
    endpoint = "" if "url" in edit else trap.url if "endpoint" in edit else "http://127.0.0.1:9"
    keys = edit.get("keys", (PUBLIC,))
    assert isinstance(keys, tuple)
    team.configure(remote, endpoint=endpoint, keys=keys, region=str(edit.get("region", "")))

    everything(team.root)

    assert trap.came == []


def test_ci_that_names_the_bucket_goes_to_no_other_server(built: Path, tmp_path: Path, trap: Trap) -> None:
    member = clone(built, tmp_path / "repo")
    ci = {"OVMAKE_CACHE_REMOTE": "s3://team/models", **SECRETS}
    for endpoint, region in ((trap.url, ""), ("", "x.attacker.example#")):
        member.configure("s3://team/models", endpoint=endpoint, region=region)
        for command in ("ls", "push"):
            done = member.run(command, **ci)
            assert (1, True) == (done.status, "error[remote-not-accepted]" in done.stderr)

    member.configure("s3://attacker/models", endpoint="")
    assert "error[remote-not-accepted]" in member.run("ls", **ci, OVMAKE_CACHE_ENDPOINT=trap.url).stderr
    assert trap.came == []


def test_once_accepted_the_server_sees_who_comes(built: Path, tmp_path: Path, trap: Trap) -> None:
    """Otherwise the tests above would pass with a trap that catches nobody."""
    member = clone(built, tmp_path / "repo")
    member.configure("s3://team/models", endpoint=trap.url)
    member.trust()

    member.run("ls", **{**SECRETS, "OVMAKE_CACHE_SIGNING_KEY": ""})

    assert any("AKIAAMBIENT" in one for one in trap.came)
    assert not any("ambient-secret" in one for one in trap.came)


def test_what_is_shown_before_the_question_cannot_forge_the_terminal(built: Path, tmp_path: Path) -> None:
    member = clone(built, tmp_path / "repo")
    member.configure("s3://team/\\u001b[2Jmodels\\u202e", endpoint="https://x.example/\\u009b2J", region="\\u001b]0;x")

    for words in (("trust",), ("trust", "--yes"), ("ls",)):
        done = member.run(*words)
        assert not {"\x1b", "\x9b", "\u202e"} & set(done.stdout + done.stderr)
