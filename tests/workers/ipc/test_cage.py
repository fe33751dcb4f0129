"""The cage of a worker, tried from inside: what an action may not touch, it cannot, and nothing of it stays behind.

Real workers, whose actions are the attacks. Without Landlock in the kernel, half of this says nothing and is skipped.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ovmake.workers.ipc import cage
from ovmake.workers.ipc.cage import Cage
from ovmake.workers.ipc.client import WorkerProcess
from ovmake.workers.ipc.environment import passed
from ovmake.workers.ipc.protocol import Request, Response
from tests.e2e.processes import alive, wait_for
from tests.e2e.tiny import frozen_graph

SECRET = "a token of the user's"  # noqa: S105
WALLS = pytest.mark.skipif(not cage.landlock_abi(), reason="this kernel has no Landlock")

# Every action takes `path`, and says what came of it.
ACTIONS = """
import asyncio, ctypes, json, os, signal, socket, subprocess, sys, time
from pathlib import Path
from ovmake.workers.ipc import forking
from ovmake.workers.ipc.serving import serve

def tried(action):
    def run(request):
        try:
            return {"found": action(str(request.params.get("path", "")))}
        except Exception as error:
            return {"error": type(error).__name__, "why": str(error)}
    return run

def read(path):
    return Path(path).read_text()

def write(path):
    Path(path).write_text("written")
    return "written"

def shadow(path):  # names under which a file outside might be reached all the same
    os.symlink(path, "link")
    return Path("link").read_text()

def run_it(path):
    return subprocess.run([path], capture_output=True, text=True, check=True).stdout

def python(path):
    words = [sys.executable, "-c", "print(open(%r).read())" % path]
    return subprocess.run(words, capture_output=True, text=True).stdout

def keep_something(path):
    subprocess.Popen(["sleep", "1000"], start_new_session=True)
    pid = os.fork()
    if pid == 0:
        os.setsid()
        while True:
            time.sleep(1000)
    return pid

def uring(path):
    return ctypes.CDLL(None, use_errno=True).syscall(425, 1, ctypes.create_string_buffer(200)), ctypes.get_errno()

def connect(path):
    with socket.create_connection(("127.0.0.1", int(path)), timeout=5):
        return "connected"

def datagram(path):
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"secret", ("127.0.0.1", int(path)))
    return "sent"

def unix(path):
    with socket.socket(socket.AF_UNIX) as one:
        one.connect(path)
    return "connected"

async def nothing():
    return "ran"

