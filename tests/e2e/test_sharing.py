"""Two clones of one repo: what one built and pushed, the other one has, whole and signed; and what a lock promises.

The remote of most tests is a folder; tests/remote tries servers, and what they may do wrong.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ovmake.contracts.sharing.lock import Lock, LockedTarget
from ovmake.lockfile.file import read_lock, write_lock
from ovmake.lockfile.present import PresentFiles, present_inputs
from ovmake.project.opening import read_session
from ovmake.project.repo import Where
from ovmake.remote.signing import public_key_for
from tests.e2e.conftest import Repo, Result, copy_example
from tests.remote.servers import seaweed

pytestmark = pytest.mark.heavy

PRIVATE = hashlib.sha256(b"ci").digest()
PUBLIC = public_key_for(PRIVATE)
MIXED = """
[models.fashion.int8]
calibration = "calibration"
samples = 300
on-drop = "mixed"
accuracy.max-drop = 0.003
"""
# In its process no framework can be imported, numpy neither.
WITHOUT_FRAMEWORKS = """
for name in ("tensorflow", "nncf", "openvino", "numpy", "keras", "tf_keras"):
    sys.modules[name] = None
"""


def share(repo: Repo, remote: str, *keys: str, extra: str = "") -> Repo:
    """Let a repo name a remote cache."""
    listed = ", ".join(f'"{key}"' for key in keys)
    path = repo.folder / "Ovfile"
    path.write_text(
        path.read_text()
        + f'\n[cache]\nremote = "{remote}"\n'
        + (f"trusted-keys = [{listed}]\n" if keys else "")
        + extra
    )
    return repo


def accept(repo: Repo) -> Repo:
    result = repo.ovmake("cache", "trust", "--remote", "--yes")
    assert 0 == result.status, result.stderr
    return repo


@pytest.fixture(scope="module", autouse=True)
def _home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A user who signs, and whose acceptances are those of these tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        patch.setenv("OVMAKE_CACHE_SIGNING_KEY", base64.b64encode(PRIVATE).decode())
        yield


@pytest.fixture(scope="module")
def remote(built_once: Repo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that has what one machine made of the example, and the machine's repo beside it, with a lock."""
    folder = tmp_path_factory.mktemp("team")
    maker = accept(share(built_once.copy(folder / "maker"), f"file://{folder}/remote", PUBLIC))
    pushed = maker.ovmake("cache", "push")
    assert 0 == pushed.status, pushed.stderr
    assert 0 == maker.ovmake("lock").status
    return folder


@pytest.fixture
def clone(remote: Path, tmp_path: Path) -> Repo:
    """A clone in which nothing was built, with the lock."""
    repo = accept(share(copy_example(tmp_path / "clone"), f"file://{remote}/remote", PUBLIC))
    (repo.folder / "Ovfile.lock").write_bytes((remote / "maker/Ovfile.lock").read_bytes())
    return repo


def made_by(remote: Path) -> dict[str, bytes]:
    return Repo(folder=remote / "maker").outputs()


def last(result: Result) -> dict[str, object]:
    """Return what a build had of the remote cache."""
    found = result.events[-1]["remote"]
    assert isinstance(found, dict)
    return found


def test_the_second_clone_runs_nothing_and_has_the_same_bytes(clone: Repo, remote: Path) -> None:
    result = clone.build()

    assert (0, []) == (result.status, result.actions("ran")), result.stderr
    assert 18 == last(result)["restored"] == len(result.actions("restored"))
    assert made_by(remote) == clone.outputs()
    assert set() == clone.workers_started()
    assert [] == [event for event in clone.build().events if event["event"] == "action-finished"]


def test_the_last_lines_say_what_came_from_where(clone: Repo) -> None:
    result = clone.ovmake("build")

    assert re.search(r"remote cache: restored 18 results \(\d\.\d+ MB\), ran 0 actions\n", result.stdout), result.stdout
    assert "convert fashion: restored from the remote cache\n" in result.stderr


def test_a_remote_that_nobody_accepted_is_not_used(clone: Repo, remote: Path) -> None:
    clone.edit(f"file://{remote}/remote", f"file://{remote}/elsewhere")

    result = clone.ovmake("build", "fashion:fp32")

    assert 0 == result.status
    assert 1 == result.stderr.count("warning[remote-not-accepted]")
    assert not (remote / "elsewhere").exists()


def test_explain_says_how_the_nearest_result_differs(clone: Repo) -> None:
    same = clone.ovmake("explain", "fashion:fp32")
    clone.edit("mean = 72.94", "mean = 70")
    other = clone.ovmake("explain", "fashion:fp32")

    assert "convert fashion: the remote cache has the result, and a build restores it\n" in same.stdout
    assert "convert fashion: the latest result in the remote cache differs\n" in other.stdout
    assert re.search(r"\n    `inputs.image.mean` changed: \[72.94\] → \[70.0\]  Ovfile:\d+\n", other.stdout), (
        other.stdout
    )


