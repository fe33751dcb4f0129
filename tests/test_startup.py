"""What a command loads before it does anything: nothing heavy, as the process itself says when it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HEAVY = {
    "numpy",
    "rich",
    "jinja2",
    "markupsafe",
    "tensorflow",
    "openvino",
    "nncf",
    "keras",
    "google",
    "google_crc32c",
    "PIL",
    "scipy",
    "sklearn",
    "watchfiles",
    "obstore",
    "cryptography",
}

# Runs ovmake, and writes the names of everything that was loaded to a file.
PROBE = """
import json, sys
status = 0
try:
    from ovmake.cli import main
    status = main(sys.argv[2:])
except SystemExit as ended:
    status = ended.code
open(sys.argv[1], "w").write(json.dumps(sorted(sys.modules)))
sys.exit(status)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A process that ended; `loaded` are the top-level modules it had then."""

    status: int
    stdout: str
    stderr: str
    loaded: set[str]
    modules: set[str]


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repo with a source that is no model: what only looks at it never opens it as one."""
    (tmp_path / "repo").mkdir()
    (tmp_path / "repo/Ovfile").write_text('[models.m]\nsource = "m.pb"\n')
    (tmp_path / "repo/m.pb").write_bytes(b"not a graph")
    return tmp_path / "repo"


def ovmake(repo: Path, *arguments: str) -> Ended:
    listing = repo.parent / "modules.json"
    command = [sys.executable, "-c", PROBE, str(listing), *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)
    modules = set(json.loads(listing.read_text()))
    return Ended(
        status=done.returncode,
        stdout=done.stdout,
        stderr=done.stderr,
        loaded={name.partition(".")[0] for name in modules},
        modules=modules,
    )


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["--help"], 0),
        (["--version"], 0),
        (["build", "--help"], 0),
        (["explain", "-C", "{repo}"], 0),
        (["explain", "--json", "-C", "{repo}"], 0),
        (["status", "-C", "{repo}"], 0),
        (["build", "-n", "-C", "{repo}"], 0),
        (["build", "-n", "--json", "-C", "{repo}"], 0),
        (["build", "-C", "{repo}/nowhere"], 2),
        (["build", "no-such-target", "-C", "{repo}"], 2),
        (["clean", "-C", "{repo}"], 0),
        (["gc", "-C", "{repo}"], 0),
        (["graph", "-C", "{repo}"], 0),
        (["lock", "-C", "{repo}"], 1),
        (["lock", "--check", "-C", "{repo}"], 1),
        (["lock", "--merge", "{repo}/none", "{repo}/none", "{repo}/none"], 0),
        (["help"], 0),
        (["help", "precisions"], 0),
        (["help", "gate-missed"], 0),
        (["inspect", "--help"], 0),
        (["inspect", "no-such-model", "-C", "{repo}"], 2),
        (["init", "-C", "{repo}"], 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_it_loads_nothing_heavy(repo: Path, arguments: list[str], status: int) -> None:
    done = ovmake(repo, *(argument.format(repo=repo) for argument in arguments))

    assert done.loaded & HEAVY == set()
    assert done.status == status, done.stderr


def test_help_of_a_topic_loads_its_pages_and_none_of_the_engine(repo: Path) -> None:
    done = ovmake(repo, "help", "gate-missed")

    parts = {name.split(".")[1] for name in done.modules if name.startswith("ovmake.")}
    assert parts <= {"cli", "commands", "diagnostics"}


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]], ids=" ".join)
def test_help_and_version_load_none_of_the_engine(repo: Path, arguments: list[str]) -> None:
    done = ovmake(repo, *arguments)

    parts = {name.split(".")[1] for name in done.modules if name.startswith("ovmake.")}
    assert parts <= {"cli", "arguments"}
    assert "sqlite3" not in done.loaded


def test_explain_starts_no_process(repo: Path) -> None:
    done = ovmake(repo, "explain", "-C", str(repo))

    assert done.stdout != ""
    assert {"subprocess", "multiprocessing"} & done.loaded == set()
    assert not (repo / "build").exists()


def test_version_is_one_line_on_stdout(repo: Path) -> None:
    done = ovmake(repo, "--version")

    assert done.stderr == ""
    assert done.stdout.startswith("ovmake ")
    assert done.stdout.count("\n") == 1
