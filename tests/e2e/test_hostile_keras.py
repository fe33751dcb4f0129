"""Keras models of strangers that read other files or take all memory: refused by name, and others are built."""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Repo, Result
from tests.lazily import Lazy
from tests.workers.conftest import sources_once

pytestmark = pytest.mark.heavy

h5py = Lazy("h5py")


def first_weight(file: Any) -> str:
    """Return the path of a dataset."""
    found: list[str] = []
    file.visititems(lambda name, part: found.append(name) if isinstance(part, h5py.Dataset) else None)
    return found[0]


def linked(path: Path) -> None:
    """Have a weight come from another file."""
    shutil.copy(path, path.with_name("secret.h5"))
    with h5py.File(path, "r+") as file:
        name = first_weight(file)
        del file[name]
        file[name] = h5py.ExternalLink("secret.h5", name)


def stored_elsewhere(path: Path) -> None:
    """Have the numbers of a weight lie in another file."""
    with h5py.File(path, "r+") as file:
        name = first_weight(file)
        shape, kind = file[name].shape, file[name].dtype
        del file[name]
        size = int(kind.itemsize) * int(h5py.h5s.create_simple(shape).get_select_npoints())
        path.with_name("secret.bin").write_bytes(bytes(range(256)) * (size // 256 + 1))
        file.create_dataset(name, shape, kind, external=[(str(path.with_name("secret.bin")), 0, size)])


def looped(path: Path) -> None:
    """Have a group hold the one that it lies in."""
    with h5py.File(path, "r+") as file:
        weights = file["model_weights"]
        weights.create_group("inner")["outer"] = weights


def repacked(path: Path, change: Callable[[Path], None]) -> None:
    """Change the weights in a .keras."""
    weights = path.with_name("model.weights.h5")
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    weights.write_bytes(members["model.weights.h5"])
    change(weights)
    members["model.weights.h5"] = weights.read_bytes()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def swollen(path: Path) -> None:
    """Give a .keras of some kB a configuration of 1 GB."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = members.pop("config.json")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
        with archive.open("config.json", "w") as member:
            member.write(config)
            for _ in range(1 << 6):
                member.write(b" " * (1 << 24))


# model -> (the sound one, what is done to it, what is said)
CASES: dict[str, tuple[str, Callable[[Path], None], str]] = {
    "linked": ("sequential.h5", linked, r"`linked.h5` is not read: `/\S+` in it is a link to the file `secret.h5`"),
    "elsewhere": ("sequential.h5", stored_elsewhere, r"`elsewhere.h5` is .* has its data in another file, `\S+bin`"),
    "looped": ("sequential.h5", looped, r"`/model_weights/inner/outer` in it is a group that contains itself"),
    "packed": (
        "lstm.keras",
        lambda path: repacked(path, linked),
        r"`model.weights.h5` of `packed.keras` is not read: `/\S+` in it is a link to the file `secret.h5`",
    ),
    "swollen": ("lstm.keras", swollen, r"`swollen.keras` is not read: `config.json` in it has 1,073,\S+ bytes"),
}


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """What `ovmake build -k` says of all of them, and of one that is sound."""
    sources, folder = sources_once(tmp_path_factory), tmp_path_factory.mktemp("hostile")
    tables = ['[defaults]\nprecisions = ["fp32"]\n[models.good]\nsource = "lstm.keras"\n']
    shutil.copy(sources / "lstm.keras", folder)
    for name, (source, change, _) in CASES.items():
        path = folder / f"{name}{Path(source).suffix}"
        shutil.copy(sources / source, path)
        change(path)
        tables.append(f'[models.{name}]\nsource = "{path.name}"\n')
    (folder / "Ovfile").write_text("".join(tables))
    return Repo(folder=folder).ovmake("build", "-k")


@pytest.mark.parametrize("name", CASES)
def test_model_is_refused_and_the_object_named(result: Result, name: str) -> None:
    (told,) = re.findall(rf"^error\[(.*)\]: freeze {name}: (.*)", result.stderr, flags=re.MULTILINE)

    assert "unsafe-source" == told[0]
    assert re.search(CASES[name][2], told[1]), told[1]


def test_sound_model_beside_them_is_built(result: Result) -> None:
    assert 1 == result.status
    assert ["good:fp32"] == [line.split()[0] for line in result.stdout.splitlines() if " built " in line]
