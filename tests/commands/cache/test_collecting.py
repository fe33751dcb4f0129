"""`ovmake cache gc` beside builds that push, and gc that is killed: no result loses a blob that it needs in the end."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import pytest

from ovmake.commands.cache.collecting import collected
from ovmake.commands.cache.plan import DropPlan, Limits
from ovmake.commands.cache.verifying import verified_all
from ovmake.graph.digest import of_bytes
from ovmake.project.opening import read_session
from ovmake.project.repo import Where
from ovmake.remote.cache import SharedCache
from ovmake.remote.line import Line
from ovmake.remote.objects import Listed, Objects, open_objects
from ovmake.remote.settings import RemoteSettings
from tests.commands.cache.teams import age, objects
from tests.remote.results import made, seen

DAY_S = 86_400
OLD = Limits(age_s=30 * DAY_S)
FILES = {"xml": b"<net/>", "bin": b"w" * 1000}


class Hooked:
    """The objects of a remote; `hook` is called before each deletion, with its path."""

    def __init__(self, inner: Objects, hook: Callable[[str], None]) -> None:
        self._inner = inner
        self._hook = hook

    def get(self, path: str, most_bytes: int) -> bytes | None:
        return self._inner.get(path, most_bytes)

    def read(self, path: str) -> AbstractContextManager[Iterator[bytes] | None]:
        return self._inner.read(path)

    def put(self, path: str, data: bytes) -> None:
        self._inner.put(path, data)

    def write(self, path: str, chunks: Iterator[bytes], size_bytes: int) -> None:
        self._inner.write(path, chunks, size_bytes)

    def exists(self, path: str) -> int | None:
        return self._inner.exists(path)

    def list(self, folder: str) -> Iterator[Listed]:
        return self._inner.list(folder)

    def delete(self, path: str) -> None:
        self._hook(path)
        self._inner.delete(path)

    def close(self) -> None:
        self._inner.close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repo without a built target."""
    (tmp_path / "repo").mkdir()
    (tmp_path / "repo/Ovfile").write_text('[models.m]\nsource = "m.pb"\n')
    return tmp_path / "repo"


@pytest.fixture
def settings(remote: Path) -> RemoteSettings:
    return RemoteSettings(url=f"file://{remote}", push=True)


def push(settings: RemoteSettings, folder: Path, text: str, files: dict[str, bytes]) -> None:
    cache = SharedCache(settings)
    cache.push(made(folder / text, text, files, action=f"convert {text}"))
    assert {} == cache.settle().errors
    cache.close()


def gc(
    root: Path,
    settings: RemoteSettings,
    limits: Limits = OLD,
    *,
    hook: Callable[[str], None] = lambda _: None,
    dry_run: bool = False,
) -> DropPlan:
    line = Line(settings, lambda given: Hooked(open_objects(given), hook))
    try:
        with read_session(Where(folder=root), tell=lambda _: None) as session:
            return collected(session, line, limits, dry_run=dry_run)
    finally:
        line.close()


def wrong(settings: RemoteSettings) -> list[str]:
    line = Line(settings, open_objects)
    found = verified_all(line)
    line.close()
    return [one.why for one in found.wrong]


def make_old(remote: Path) -> None:
    for path in objects(remote).values():
        age(path, 40 * DAY_S)


def has(remote: Path, text: str) -> bool:
    return f"ac/{seen(text).digest}" in objects(remote)


def test_old_results_go_with_the_blobs_that_only_they_need(root: Path, settings: RemoteSettings, remote: Path) -> None:
    push(settings, root, "a", FILES)
    push(settings, root, "b", {"xml": FILES["xml"], "bin": b"other"})
    make_old(remote)
    push(settings, root, "c", {"xml": FILES["xml"]})

    plan = gc(root, settings)

    assert [False, False, True] == [has(remote, text) for text in "abc"]
    assert {f"cas/{of_bytes(FILES['xml']).sha256}"} == {path for path in objects(remote) if path.startswith("cas/")}
    assert (4, 2) == (len(plan.results["old"]), len(plan.blobs))
    assert [] == wrong(settings)


def test_a_dry_run_deletes_nothing(root: Path, settings: RemoteSettings, remote: Path) -> None:
    push(settings, root, "a", FILES)
    make_old(remote)

    plan = gc(root, settings, dry_run=True, hook=pytest.fail)

    assert (2, 2) == (len(plan.results["old"]), len(plan.blobs))


