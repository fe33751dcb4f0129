"""A repo's own code, run by the installed program: it stays in the worker's cage, and takes nothing away.

The code of a metric or a loader is what an attacker has in a worker without any hole in a framework: what it cannot do,
a model that breaks out of TensorFlow cannot do either.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ovmake.workers.ipc.cage import landlock_abi
from tests.attacks.stranger import EACH, Stranger
from tests.e2e.tiny import frozen_graph

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(not landlock_abi(), reason="this kernel has no Landlock"),
]

OVFILE = """\
[datasets.val]
loader = "code.py:samples"
files = ["notes.txt"]

[models.m]
source = "m.pb"
precisions = ["fp32"]
accuracy = { dataset = "val", metric = "code.py:score", higher-is-better = true, max-drop = 0.5 }
"""
CODE = """
import json, os, socket, subprocess, sys
from pathlib import Path
import numpy as np

HOME = {home!r}
found = {{}}

def attempt(name, action):
    try:
        found[name] = repr(action())[:200]
    except BaseException as error:
        found[name] = type(error).__name__

def told(pid):
    try:
        return b"AWS_SECRET" in Path("/proc", pid, "environ").read_bytes()
    except OSError:
        return False

def attack(where):
    attempt("read", lambda: Path(HOME, ".ssh/authorized_keys").read_bytes())
    attempt("list", lambda: os.listdir(HOME))
    attempt("write", lambda: Path(HOME, ".ssh/authorized_keys").write_text("ssh-rsa evil"))
    attempt("new", lambda: Path(HOME, "new").write_text("evil"))
    attempt("rename", lambda: os.rename(HOME + "/index.html", HOME + "/away"))
    attempt("ovfile", lambda: Path({repo!r}, "Ovfile").write_text("evil"))
    attempt("git", lambda: Path({repo!r}, ".git").mkdir())
    attempt("state", lambda: Path({repo!r}, ".ovmake/state.db").write_text("evil"))
    attempt("cas", lambda: [one.write_text("evil") for one in Path({repo!r}, ".ovmake/cas").glob("*/*")])
    attempt("connect", lambda: socket.create_connection(("127.0.0.1", 9)))
    attempt("shell", lambda: subprocess.run(["cat", HOME + "/.ssh/authorized_keys"], capture_output=True).stdout)
    attempt("token", lambda: os.environ["AWS_SECRET_ACCESS_KEY"])
    attempt("key", lambda: os.environ["OVMAKE_STATE_KEY"])
    attempt("processes", lambda: [pid for pid in os.listdir("/proc") if pid.isdecimal() and told(pid)])
    attempt("link", lambda: os.symlink(HOME + "/.ssh/authorized_keys", where + "/link"))
    attempt("sibling", lambda: __import__("helpers"))
    attempt("files", lambda: (Path(__file__).parent / "notes.txt").read_text())
    print("ATTACK " + json.dumps(found), file=sys.stderr)

def samples():
    attack(os.environ["TMPDIR"])
    for number in range(4):
        yield np.full((1, 4), number, dtype=np.float32), number

def score(outputs, labels):
    attack(os.environ["TMPDIR"])
    return 1.0
"""


@pytest.mark.parametrize("by", EACH)
def test_code_of_the_repo_reaches_nothing_but_what_its_action_names(by: str, tmp_path: Path) -> None:
    stranger = Stranger(tmp_path / "x")
    (stranger.repo / "Ovfile").write_text(OVFILE)
    (stranger.repo / "m.pb").write_bytes(frozen_graph(2))
    (stranger.repo / "code.py").write_text(CODE.format(home=str(stranger.home), repo=str(stranger.repo)))
    (stranger.repo / "helpers.py").write_text("")
    (stranger.repo / "notes.txt").write_text("named")

    done = stranger.run("build", by=by, environment={"AWS_SECRET_ACCESS_KEY": "a token"})

    assert done.status == 0, done.said
    attacks = said_in_logs(stranger.repo)
    assert len(attacks) >= 2  # the loader, and the metric
    denied = {"PermissionError", "FileNotFoundError", "KeyError", "ModuleNotFoundError"}
    for found in attacks:
        assert found.pop("shell") == "b''"
        assert found.pop("files") in {"'named'", "PermissionError"}  # the metric is not given the dataset's
        assert found.pop("link") in {"None", "FileExistsError"}  # in its own scratch folder, where nobody follows it
        assert found.pop("cas") in denied | {"[]"}
        assert found.pop("processes") == "[]"
        assert {name: word for name, word in found.items() if word not in denied} == {}
    stranger.home_is_untouched()
    assert (stranger.repo / "Ovfile").read_text() == OVFILE


def said_in_logs(repo: Path) -> list[dict[str, str]]:
    lines = [line for path in (repo / ".ovmake/logs").iterdir() for line in path.read_text().splitlines()]
    return [json.loads(line.removeprefix("ATTACK ")) for line in lines if line.startswith("ATTACK ")]


LEAVING = """
import os
from pathlib import Path
import numpy as np

def samples():
    for number in range(4):
        yield np.full((1, 4), number, dtype=np.float32), number

def score(outputs, labels):
    scratch = Path(os.environ["TMPDIR"])
    for name in ("evaluation", "verdict", "xml", "bin", "outputs", "facts"):
        (scratch / name).unlink(missing_ok=True)
        (scratch / name).symlink_to({secret!r})
    return 1.0
"""


def test_output_that_is_a_link_is_not_taken_over(tmp_path: Path) -> None:
    stranger = Stranger(tmp_path / "x")
    (stranger.repo / "Ovfile").write_text(OVFILE)
    (stranger.repo / "m.pb").write_bytes(frozen_graph(2))
    (stranger.repo / "code.py").write_text(LEAVING.format(secret=str(stranger.home / ".ssh/authorized_keys")))
    (stranger.repo / "notes.txt").write_text("named")

    done = stranger.run("build")

    assert done.status == 1
    assert "is a link" in done.stderr or "Permission denied" in done.stderr
    stranger.home_is_untouched()


def test_module_that_the_ovfile_does_not_name_is_asked_for(tmp_path: Path) -> None:
    stranger = Stranger(tmp_path / "x")
    (stranger.repo / "Ovfile").write_text(OVFILE)
    (stranger.repo / "m.pb").write_bytes(frozen_graph(2))
    (stranger.repo / "helpers.py").write_text("STEP = 1\n")
    (stranger.repo / "code.py").write_text(
        "import sys\nimport numpy as np\nfrom pathlib import Path\n"
        "sys.path.insert(0, str(Path(__file__).parent))\nimport helpers\n"
        "def samples():\n    yield np.zeros((1, 4), np.float32), helpers.STEP\n"
        "def score(outputs, labels):\n    return 1.0\n"
    )
    (stranger.repo / "notes.txt").write_text("named")

    done = stranger.run("build")

    assert done.status == 1
    assert "helpers.py" in done.stderr
    assert "files" in done.stderr
