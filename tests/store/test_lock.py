"""Two ovmakes in one repo: the second waits and says so, or fails at once. Real processes hold the lock."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from ovmake.diagnostics import OvmakeError
from ovmake.store.files.own_folders import OwnFolders
from ovmake.store.lock import hold, holder

ROOT = Path(__file__).parent.parent.parent

# Takes the lock, says what it was told, and keeps it until stdin ends.
HOLDER = """
import sys
from pathlib import Path
from ovmake.store.files.own_folders import OwnFolders
from ovmake.store.lock import hold
folder = Path(sys.argv[1])
with hold(OwnFolders(str(folder.parent)), folder.name, wait=True, waiting=lambda text: print(text, flush=True)):
    print("held", flush=True)
    sys.stdin.read()
"""


class Other:
    """Another process that holds the lock, or waits for it."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def line(self) -> str:
        """Return the next line it prints, waiting for it."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def end(self) -> None:
        """Have it let go and end."""
        self.process.communicate()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / ".ovmake"


@pytest.fixture
def other(folder: Path) -> Iterator[Other]:
    started = Other(folder)
    assert started.line() == "held"
    yield started
    if started.process.poll() is None:
        started.end()


def held(folder: Path, *, wait: bool, waiting: Callable[[str], None]) -> AbstractContextManager[None]:
    return hold(OwnFolders(str(folder.parent)), folder.name, wait=wait, waiting=waiting)


def never(text: str) -> None:
    pytest.fail(f"waited: {text}")


def test_alone_it_is_held_at_once_and_again(folder: Path) -> None:
    for _ in range(2):
        with held(folder, wait=False, waiting=never):
            assert (folder / "lock").read_text() == str(os.getpid())


def test_no_wait_fails_and_names_the_holder(folder: Path, other: Other) -> None:
    with pytest.raises(OvmakeError) as caught, held(folder, wait=False, waiting=never):
        pytest.fail("two hold it")

    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "locked"
    assert diagnostic.message == f"another ovmake (process {other.process.pid}) is running in {folder.parent}"
    assert caught.value.exit_status == 1


def test_second_process_says_that_it_waits_and_gets_the_lock_after_the_first(folder: Path, other: Other) -> None:
    second = Other(folder)
    expected = f"another ovmake (process {other.process.pid}) is running in {folder.parent}; waiting for it to end"
    assert second.line() == expected
    assert second.process.poll() is None

    other.end()

    assert second.line() == "held"
    second.end()


def test_whoever_waits_for_a_lock_that_is_removed_gets_the_one_that_others_see(folder: Path, other: Other) -> None:
    """As `clean --all` does, which removes all of the folder before it lets go."""
    second = Other(folder)
    assert second.line().endswith("waiting for it to end")
    shutil.rmtree(folder)

    other.end()

    assert second.line() == "held"
    with pytest.raises(OvmakeError), held(folder, wait=False, waiting=never):
        pytest.fail("two hold it")
    second.end()


def test_whoever_waits_for_a_lock_that_is_removed_waits_for_who_took_the_new_one(folder: Path, other: Other) -> None:
    second = Other(folder)
    assert second.line().endswith("waiting for it to end")
    shutil.rmtree(folder)
    third = Other(folder)
    assert third.line() == "held"

    other.end()

    assert second.line() == (
        f"another ovmake (process {third.process.pid}) is running in {folder.parent}; waiting for it to end"
    )
    third.end()
    assert second.line() == "held"
    second.end()


def test_lock_of_a_killed_process_is_free(folder: Path, other: Other) -> None:
    other.process.send_signal(signal.SIGKILL)
    other.process.wait()
    other.process.communicate()

    with held(folder, wait=False, waiting=never):
        pass


def test_lock_is_free_after_an_error(folder: Path) -> None:
    with pytest.raises(RuntimeError, match="inside"), held(folder, wait=False, waiting=never):
        raise RuntimeError("inside")

    with held(folder, wait=False, waiting=never):
        pass


def test_other_folders_are_other_locks(tmp_path: Path, other: Other) -> None:
    assert other.process.poll() is None
    with held(tmp_path / "elsewhere", wait=False, waiting=never):
        pass


def test_the_command_line_waits_for_nobody_with_no_wait(folder: Path, other: Other) -> None:
    (folder.parent / "Ovfile").write_text('[models.m]\nsource = "m.pb"\n')
    command = [sys.executable, "-m", "ovmake", "gc", "--no-wait", "-C", str(folder.parent)]

    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"error[locked]: another ovmake (process {other.process.pid}) is running in {folder.parent}\n"
        "help: run it again later, or without --no-wait\n"
    )


def test_a_file_in_the_place_of_the_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / ".ovmake").write_text("")

    with pytest.raises(NotADirectoryError), held(tmp_path / ".ovmake", wait=True, waiting=never):
        pytest.fail("there is no folder to lock")


# who holds it, for whoever takes no lock


def test_holder_is_named_without_a_lock_and_nobody_is_kept_waiting(folder: Path, other: Other) -> None:
    ours = OwnFolders(str(folder.parent))

    assert str(other.process.pid) == holder(ours, folder.name)

    other.end()
    assert holder(ours, folder.name) == ""


def test_number_of_a_process_that_holds_nothing_is_not_believed(folder: Path) -> None:
    """As a killed build leaves it, whose number another process may have by now: this one."""
    folder.mkdir()
    (folder / "lock").write_text(str(os.getpid()))

    assert holder(OwnFolders(str(folder.parent)), folder.name) == ""


def test_lock_whose_file_names_another_process_is_nobodys(folder: Path, other: Other) -> None:
    (folder / "lock").write_text(str(other.process.pid + 1))

    assert holder(OwnFolders(str(folder.parent)), folder.name) == ""


def test_nobody_holds_what_is_not_there(folder: Path) -> None:
    assert holder(OwnFolders(str(folder.parent)), folder.name) == ""

    folder.mkdir()

    assert holder(OwnFolders(str(folder.parent)), folder.name) == ""
