"""What *check-source* has loaded is what *reference* runs, if nothing in between makes it another model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from ovmake.contracts.params.source import SourceParams
from ovmake.workers.ipc.protocol import Request
from ovmake.workers.reference import kept_model
from ovmake.workers.reference.reference_model import ReferenceModel

MODEL = cast("ReferenceModel", object())

SOURCE = SourceParams()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A source folder with one file, and an interface beside it. Nothing is kept, before and after."""
    (tmp_path / "m").mkdir()
    (tmp_path / "m/saved_model.pb").write_bytes(b"a")
    (tmp_path / "interface").write_bytes(b"{}")
    kept_model.forget()
    yield tmp_path
    kept_model.forget()


def request(folder: Path, source: str = "m") -> Request:
    """Return a request about a source."""
    inputs = {"source": str(folder / source), "interface": str(folder / "interface")}
    return Request(id=1, kind="reference", inputs=inputs)


def test_model_is_taken_once(folder: Path) -> None:
    kept_model.keep(request(folder), SOURCE, MODEL)

    assert kept_model.take(request(folder), SOURCE) is MODEL
    assert kept_model.take(request(folder), SOURCE) is None


def test_another_source_gets_none_of_it_and_nothing_is_left(folder: Path) -> None:
    (folder / "other.pb").write_bytes(b"a")
    kept_model.keep(request(folder), SOURCE, MODEL)

    assert kept_model.take(request(folder, "other.pb"), SOURCE) is None
    assert kept_model.take(request(folder), SOURCE) is None


@pytest.mark.parametrize(
    ("key", "value"), [("kind", "frozen-graph"), ("signature", "other"), ("tags", ("serve", "gpu"))]
)
def test_another_function_of_the_source_is_another_model(folder: Path, key: str, value: Any) -> None:
    kept_model.keep(request(folder), SOURCE, MODEL)

    assert kept_model.take(request(folder), replace(SOURCE, **{key: value})) is None


@pytest.mark.parametrize("path", ["m/saved_model.pb", "m/more", "interface"])
def test_file_that_changed_makes_it_another_model(folder: Path, path: str) -> None:
    kept_model.keep(request(folder), SOURCE, MODEL)
    (folder / path).write_bytes(b"[]")

    assert kept_model.take(request(folder), SOURCE) is None


def test_graph_of_another_action_is_never_kept(folder: Path) -> None:
    frozen = Request(id=1, kind="reference", inputs={"graph": "g", "interface": str(folder / "interface")})
    kept_model.keep(request(folder), SOURCE, MODEL)

    assert kept_model.take(frozen, SOURCE) is None


def test_what_is_forgotten_is_gone(folder: Path) -> None:
    kept_model.keep(request(folder), SOURCE, MODEL)
    kept_model.forget()

    assert kept_model.take(request(folder), SOURCE) is None
