"""An image that was damaged in any way is read or refused by name. `OVMAKE_LONG=1` tries 6,000."""

from __future__ import annotations

import contextlib
import io
import random
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ovmake.errors import ActionError
from tests.examples import tries
from tests.workers.inputs.datasets.models import interface, samples, tensor
from tests.workers.inputs.datasets.test_hostile_images import gif, png, tiff, webp

EACH = 50
REFUSED = {"dataset-unreadable", "dataset-type", "image-too-large"}
SIZED = interface(tensor("image", -1, 8, 8, 3))
FORMS = ("jpeg", "png", "bmp", "gif", "ppm", "webp", "tiff")
WAYS: list[tuple[str, dict[str, str | bool]]] = [
    *((form, {}) for form in FORMS),
    ("jpeg", {"progressive": True}),
    ("webp", {"lossless": True}),
    ("tiff", {"compression": "tiff_lzw"}),
    ("tiff", {"compression": "jpeg"}),
    ("tiff", {"compression": "tiff_adobe_deflate"}),
]


@cache
def seeds() -> list[bytes]:
    """Return sound images of every form and of some modes, and headers of bombs."""
    noise = np.random.default_rng(0).integers(0, 255, (20, 30, 3), dtype=np.uint8)
    found = [png(20, 30), gif(9, 9, (4, 4)), webp(9, 9), tiff(9, 9, {273: 8, 278: 9, 279: 8})]
    for mode in ("RGB", "P", "L", "LA", "RGBA", "1", "CMYK"):
        for form, options in WAYS:
            data = io.BytesIO()
            with contextlib.suppress(OSError, ValueError):  # not every form has every mode
                Image.fromarray(noise).convert(mode).save(data, form, **options)
                found.append(data.getvalue())
    return found


def mutated(chance: random.Random) -> bytes:
    data = bytearray(chance.choice(seeds()))
    for _ in range(chance.choice([1, 1, 2, 5, 20])):
        at = chance.randrange(min(len(data), chance.choice([60, 300, len(data)])))
        data[at] = chance.choice([0, 255, data[at] ^ 1 << chance.randrange(8), chance.randrange(256)])
    return bytes(data[: chance.randrange(1, len(data))] if chance.random() < 1 / 10 else data)


@pytest.mark.filterwarnings("ignore")  # Pillow's, of what it reads all the same
@pytest.mark.parametrize("turn", range(tries(daily=100, ci=500, long=6_000) // EACH))
def test_damaged_image_is_read_or_refused(tmp_path: Path, turn: int) -> None:
    read = [number for number in range(turn * EACH, (turn + 1) * EACH) if is_read(number, tmp_path)]

    assert len(read) < EACH


def is_read(number: int, folder: Path) -> bool:
    """Whether an image is read; if not, it must be refused by name."""
    (folder / "0.png").write_bytes(mutated(random.Random(number)))  # noqa: S311 - no secret
    try:
        column = samples(SIZED, folder, images__resize=[8, 8]).columns["image"]
        assert column.look is not None
        column.look(np.arange(1))
        assert (1, 8, 8, 3) == column.rows(np.arange(1)).shape
    except ActionError as error:
        if (
            error.code not in {"dataset-unreadable", "dataset-type", "image-too-large"}
            or "`0.png`" not in error.message
        ):
            raise
        return False
    return True
