"""Of a path that leads nowhere, the one that may have been meant; nothing outside of the repo is looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from ovmake.store.files import nearby as module
from ovmake.store.files.nearby import nearby

FILES = (
    *("models/digits/saved_model.pb", "models/new/tiny.pb", "models/table.keras", "data/val.npz", "data/train.npz"),
    *("val/a/x.png", "metrics.py", "twice/a/same.csv", "twice/b/same.csv", ".hidden/secret.npz"),
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / "repo" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "repo" / name).write_text("x")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/private.npz").write_text("x")
    (tmp_path / "repo/out").symlink_to(tmp_path / "outside")
    return tmp_path / "repo"


def inside(path: str) -> bool:
    return not path.startswith(("out", ".."))


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        # misspelt
        ("models/digts", "models/digits"),
        ("modles/digits", "models/digits"),
        ("models/Digits", "models/digits"),
        ("models/new/tiny.bp", "models/new/tiny.pb"),
        ("metric.py", "metrics.py"),
        ("models//digts", "models/digits"),
        # another suffix
        ("models/table.h5", "models/table.keras"),
        ("models/table", "models/table.keras"),
        # another folder
        ("digits", "models/digits"),
        ("tiny.pb", "models/new/tiny.pb"),
        ("models/val.npz", "data/val.npz"),
    ],
)
def test_path_that_was_meant(path: str, meant: str, root: Path) -> None:
    assert f"did you mean `{meant}`?" == nearby(str(root), path, inside)


@pytest.mark.parametrize(
    ("path", "noted"),
    [
        ("models/big", "models/big.dvc"),
        ("models/big/saved_model.pb", "models/big.dvc"),
        ("models/a model.keras", "'models/a model.keras.dvc'"),
    ],
)
def test_what_dvc_has_not_fetched_yet(path: str, noted: str, root: Path) -> None:
    for name in ("big", "a model.keras", "../out/private"):
        (root / "models" / f"{name}.dvc").write_text("outs:\n- path: big\n")

    assert f"`dvc pull {noted}` fetches it" == nearby(str(root), path, inside)
    assert "" == nearby(str(root), "out/private", inside), "nothing outside of the repo is looked at"


@pytest.mark.parametrize("path", ["models\\digits", "models\new/tiny.pb", "models\table.keras"])
def test_backslashes_and_what_tomls_escapes_make_of_them(path: str, root: Path) -> None:
    found = nearby(str(root), path, inside)

    assert found.startswith("did you mean `models/")
    assert found.endswith("Folders are separated by `/`, not by a backslash")


@pytest.mark.parametrize(
    "path",
    [
        "nothing/like/it",
        "same.csv",  # there are two
        "models/digts/nothing",
        "out/privat.npz",
        "private.npz",
        "../outsid",
        ".",
        "/",
        "",
        "secret.npz",
        "x" * 300,
        "a\0b",
    ],
)
def test_nothing_is_near(path: str, root: Path) -> None:
    assert nearby(str(root), path, inside) == ""


def test_search_has_an_end(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_PASSED", 3)

    assert nearby(str(root), "tiny.pb", inside) == ""


def test_folder_that_is_gone_has_no_names(tmp_path: Path) -> None:
    assert nearby(str(tmp_path / "gone"), "x", inside) == ""