def test_a_flipped_bit_in_the_remote_costs_time_and_no_byte(clone: Repo, remote: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    for path in (remote / "remote").rglob("*"):
        if path.is_file():
            target = damaged / path.relative_to(remote / "remote")
            target.parent.mkdir(parents=True, exist_ok=True)
            data = bytearray(path.read_bytes())
            if "cas" in target.parts and len(data) > 10_000:
                data[5000] ^= 1
            target.write_bytes(data)
    clone.edit(f"file://{remote}/remote", f"file://{damaged}")
    accept(clone)

    result = clone.build("fashion:fp32")

    assert 0 == result.status, result.stderr
    assert "convert fashion" in result.actions("ran")
    assert {"a blob does not match its digest"} == set(last(result)["refused"])  # type: ignore[call-overload]
    published = {name: data for name, data in made_by(remote).items() if name.startswith("fashion/fp32/")}
    assert published == clone.outputs()


def test_results_of_a_stranger_are_not_believed(clone: Repo) -> None:
    clone.edit(PUBLIC, public_key_for(hashlib.sha256(b"somebody else").digest()))
    accept(clone)

    result = clone.build("fashion:fp32", "--remote-only")

    assert 1 == result.status
    assert [] == result.actions("ran")
    (failed,) = (event["diagnostic"] for event in result.events if event.get("diagnostic"))
    assert "not-cached" == failed["code"]
    assert last(result)["refused"]
    assert {} == clone.outputs()


def test_frozen_needs_no_framework_and_no_sources(clone: Repo, remote: Path, tmp_path: Path) -> None:
    for name in ("models", "data"):
        for path in sorted((clone.folder / name).rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        (clone.folder / name).rmdir()
    (tmp_path / "sitecustomize.py").write_text(WITHOUT_FRAMEWORKS)
    before = os.environ.get("PYTHONPATH", "")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", f"{tmp_path}:{before}")
        patch.setenv("OVMAKE_WARM", "")
        result = clone._start({**os.environ, "TERM": "dumb"}, "-m", "ovmake", "build", "--frozen")
        _, stderr = result.communicate(timeout=60)

    assert 0 == result.returncode, stderr
    assert made_by(remote) == clone.outputs()
    assert 0 == clone.ovmake("build", "--frozen").status


def test_frozen_refuses_other_settings(clone: Repo) -> None:
    clone.edit("samples = 300", "samples = 299")

    result = clone.ovmake("build", "--frozen", "fashion:int8")

    assert (1, {}) == (result.status, clone.outputs())
    assert "error[lock-outdated]: Ovfile.lock: fashion:int8 is out of date: its settings" in result.stderr


def test_frozen_says_what_no_cache_has(clone: Repo, tmp_path: Path, remote: Path) -> None:
    clone.edit(f"file://{remote}/remote", f"file://{tmp_path}/empty")
    accept(clone)

    result = clone.ovmake("build", "--frozen", "fashion:fp16")

    assert (1, {}) == (result.status, clone.outputs())
    assert "error[not-cached]: fashion:fp16: no cache has the locked build/fashion/fp16/fashion.bin" in result.stderr


def test_locked_builds_what_the_lock_names(clone: Repo, remote: Path) -> None:
    result = clone.ovmake("build", "--locked")

    assert 0 == result.status, result.stderr
    assert made_by(remote) == clone.outputs()


def test_locked_publishes_no_other_bytes(clone: Repo) -> None:
    block = locked(clone, "fashion:fp16")
    name = "fashion/fp16/fashion.bin"
    lock_as(clone, "fashion:fp16", replace(block, outputs={**block.outputs, name: "01234567" * 8 + ":297410"}))

    result = clone.ovmake("build", "--locked", "fashion:fp16")

    assert (1, {}) == (result.status, clone.outputs())
    assert "error[not-as-locked]: publish fashion:fp16: build/fashion/fp16/fashion.bin is not the file" in result.stderr


def test_locked_refuses_a_source_that_changed(clone: Repo) -> None:
    (clone.folder / "models/fashion/assets").mkdir(exist_ok=True)
    (clone.folder / "models/fashion/assets/new.txt").write_text("new")

    result = clone.ovmake("build", "--locked", "fashion:fp32")

    assert 1 == result.status
    assert "Ovfile.lock: fashion:fp32 is out of date: `models/fashion` changed" in result.stderr


def test_an_upgrade_check_compares_and_publishes_nothing(clone: Repo) -> None:
    block = locked(clone, "fashion:int8")
    lock_as(clone, "fashion:int8", replace(block, versions={**block.versions, "openvino": "2026.1.0"}))

    result = clone.ovmake("build", "--upgrade-check", "fashion:int8")

    assert (0, {}) == (result.status, clone.outputs()), result.stderr
    assert result.stdout.startswith("openvino 2026.1.0 → ")
    assert re.search(r"fashion:int8 +the same IR, gate passed, size \d+ kB, drop 0\.00\d+\n", result.stdout)


def test_an_upgrade_that_loses_a_gate_fails(clone: Repo) -> None:
    clone.edit("max-drop = 0.01", "max-drop = -0.5")
    claim_present_inputs(clone, "fashion:fp16")

    result = clone.ovmake("build", "--upgrade-check", "fashion:fp16")

    assert (1, {}) == (result.status, clone.outputs())
    assert re.search(r"fashion:fp16 +no IR: gate fashion:fp16: .*0.9180", result.stdout), result.stdout


def claim_present_inputs(repo: Repo, target: str) -> None:
    """Let the lock say that a target was locked with its present settings, as if older tools had passed its gate."""
    with read_session(Where(folder=repo.folder, file="Ovfile", allow_outside=False), tell=print) as session:
        files = PresentFiles(disk=session.disk, database=session.database, inside=session.inside)
        now = present_inputs(session.graph(measure=False), [target], files)[target]
    block = locked(repo, target)
    lock_as(repo, target, replace(block, inputs=now.inputs, settings=now.settings, sources=now.sources))


def locked(repo: Repo, target: str) -> LockedTarget:
    lock = read_lock(repo.folder)
    assert lock is not None
    return lock.targets[target]


def lock_as(repo: Repo, target: str, block: LockedTarget) -> None:
    """Exchange a block of the lock; its digest is that of what it says now."""
    lock = read_lock(repo.folder)
    assert lock is not None
    write_lock(repo.folder, Lock(targets={**lock.targets, target: block}))


def test_a_killed_push_leaves_no_result_without_its_blobs(built: Repo, tmp_path: Path) -> None:
    accept(share(built, f"file://{tmp_path}/remote", PUBLIC))
    for more in (0.0, 0.01, 0.03, 0.1):
        process = built.start("cache", "push")
        while not (tmp_path / "remote/cas").is_dir() and process.poll() is None:
            time.sleep(0.005)
        time.sleep(more)
        process.send_signal(signal.SIGKILL)
        process.communicate()

        checked = built.ovmake("cache", "verify", "--all")

        assert 0 == checked.status, checked.stdout + checked.stderr
    assert 0 == built.ovmake("cache", "push").status


def test_two_clones_share_what_a_build_pushes_to_seaweedfs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with seaweed(tmp_path / "weed") as server:
        for name, value in (("AWS_ACCESS_KEY_ID", "ak"), ("AWS_SECRET_ACCESS_KEY", "sk")):
            monkeypatch.setenv(name, value)
        server.shell("s3.bucket.create -name shared")
        endpoint = f'endpoint = "{server.endpoint}"\n'
        one, other = (
            accept(share(copy_example(tmp_path / name), "s3://shared/models", PUBLIC, extra=endpoint))
            for name in ("one", "other")
        )

        pushed = one.build("fashion:fp32", "--push")
        taken = other.build("fashion:fp32")

    assert 0 == pushed.status, pushed.stderr
    assert len(pushed.actions("ran")) == last(pushed).get("uploaded"), last(pushed)
    assert (0, []) == (taken.status, taken.actions("ran")), taken.stderr
    assert one.outputs() == other.outputs()


def test_the_layers_of_the_lock_are_reverted_without_a_search(clone: Repo, tmp_path: Path) -> None:
    for repo in (clone, other := copy_example(tmp_path / "other")):
        path = repo.folder / "Ovfile"
        text, _, rest = path.read_text().partition("\n# For this precision only.")
        path.write_text(text + MIXED + (rest[rest.index("\n[cache]") :] if "[cache]" in rest else ""))
    first = clone.build("fashion:int8", "--no-remote")
    assert 0 == first.status, first.stderr
    assert 0 == clone.ovmake("lock", "fashion:int8").status
    (other.folder / "Ovfile.lock").write_bytes((clone.folder / "Ovfile.lock").read_bytes())

    second = other.build("fashion:int8")

    assert 0 == second.status, second.stderr
    searched, replayed = (repo.record("fashion", "int8")["accuracy_control"] for repo in (clone, other))
    assert (False, True) == (searched.get("replayed", False), replayed["replayed"])
    assert (1, True) == (len(replayed["trials"]), replayed["kept"])
    assert [layer["name"] for layer in searched["reverted"]] == [layer["name"] for layer in replayed["reverted"]]
    for name in ("fashion.xml", "fashion.bin"):
        assert clone.outputs()[f"fashion/int8/{name}"] == other.outputs()[f"fashion/int8/{name}"]
    assert 0 == other.ovmake("build", "--locked", "fashion:int8").status
