"""A dataset of a stranger's: a picture that is a program, one that is a bomb, and what `ovmake build` says of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.e2e.conftest import Repo
from tests.workers.inputs.datasets.test_hostile_images import POSTSCRIPT, png

pytestmark = pytest.mark.heavy


@pytest.mark.usefixtures("cold")
@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            POSTSCRIPT,
            "cannot read `0/0.png`: it is PostScript; images are JPEG, PNG, BMP, GIF, WebP, TIFF, PPM and PGM",
        ),
        (
            png(9000, 9000),
            "`0/0.png` is not decoded: images may have up to 67 million pixels, and it is 9000 high",
        ),
    ],
    ids=["postscript", "bomb"],
)
def test_picture_runs_nothing_and_is_named(
    fresh: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes, said: str
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/gs").write_text(f"#!/bin/sh\necho ran > {tmp_path}/mark\n")
    (tmp_path / "bin/gs").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    (fresh.folder / "data/val/0").mkdir(parents=True)
    (fresh.folder / "data/val/0/0.png").write_bytes(data)
    fresh.edit(
        'path = "data/val.npz"\ninputs = { image = "x" }\nlabels = "y"', 'path = "data/val"\nimages.resize = [28, 28]'
    )

    result = fresh.ovmake("build", "fashion:fp32")

    assert 1 == result.status
    assert f": {said}" in result.stderr
    assert not (tmp_path / "mark").exists()