def test_a_push_while_results_are_dropped_keeps_the_blobs_that_it_found(
    root: Path, settings: RemoteSettings, remote: Path
) -> None:
    push(settings, root, "a", FILES)
    make_old(remote)
    done: list[str] = []

    def once(path: str) -> None:
        if path.startswith("ac/") and not done:
            done.append(path)
            push(settings, root, "b", FILES)  # its blobs are there, so it sends none

    plan = gc(root, settings, hook=once)

    assert [False, True] == [has(remote, text) for text in "ab"]
    assert ((), 2) == (plan.blobs, plan.kept_blobs)
    assert [] == wrong(settings)


def test_the_same_result_pushed_again_meanwhile_is_a_miss_or_whole(
    root: Path, settings: RemoteSettings, remote: Path
) -> None:
    push(settings, root, "a", FILES)
    make_old(remote)
    done: list[str] = []

    def once(path: str) -> None:
        if path.startswith("ac/"):
            done.append(path)
            if len(done) == 2:
                push(settings, root, "a", FILES)

    gc(root, settings, hook=once)

    assert [] == wrong(settings)


def test_a_push_while_blobs_are_dropped_is_a_miss_and_never_a_broken_result(
    root: Path, settings: RemoteSettings, remote: Path
) -> None:
    push(settings, root, "a", FILES)
    make_old(remote)
    done: list[str] = []

    def once(path: str) -> None:
        if path.startswith("cas/") and not done:
            done.append(path)
            push(settings, root, "b", FILES)

    gc(root, settings, hook=once)

    assert done
    assert not has(remote, "b")
    assert [] == wrong(settings)
    push(settings, root, "b", FILES)  # whoever has it sends all of it again
    assert has(remote, "b")
    assert [] == wrong(settings)


class Killed(BaseException):
    """A kill of the process: nothing of it goes on."""


@pytest.mark.parametrize("after", range(8))
def test_a_kill_between_any_two_deletions_leaves_no_broken_result(
    root: Path, settings: RemoteSettings, remote: Path, after: int
) -> None:
    push(settings, root, "a", FILES)
    push(settings, root, "b", {"xml": b"b", "bin": FILES["bin"]})
    make_old(remote)
    push(settings, root, "c", {"bin": FILES["bin"]})
    left = [after]

    def kill(_: str) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Killed

    with suppress(Killed):
        gc(root, settings, hook=kill)
    assert [] == wrong(settings)

    gc(root, settings)

    assert {f"cas/{of_bytes(FILES['bin']).sha256}"} == {path for path in objects(remote) if path.startswith("cas/")}


def test_blobs_of_an_upload_in_progress_stay(root: Path, settings: RemoteSettings, remote: Path) -> None:
    blob = of_bytes(b"its result comes later").sha256
    (remote / "cas").mkdir()
    (remote / f"cas/{blob}").write_bytes(b"its result comes later")

    assert gc(root, settings).empty
    age(remote / f"cas/{blob}", 2 * DAY_S)

    assert 1 == len(gc(root, settings).blobs)


def test_a_result_of_another_version_keeps_its_blobs(root: Path, settings: RemoteSettings, remote: Path) -> None:
    push(settings, root, "a", FILES)
    path = remote / f"ac/{seen('a').digest}"
    envelope = json.loads(path.read_bytes())
    payload = json.loads(base64.b64decode(envelope["payload"]))
    payload |= {"format": 9, "unheard": "of"}
    path.write_text(json.dumps({**envelope, "payload": base64.b64encode(json.dumps(payload).encode()).decode()}))
    for one in objects(remote).values():
        age(one, 2 * DAY_S)

    plan = gc(root, settings)

    assert plan.empty
    assert has(remote, "a")


@pytest.mark.parametrize(
    "data", [b"", b"{}", b'{"payload": 1}', b'{"payload": "e30="}', b"[" * 900_000, b"x" * 1_100_000]
)
def test_results_that_nobody_can_read_go(root: Path, settings: RemoteSettings, remote: Path, data: bytes) -> None:
    push(settings, root, "a", FILES)
    (remote / f"ac/{seen('a').digest}").write_bytes(data)
    for one in objects(remote).values():
        age(one, 2 * DAY_S)

    plan = gc(root, settings)

    assert (1, 2) == (len(plan.results["damaged"]), len(plan.blobs))


def test_a_result_whose_blob_is_gone_goes_too(root: Path, settings: RemoteSettings, remote: Path) -> None:
    push(settings, root, "a", FILES)
    for one in objects(remote).values():
        age(one, 2 * DAY_S)
    (remote / f"cas/{of_bytes(FILES['xml']).sha256}").unlink()

    plan = gc(root, settings, Limits())

    assert 1 == len(plan.results["incomplete"])
    assert [f"cas/{of_bytes(FILES['bin']).sha256}"] == [one.path for one in plan.blobs]
    assert not has(remote, "a")
