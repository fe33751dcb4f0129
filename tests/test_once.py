"""What is made once is whole when it is found, made by one, and made again where making it failed."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from tests.once import copy_of, once


def test_of_several_that_ask_one_makes_it_and_the_others_wait(tmp_path_factory: pytest.TempPathFactory) -> None:
    tmp_path_factory.getbasetemp()  # which pytest itself may not make in several threads at once
    made, found = [], []

    def make(folder: Path) -> None:
        made.append(folder)
        (folder / "first").touch()
        time.sleep(0.1)
        (folder / "last").touch()

    def ask() -> None:
        folder = once(tmp_path_factory, "of-several", make)
        found.append({path.name for path in folder.iterdir()})

    asking = [threading.Thread(target=ask) for _ in range(3)]
    for one in asking:
        one.start()
    for one in asking:
        one.join()

    assert 1 == len(made)
    assert [{"first", "last"}] * 3 == found


def test_what_could_not_be_made_is_made_anew(tmp_path_factory: pytest.TempPathFactory) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").touch()
        raise RuntimeError("half of it")

    with pytest.raises(RuntimeError, match="half of it"):
        once(tmp_path_factory, "anew", fail)
    folder = once(tmp_path_factory, "anew", lambda folder: (folder / "whole").touch())

    assert ["whole"] == [path.name for path in folder.iterdir()]


def test_a_copy_has_the_times_of_its_files_and_stands_where_nothing_was(tmp_path: Path) -> None:
    (tmp_path / "from").mkdir()
    (tmp_path / "from/file").write_text("text")
    os.utime(tmp_path / "from/file", (1, 1))

    copy = copy_of(tmp_path / "from", tmp_path / "to")

    assert (1, "text") == ((copy / "file").stat().st_mtime, (copy / "file").read_text())
    with pytest.raises(FileExistsError):
        copy_of(tmp_path / "from", tmp_path / "to")
