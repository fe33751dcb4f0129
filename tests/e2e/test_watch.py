"""`ovmake build --watch`: no change is missed, wherever and whenever it comes, and what is no change starts nothing."""

from __future__ import annotations

import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import ROOT, Repo, environment
from tests.e2e.processes import alive, children, wait_for
from tests.e2e.tiny import built_scale, frozen_graph, saved_model, tiny_repo

pytestmark = pytest.mark.heavy

PATIENCE_S = 60
Event = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Watch:
    """A running `ovmake build --watch --json`, and the events it has told so far."""

    process: subprocess.Popen[str]
    events: list[Event] = field(default_factory=list)
    reader: threading.Thread = field(init=False)
    _lines: queue.Queue[str] = field(default_factory=queue.Queue)

    def __post_init__(self) -> None:
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def until(self, wanted: Callable[[Event], bool]) -> Event:
        """Wait for an event."""
        while True:
            line = self._lines.get(timeout=PATIENCE_S)
            assert line, f"it ended: {self.process.wait()}"
            self.events.append(json.loads(line))
            if wanted(self.events[-1]):
                return self.events[-1]

    def idle(self) -> Event:
        """Wait until a build is over and it waits for changes."""
        return self.until(lambda event: event["event"] == "watching")

    def idle_when(self, done: Callable[[], bool]) -> None:
        """Wait for the build after which something is so."""
        while True:
            self.idle()
            if done():
                return

    @property
    def builds(self) -> int:
        """How many builds were begun."""
        return sum(event["event"] == "build-started" for event in self.events)

    def end(self) -> int:
        """Press Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=PATIENCE_S)


@contextmanager
def listening(process: subprocess.Popen[str]) -> Iterator[Watch]:
    """Hear what a process tells, for the time of a test."""
    watch = Watch(process=process)
    try:
        yield watch
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        watch.reader.join()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


def watching(repo: Repo, *words: str) -> AbstractContextManager[Watch]:
    """Watch for the time of a test."""
    return listening(repo.start("build", "--watch", "--json", *words))


def started(repo: Repo, *before: str, code: Path = ROOT) -> subprocess.Popen[str]:
    """Watch `file` with other code, or with words before the command."""
    return subprocess.Popen(
        [*before, sys.executable, "-m", "ovmake", "build", "--watch", "--json", "file"],
        cwd=repo.folder,
        env={**environment(), "PYTHONPATH": str(code)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def told(kind: str, action: str) -> Callable[[Event], bool]:
    """Return whether an event is of this kind and of the action "convert file"."""
    return lambda event: event["event"] == kind and f"{event.get('action')} {event.get('target')}" == action


@pytest.fixture(scope="module")
def tiny_once(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    """Both models, built; not to be changed."""
    repo = tiny_repo(tmp_path_factory.mktemp("tiny") / "repo")
    result = repo.build()
    assert result.status == 0, result.stdout + result.stderr
    return repo


@pytest.fixture
def tiny(tiny_once: Repo, tmp_path: Path) -> Repo:
    """Both models, built."""
    return tiny_once.copy(tmp_path / "repo")


def save(repo: Repo, scale: float) -> None:
    """Write the frozen graph in place."""
    (repo.folder / "models/file.pb").write_bytes(frozen_graph(scale))


# no change is missed


@pytest.mark.parametrize("when", ["action-started", "action-finished"])
def test_change_during_a_build_is_built_next(tiny: Repo, when: str) -> None:
    save(tiny, 2)

    with watching(tiny, "file") as watch:
        watch.until(told(when, "convert file"))
        save(tiny, 3)
        watch.idle_when(lambda: built_scale(tiny, "file") == 3)

        assert watch.builds == 2


def test_many_quick_saves_are_few_builds_and_the_last_state_is_what_is_built(tiny: Repo) -> None:
    with watching(tiny, "file") as watch:
        watch.idle()
        for scale in range(2, 32):
            save(tiny, scale)
            time.sleep(0.01)  # an editor's pace, and no wait for anything

        watch.idle_when(lambda: built_scale(tiny, "file") == 31)

        assert watch.builds <= 4


def test_steady_stream_of_changes_starves_no_build(tiny: Repo) -> None:
    enough = threading.Event()

    def write() -> None:
        scale = 2
        while not enough.wait(0.03):
            save(tiny, scale)
            scale += 1

    writer = threading.Thread(target=write)
    with watching(tiny, "file") as watch:
        watch.idle()
        writer.start()
        try:
            watch.until(told("action-started", "convert file"))
        finally:
            enough.set()
            writer.join()


def test_save_by_renaming_is_a_change(tiny: Repo) -> None:
    with watching(tiny, "file") as watch:
        watch.idle()
        for scale in (2, 3):
            beside = tiny.folder / "models/.file.pb.swp"
            beside.write_bytes(frozen_graph(scale))
            beside.rename(tiny.folder / "models/file.pb")

            watch.idle_when(lambda scale=scale: built_scale(tiny, "file") == scale)  # type: ignore[misc]


def test_folder_that_is_replaced_whole_is_a_change_and_so_is_what_changes_in_it_after(tiny: Repo) -> None:
    source, fresh = tiny.folder / "models/folder", tiny.folder / "export"
    with watching(tiny, "folder") as watch:
        watch.idle()
        for scale, away in ((2, lambda: source.rename(tiny.folder / "old")), (3, lambda: shutil.rmtree(source))):
            fresh.mkdir()
            (fresh / "saved_model.pb").write_bytes(saved_model(scale))
            away()
            fresh.rename(source)
            watch.idle_when(lambda scale=scale: built_scale(tiny, "folder") == scale)  # type: ignore[misc]

        (source / "saved_model.pb").write_bytes(saved_model(4))

        watch.idle_when(lambda: built_scale(tiny, "folder") == 4)


def test_what_is_written_in_a_new_subfolder_is_a_change(tiny: Repo) -> None:
    new = tiny.folder / "models/folder/assets/deep"
    with watching(tiny, "folder") as watch:
        watch.idle()
        new.mkdir(parents=True)
        (new / "words.txt").write_text("one")
        watch.until(lambda e: "models/folder changed: assets/deep/words.txt is new  Ovfile:9" in e.get("reasons", ()))
        watch.idle()

        (new / "words.txt").write_text("two")

        watch.until(told("action-started", "convert folder"))


def test_folder_above_a_source_that_is_replaced_is_a_change(tiny: Repo) -> None:
    shutil.copytree(tiny.folder / "models", tiny.folder / "fresh")
    (tiny.folder / "fresh/file.pb").write_bytes(frozen_graph(2))

    with watching(tiny, "file") as watch:
        watch.idle()
        (tiny.folder / "models").rename(tiny.folder / "stale")
        (tiny.folder / "fresh").rename(tiny.folder / "models")

        watch.idle_when(lambda: built_scale(tiny, "file") == 2)


def test_link_that_is_pointed_elsewhere_is_a_change_and_so_is_what_it_points_at(tiny: Repo) -> None:
    exports = tiny.folder / "exports"
    for scale in (1, 2):
        (exports / str(scale)).mkdir(parents=True)
        (exports / str(scale) / "file.pb").write_bytes(frozen_graph(scale))
    link = tiny.folder / "current"
    link.symlink_to("exports/1")
    tiny.edit("models/file.pb", "current/file.pb")

    with watching(tiny, "file") as watch:
        watch.idle()
        (tiny.folder / "next").symlink_to("exports/2")
        (tiny.folder / "next").rename(link)
        watch.idle_when(lambda: built_scale(tiny, "file") == 2)

        (exports / "2/file.pb").write_bytes(frozen_graph(3))

        watch.idle_when(lambda: built_scale(tiny, "file") == 3)


def test_source_that_is_not_there_yet_is_built_when_it_appears(tiny: Repo) -> None:
    tiny.edit("models/file.pb", "later/deep/file.pb")
    with watching(tiny, "file") as watch:
        missing = watch.until(told("action-finished", "convert file"))
        assert missing["diagnostic"]["code"] == "source-not-found"
        watch.idle()

        (tiny.folder / "later/deep").mkdir(parents=True)
        (tiny.folder / "later/deep/file.pb").write_bytes(frozen_graph(2))

        watch.idle_when(lambda: built_scale(tiny, "file") == 2)


def test_failed_build_waits_for_the_source_to_be_mended(tiny: Repo) -> None:
    (tiny.folder / "models/file.pb").write_bytes(b"no graph")
    with watching(tiny, "file") as watch:
        assert watch.until(told("action-finished", "convert file"))["status"] == "failed"
        watch.idle()

        save(tiny, 2)

        watch.idle_when(lambda: built_scale(tiny, "file") == 2)


def test_broken_ovfile_is_told_and_the_mended_one_is_built_with_what_it_newly_names(tiny: Repo) -> None:
    whole = (tiny.folder / "Ovfile").read_text()
    with watching(tiny, "file") as watch:
        watch.idle()
        (tiny.folder / "Ovfile").write_text(whole + "[models")
        assert watch.until(lambda event: event["event"] == "diagnostic")["code"] == "toml-syntax"
        assert watch.idle() == {"event": "watching", "files": 1}  # the Ovfile

        (tiny.folder / "more.pb").write_bytes(frozen_graph(2))
        (tiny.folder / "Ovfile").write_text(whole.replace("models/file.pb", "more.pb"))
        watch.idle_when(lambda: built_scale(tiny, "file") == 2)

        (tiny.folder / "more.pb").write_bytes(frozen_graph(3))

        watch.idle_when(lambda: built_scale(tiny, "file") == 3)


# what is no change


def test_what_is_written_in_the_build_folder_and_the_store_starts_nothing(tiny: Repo) -> None:
    with watching(tiny, "file") as watch:
        watch.idle()
        for path in (
            "build/file/notes.txt",
            "build/new/notes.txt",
            ".ovmake/notes.txt",
            "models/unnamed.txt",
            "notes.txt",
        ):
            (tiny.folder / path).parent.mkdir(exist_ok=True)
            (tiny.folder / path).write_text("x")
        other = tiny.ovmake("build", "file")  # which nothing holds up, and which writes in both
        save(tiny, 2)
        watch.idle_when(lambda: built_scale(tiny, "file") == 2)

        assert (other.status, other.stdout) == (0, "up to date: 1 target\n")
        assert watch.builds == 2


def test_only_what_the_chosen_targets_are_built_of_is_watched(tiny: Repo) -> None:
    with watching(tiny, "file") as watch:
        assert watch.idle() == {"event": "watching", "files": 2}
        (tiny.folder / "models/folder/saved_model.pb").write_bytes(saved_model(2))
        save(tiny, 2)

        watch.idle_when(lambda: built_scale(tiny, "file") == 2)

        assert watch.builds == 2


def test_force_is_for_the_first_build_only(tiny: Repo) -> None:
    with watching(tiny, "file", "--force") as watch:
        watch.until(told("action-started", "convert file"))
        watch.idle()
        (tiny.folder / "Ovfile").touch()
        watch.idle()

        assert watch.events[-3]["target"] == "file:fp32"
        assert watch.events[-3]["status"] == "fresh"


# how it begins and ends


def test_it_says_in_words_what_it_does_and_shortly_that_nothing_is_to_do(tiny: Repo) -> None:
    process = tiny.start("build", "--watch")
    assert process.stdout is not None
    assert process.stderr is not None
    for _ in range(2):
        assert process.stdout.readline() == "up to date: 2 targets\n"
        assert process.stderr.readline() == "watching 3 files; Ctrl-C ends it\n"
        (tiny.folder / "Ovfile").touch()
    assert process.stdout.readline() == "up to date: 2 targets\n"

    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=PATIENCE_S)

    assert (process.returncode, stdout) == (130, "")
    assert stderr.splitlines()[-1] == "interrupted; finished actions are stored"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_the_wait_quickly(tiny: Repo, number: signal.Signals) -> None:
    with watching(tiny) as watch:
        watch.idle()
        begun = time.monotonic()

        watch.process.send_signal(number)

        assert watch.process.wait(timeout=PATIENCE_S) == 130
        assert time.monotonic() - begun < 5
        assert children(watch.process.pid) == []


def test_ctrl_c_during_a_build_leaves_no_process(tiny: Repo) -> None:
    save(tiny, 2)
    with watching(tiny, "file") as watch:
        watch.until(told("action-started", "convert file"))
        wait_for(lambda: children(watch.process.pid))
        workers = children(watch.process.pid)

        assert watch.end() == 130

        assert [worker for worker in workers if alive(worker)] == []


@pytest.mark.parametrize(
    ("words", "code"), [(["nonsense"], "unknown-target"), (["-f", "Nonsense"], "no-ovfile")], ids=["target", "Ovfile"]
)
def test_command_that_is_wrong_from_the_start_waits_for_nothing(tiny: Repo, words: list[str], code: str) -> None:
    result = tiny.ovmake("build", "--watch", "--json", *words)

    assert (result.status, [event["code"] for event in result.events]) == (2, [code])


def test_dry_run_and_watch_exclude_each_other(tiny: Repo) -> None:
    result = tiny.ovmake("build", "--watch", "-n")

    assert result.status == 2
    assert result.stderr.splitlines()[-1].endswith("argument -n/--dry-run: not allowed with argument --watch")


def test_it_ends_when_ovmake_itself_is_changed(tiny: Repo, tmp_path: Path) -> None:
    code = tmp_path / "code"
    shutil.copytree(ROOT / "ovmake", code / "ovmake", ignore=shutil.ignore_patterns("__pycache__"))
    with listening(started(tiny, code=code)) as watch:
        watch.idle()
        with (code / "ovmake/rules/convert.py").open("a") as file:
            file.write("# another version\n")
        save(tiny, 2)

        assert watch.until(lambda event: event["event"] == "diagnostic")["code"] == "ovmake-changed"
        assert watch.process.wait(timeout=PATIENCE_S) == 1
        assert built_scale(tiny, "file") == 1


# where nobody tells of changes


def test_without_notifications_files_are_looked_at(tiny: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHFILES_FORCE_POLLING", "1")
    with watching(tiny, "file", "folder") as watch:
        watch.idle()
        save(tiny, 2)
        watch.idle_when(lambda: built_scale(tiny, "file") == 2)

        (tiny.folder / "models/folder/saved_model.pb").write_bytes(saved_model(3))

        watch.idle_when(lambda: built_scale(tiny, "folder") == 3)


@pytest.mark.parametrize(
    ("limit", "setting", "message"),
    [
        ("max_inotify_watches", "max_user_watches", "folders cannot be watched: this user's limit of inotify watches"),
        (
            "max_inotify_instances",
            "max_user_instances",
            "no file can be watched: this user's limit of inotify instances",
        ),
    ],
)
def test_limit_of_the_system_is_told_and_files_are_looked_at(
    tiny: Repo, limit: str, setting: str, message: str
) -> None:
    limited = ["unshare", "--user", "--map-root-user", "sh", "-c", f'echo 0 >/proc/sys/user/{limit}; exec "$@"', "sh"]
    if subprocess.run([*limited, "true"], check=False, capture_output=True).returncode:
        pytest.skip("no user namespaces here")
    with listening(started(tiny, *limited)) as watch:
        warning = watch.idle()["warning"]
        save(tiny, 2)
        watch.idle_when(lambda: built_scale(tiny, "file") == 2)

        assert message in warning["message"]
        assert f"sudo sysctl fs.inotify.{setting}=" in warning["help"]
        assert watch.end() == 130


def test_name_that_is_no_text_ends_no_watch(tiny: Repo) -> None:
    with watching(tiny, "file") as watch:
        watch.idle()
        (tiny.folder / "models" / os.fsdecode(b"\x80.txt")).touch()
        watch.idle()  # watchfiles can tell no more
        save(tiny, 2)

        watch.idle_when(lambda: built_scale(tiny, "file") == 2)

        assert watch.events[-1]["warning"]["code"] == "watch-limit"