serve({
    "read": tried(read), "write": tried(write), "shadow": tried(shadow), "list": tried(os.listdir),
    "run": tried(run_it), "python": tried(python), "keep": tried(keep_something), "uring": tried(uring),
    "connect": tried(connect), "datagram": tried(datagram), "unix": tried(unix),
    "environment": tried(lambda _: dict(os.environ)),
    "remove": tried(os.unlink), "rename": tried(lambda path: os.rename(path, path + ".away")),
    "chmod": tried(lambda path: os.chmod(path, 0o777)),
    "kill": tried(lambda path: os.kill(int(path), 0)),
    "status": tried(lambda _: Path("/proc/self/status").read_text()),
    "pids": tried(lambda _: [os.getpid(), os.getppid()]),
    "pool": tried(lambda _: asyncio.run(nothing())),
    "leave": lambda _: os._exit(3), "exit": lambda _: sys.exit(4),
    "die": lambda _: os.kill(os.getpid(), signal.SIGSEGV),
    "chatter": lambda _: os.write(1, b"{}\\n" * 3) and {},
    "ask": tried(lambda line: repr(forking.ask(line.encode()))),
    "sleep": lambda _: time.sleep(1000), "hold": lambda _: bytearray(200 << 20) and {},
    "modules": tried(lambda _: "decimal" in sys.modules),
    "stdin": tried(lambda _: sys.stdin.read()),
    "descriptors": tried(lambda _: [os.path.realpath("/proc/self/fd/" + one) for one in os.listdir("/proc/self/fd")]),
}, imports={"modules": ["decimal", "no.such.module"]})
"""


class Worker:
    """A worker whose actions are those above."""

    def __init__(self, folder: Path) -> None:
        self.scratch = folder / "scratch"
        self.scratch.mkdir()
        self.log = folder / "log"
        self.process = WorkerProcess(
            name="test",
            process=subprocess.Popen(
                [sys.executable, "-c", ACTIONS],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=self.scratch,
                env={**passed(os.environ), "PYTHONPATH": str(Path(__file__).parents[3])},
                start_new_session=True,
            ),
        )
        self._asked = 0

    def ask(
        self,
        kind: str,
        path: object = "",
        read: tuple[Path, ...] = (),
        *,
        scratch: Path | None = None,
        writes: tuple[Path, ...] = (),
        stay: bool = False,
        **more: Any,
    ) -> Response | None:
        """Have an action done, in a cage in which it may read these paths."""
        self._asked += 1
        own = scratch or self.scratch
        inside = Cage(read=tuple(map(str, read)), write=tuple(map(str, (own, *writes))), **more)
        self.process.send(
            Request(
                id=self._asked,
                kind=kind,
                params={"path": str(path)},
                log=str(self.log),
                scratch=str(own),
                stay=stay,
                cage=inside,
            )
        )
        return self.process.receive()

    def facts(self, kind: str, path: object = "", read: tuple[Path, ...] = (), **more: Any) -> Mapping[str, Any]:
        """Return what an action found."""
        response = self.ask(kind, path, read, **more)
        assert response is not None
        assert response.ok, response
        return response.facts


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    started = Worker(tmp_path)
    yield started
    started.process.end()


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "home/secret"
    path.parent.mkdir()
    path.write_text(SECRET)
    return path


@WALLS
def test_what_the_action_names_is_read_and_nothing_else(worker: Worker, secret: Path, tmp_path: Path) -> None:
    source = tmp_path / "model"
    (source / "variables").mkdir(parents=True)
    (source / "variables/data").write_text("weights")

    assert worker.facts("read", source / "variables/data", read=(source,)) == {"found": "weights"}
    assert worker.facts("list", source, read=(source,)) == {"found": ["variables"]}
    for kind, path in (("read", secret), ("shadow", secret), ("list", secret.parent)):
        assert worker.facts(kind, path, read=(source,))["error"] == "PermissionError"
    assert worker.facts("read", source / "variables/data")["error"] == "PermissionError"
    assert SECRET not in str(worker.facts("python", secret))


@WALLS
def test_names_may_be_told_and_contents_not(worker: Worker, secret: Path) -> None:
    assert worker.facts("list", secret.parent, list=(str(secret.parent),)) == {"found": ["secret"]}
    assert worker.facts("read", secret, list=(str(secret.parent),))["error"] == "PermissionError"


@WALLS
def test_source_that_is_a_link_is_read_where_it_lies(worker: Worker, secret: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(secret)

    assert worker.facts("read", tmp_path / "link", read=(tmp_path / "link",)) == {"found": SECRET}


@WALLS
def test_only_the_scratch_folder_is_written(worker: Worker, secret: Path, tmp_path: Path) -> None:
    assert worker.facts("write", worker.scratch / "out") == {"found": "written"}
    for kind in ("write", "remove", "rename"):
        assert worker.facts(kind, secret, read=(secret,))["error"] == "PermissionError"
    assert worker.facts("write", tmp_path / "home/new")["error"] == "PermissionError"
    assert worker.facts("write", "/tmp/of-a-worker")["error"] == "PermissionError"  # noqa: S108
    assert secret.read_text() == SECRET


@WALLS
def test_what_it_starts_is_in_the_same_cage(worker: Worker, secret: Path) -> None:
    program = worker.scratch / "program"
    program.write_text(f"#!/bin/sh\ncat {secret}\n")
    program.chmod(0o755)

    assert SECRET not in str(worker.facts("run", program))
    assert "error" in worker.facts("run", program)


@WALLS
def test_other_processes_are_out_of_reach(worker: Worker) -> None:
    """Their environment and memory, where tokens are, and signals to them."""
    ours = os.getpid()

    for path in (f"/proc/{ours}/environ", f"/proc/{ours}/maps", f"/proc/{worker.process.process.pid}/environ"):
        assert worker.facts("read", path)["error"] == "PermissionError"
    if cage.landlock_abi() >= 6:
        assert worker.facts("kill", ours)["error"] == "PermissionError"


@contextmanager
def listening(kind: int, family: int = socket.AF_INET, address: Any = ("127.0.0.1", 0)) -> Iterator[socket.socket]:
    with socket.socket(family, kind) as server:
        server.bind(address)
        server.settimeout(0.2)
        if kind == socket.SOCK_STREAM:
            server.listen()
        yield server


def test_no_connection_is_opened(worker: Worker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(socket.SOCK_STREAM) as server:
        assert worker.facts("connect", server.getsockname()[1])["error"] == "PermissionError"
    with listening(socket.SOCK_DGRAM) as server:
        assert worker.facts("datagram", server.getsockname()[1])["error"] == "PermissionError"
        with pytest.raises(TimeoutError):
            server.recv(100)
    monkeypatch.chdir(tmp_path)  # a socket's path has at most 108 characters
    with listening(socket.SOCK_STREAM, socket.AF_UNIX, "agent"):
        assert worker.facts("unix", tmp_path / "agent")["error"] in {"PermissionError", "OSError"}
    assert worker.facts("uring")["found"] == [-1, 13]


def test_event_loops_and_pools_work_all_the_same(worker: Worker) -> None:
    assert worker.facts("pool") == {"found": "ran"}


def test_root_is_not_root_in_there(worker: Worker) -> None:
    status = str(worker.facts("status")["found"])

    assert "NoNewPrivs:\t1" in status
    assert "Seccomp:\t2" in status
    effective = int(status.partition("CapEff:")[2].split()[0], 16)
    assert effective & ~0b110 == 0


def test_every_action_is_a_process_of_its_own(worker: Worker) -> None:
    first, second = (worker.facts("pids")["found"] for _ in range(2))

    assert first[0] != second[0]
    assert first[1] == second[1] == worker.process.process.pid


def test_fork_that_stays_does_one_more_action_of_the_same_cage(worker: Worker, tmp_path: Path) -> None:
    (tmp_path / "model").write_text("weights")
    second = tmp_path / "second"
    second.mkdir()
    both = {"read": (tmp_path / "model",), "writes": (second, worker.log)}

    first = worker.facts("pids", stay=True, **both)["found"][0]
    again = worker.facts("pids", scratch=second, read=(tmp_path / "model",))["found"][0]
    third = worker.facts("pids", scratch=second, read=(tmp_path / "model",))["found"][0]

    assert first == again != third
    wait_for(lambda: not alive(first), seconds=10)


@pytest.mark.parametrize("other", ["scratch", "source"])
def test_fork_that_stays_does_no_action_that_needs_another_cage(other: str, worker: Worker, tmp_path: Path) -> None:
    for name in ("model", "secret"):
        (tmp_path / name).write_text(name)
    second = tmp_path / "second"
    second.mkdir()
    allowed = (worker.log,) if other == "scratch" else (second, worker.log)
    first = worker.facts("pids", stay=True, read=(tmp_path / "model",), writes=allowed)["found"][0]

    source = tmp_path / ("secret" if other == "source" else "model")
    again = worker.facts("read", source, scratch=second, read=(source,))

    assert again == {"found": source.name}
    wait_for(lambda: not alive(first), seconds=10)


def test_fork_that_stays_and_dies_is_told_as_the_workers_death(worker: Worker, tmp_path: Path) -> None:
    second = tmp_path / "second"
    second.mkdir()
    worker.facts("pids", stay=True, writes=(second, worker.log))

    assert worker.ask("die", scratch=second) is None
    assert worker.process.how_it_died() == "the test worker was killed by SIGSEGV"


@pytest.mark.timeout(60)
def test_nothing_outlives_its_action(worker: Worker) -> None:
    left = worker.facts("keep")["found"]

    assert isinstance(left, int)
    wait_for(lambda: not alive(left), seconds=10)
    children = Path(f"/proc/{worker.process.process.pid}/task/{worker.process.process.pid}/children")
    if children.exists():
        assert children.read_text() == ""


@pytest.mark.timeout(60)
def test_action_ends_with_its_worker(worker: Worker) -> None:
    pid = worker.process.process.pid
    worker.process.send(Request(id=1, kind="sleep", log=str(worker.log), cage=Cage(), scratch=""))
    children = Path(f"/proc/{pid}/task/{pid}/children")
    if not children.exists():
        pytest.skip("this kernel does not tell children")
    wait_for(lambda: bool(children.read_text()))
    (fork,) = map(int, children.read_text().split())

    os.kill(pid, signal.SIGKILL)

    wait_for(lambda: not alive(fork), seconds=10)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("leave", "the test worker ended with exit status 3"),
        ("exit", "the test worker ended with exit status 4"),
        ("die", "the test worker was killed by SIGSEGV"),
    ],
)
def test_death_of_an_action_is_told_as_the_workers(kind: str, words: str, worker: Worker) -> None:
    assert worker.ask(kind) is None
    assert worker.process.how_it_died() == words


def test_what_an_action_prints_is_no_answer(worker: Worker) -> None:
    response = worker.ask("chatter")

    assert response is not None
    assert response.ok
    assert worker.log.read_text().count("{}") == 3


def test_action_has_neither_the_workers_input_nor_its_output(worker: Worker) -> None:
    assert worker.facts("stdin") == {"found": ""}
    found = worker.facts("descriptors")["found"]

    pipes = [name for name in found if "pipe:" in name]
    assert len(pipes) == 2  # what it answers by, and what it hears of helpers


def test_what_is_imported_before_is_there_for_every_fork(worker: Worker) -> None:
    assert worker.facts("modules") == {"found": True}


@pytest.mark.parametrize(
    "line",
    ["garbage\n", "{}\n", '{"kind": "freeze"}\n', "[" * 100_000 + "\n", '{"id": 1, "kind": "spool", "cage": null}\n'],
)
def test_helper_has_no_answer_to_what_is_no_request_for_help(line: str, worker: Worker) -> None:
    assert worker.facts("ask", line) == {"found": "None"}


@pytest.mark.heavy
@WALLS
def test_helper_is_in_the_cage_of_the_action_that_asked(worker: Worker, secret: Path, tmp_path: Path) -> None:
    """Whatever the fork says: where to log, what to read, where to write, and that there is no cage."""
    (tmp_path / "model.pb").write_bytes(frozen_graph(2))
    outputs = {"graph": f"{tmp_path}/home/graph.pb", "names": f"{tmp_path}/home/names.json"}
    sound = Request(
        id=1,
        kind="freeze",
        params={"kind": "frozen-graph"},
        inputs={"source": str(tmp_path / "model.pb")},
        outputs=outputs,
        log=str(tmp_path / "home/log"),
        cage=Cage(read=("/",), write=("/",)),
    )

    said = worker.facts("ask", sound.to_line().decode(), read=(tmp_path / "model.pb",))["found"]

    assert "Permission denied" in said
    assert [path.name for path in secret.parent.iterdir()] == ["secret"]
    inside = {role: f"{worker.scratch}/{role}" for role in outputs}
    said = worker.facts("ask", replace(sound, outputs=inside).to_line().decode(), read=(tmp_path / "model.pb",))[
        "found"
    ]
    assert '"ok": true' in said
    assert sorted(path.name for path in worker.scratch.iterdir()) == ["graph", "names"]


def test_fork_says_what_it_held(worker: Worker) -> None:
    little, much = worker.ask("pool"), worker.ask("hold")

    assert little is not None
    assert much is not None
    assert little.peak_bytes is not None
    assert much.peak_bytes is not None
    assert 0 < little.peak_bytes < 150 << 20 < 200 << 20 < much.peak_bytes < 400 << 20


def test_cage_that_is_not_whole_is_told_in_the_log(worker: Worker) -> None:
    worker.facts("pool")

    said = worker.log.read_text()
    assert ("the worker's cage is incomplete" in said) == (not cage.landlock_abi())


# environment


def test_tokens_do_not_reach_a_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = ("AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "HF_TOKEN", "TF_VAR_password", "TF_TOKEN_app", "SSH_AUTH_SOCK")
    for name in (*tokens, "OVMAKE_STATE_KEY", "anything"):
        monkeypatch.setenv(name, SECRET)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    started = Worker(tmp_path)

    found = started.facts("environment")["found"]
    started.process.end()

    assert SECRET not in found.values()
    assert found["OMP_NUM_THREADS"] == "1"
    assert found["TMPDIR"] == str(started.scratch)


def test_entering_takes_no_time_to_speak_of(worker: Worker) -> None:
    """A guard against what made it 50 ms once: a thousand rules. tests/benchmarks/cage.py measures it."""
    worker.facts("pool")
    began = time.monotonic()
    for _ in range(10):
        worker.facts("pool")

    assert time.monotonic() - began < 10


# where Python and its packages are

ASK_FOR_PYTHON = "import sys; from ovmake.workers.ipc.cage import python; print('\\n'.join(python()))"


def test_packages_beside_an_installed_ovmake_are_read_and_a_checkout_around_it_is_not(tmp_path: Path) -> None:
    checkout = Path(__file__).parents[3]
    installed = tmp_path / "target"  # as `pip install --target`
    shutil.copytree(checkout / "ovmake", installed / "ovmake", ignore=shutil.ignore_patterns("__pycache__"))

    def granted(around: Path) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-P", "-c", ASK_FOR_PYTHON],
            env={**os.environ, "PYTHONPATH": str(around)},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.splitlines()

    assert str(installed) in granted(installed)
    assert str(checkout) not in granted(checkout)
    assert str(checkout / "ovmake") in granted(checkout)
