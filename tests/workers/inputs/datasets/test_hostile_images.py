"""Images of strangers: other forms under a name of ours, and headers that promise more than memory holds."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import threading
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ovmake.errors import ActionError
from ovmake.workers.inputs.datasets import decoding
from ovmake.workers.inputs.datasets.columns import each_of
from ovmake.workers.inputs.preparing import Array
from tests.workers.inputs.datasets.models import IMAGES, interface, labels, samples, tensor, values
from tests.workers.inputs.datasets.test_tfrecord import example, write

RED = (255, 0, 0)
ANY = interface(tensor("image", -1, -1, -1, 3))
POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 4 4\n%%EndComments\nshowpage\n"

# Ghostscript is looked for once per process, so a process of its own asks.
READ = """
import sys
from pathlib import Path
from ovmake.errors import ActionError
from tests.workers.inputs.datasets.models import IMAGES, samples
try:
    list(samples(IMAGES, Path(sys.argv[1]), images__resize=[4, 4]).feeds())
except ActionError as error:
    print(error.message)
"""


def read_beside_ghostscript(folder: Path) -> str:
    """Read a folder of images where `gs` leaves a mark; return what is wrong."""
    (folder / "bin").mkdir()
    (folder / "bin/gs").write_text(f"#!/bin/sh\necho ran > {folder}/mark\n")
    (folder / "bin/gs").chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", READ, str(folder / "images")],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[4],
        env={**os.environ, "PATH": f"{folder}/bin:{os.environ['PATH']}"},
    )
    assert not (folder / "mark").exists(), "Ghostscript was started"
    return done.stdout or done.stderr


def test_postscript_that_is_named_png_starts_no_ghostscript(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images/0.png").write_bytes(POSTSCRIPT)

    told = read_beside_ghostscript(tmp_path)

    forms = "images are JPEG, PNG, BMP, GIF, WebP, TIFF, PPM and PGM"
    assert f"cannot read `0.png`: it is PostScript; {forms}\n" == told


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (b"\xc5\xd0\xd3\xc6" + bytes(26), "it is PostScript"),
        (b"%PDF-1.7\n", "it is PDF"),
        (b"\0\0\0\x1cftypavif" + bytes(20), "it is AVIF"),
        (b"version https://git-lfs.github.com/spec/v1\n", "it is a Git LFS pointer, not the file itself"),
        (b"<svg/>", "it is text that begins with `<`"),
        (b"", "it is empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "damaged"),
    ],
)
def test_message_says_what_the_file_is(tmp_path: Path, start: bytes, words: str) -> None:
    (tmp_path / "0.png").write_bytes(start)

    with pytest.raises(ActionError, match=f"cannot read `0.png`: .*{words}"):
        list(samples(IMAGES, tmp_path).feeds())


@pytest.mark.parametrize("form", ["jpeg", "png", "bmp", "gif", "webp", "tiff", "ppm"])
def test_each_listed_form_is_read(tmp_path: Path, form: str) -> None:
    Image.new("RGB", (4, 4), RED).save(tmp_path / f"a.{form.removesuffix('e')}", form, quality=95)

    found = values(samples(IMAGES, tmp_path), "image")

    assert np.allclose(np.broadcast_to(RED, (1, 4, 4, 3)), found, atol=3)


# --- sizes --------------------------------------------------------------------------------------------------


def png(height: int, width: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def bmp(height: int, width: int) -> bytes:
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + info


def gif(height: int, width: int, screen: tuple[int, int]) -> bytes:
    """Return a GIF whose frame may be larger than its screen."""
    frame = struct.pack("<HHHHB", 0, 0, width, height, 0)
    return b"GIF89a" + struct.pack("<HHBBB", *screen, 0, 0, 0) + b"," + frame + b"\x02\x02L\x01\0;"


def webp(height: int, width: int) -> bytes:
    """Return a WebP with a frame of 4 x 4 on a canvas of any size."""
    small = io.BytesIO()
    Image.new("RGB", (4, 4)).save(small, "WEBP", lossless=True)
    image = small.getvalue()[12:]

    def three(*numbers: int) -> bytes:
        return b"".join(struct.pack("<I", number)[:3] for number in numbers)

    header = b"VP8X" + struct.pack("<I", 10) + bytes([2, 0, 0, 0]) + three(width - 1, height - 1)
    animation = b"ANIM" + struct.pack("<I", 6) + bytes(6)
    frame = b"ANMF" + struct.pack("<I", 16 + len(image)) + three(0, 0, 3, 3) + bytes(4) + image
    body = b"WEBP" + header + animation + frame
    return b"RIFF" + struct.pack("<I", len(body)) + body


def tiff(height: int, width: int, tags: dict[int, int]) -> bytes:
    """Return a gray TIFF whose pixels are zlib's."""
    entries = {256: width, 257: height, 258: 8, 259: 8, 262: 1, 277: 1, **tags}
    parts = [struct.pack("<HHII", tag, 4, 1, entries[tag]) for tag in sorted(entries)]
    return b"II*\0" + struct.pack("<IH", 8, len(parts)) + b"".join(parts) + bytes(4)


@pytest.mark.parametrize(
    "bomb",
    [
        png(9000, 9000),
        png(20_000, 20_000),
        bmp(30_000, 30_000),
        gif(60_000, 60_000, (60_000, 60_000)),
        gif(60_000, 60_000, (1, 1)),
        webp(16_383, 16_383),
        webp(8300, 8300),
        tiff(30_000, 30_000, {273: 8, 278: 30_000, 279: 8}),
        tiff(16, 16, {322: 46_336, 323: 46_336, 324: 8, 325: 8}),
        b"P6 60000 60000 255\n",
        b"P1 60000 60000\n",
    ],
    ids=["png", "png2", "bmp", "gif", "gif-frame", "webp", "webp2", "tiff", "tiff-tiles", "ppm", "pbm"],
)
def test_image_with_too_many_pixels_is_refused_before_it_is_decoded(tmp_path: Path, bomb: bytes) -> None:
    (tmp_path / "0.png").write_bytes(bomb)
    read = samples(IMAGES, tmp_path, images__resize=[4, 4])

    with pytest.raises(
        ActionError, match=r"`0.png` is not decoded: images may have up to 67 million pixels, and"
    ) as caught:
        list(read.feeds())

    assert "image-too-large" == caught.value.code
    assert caught.value.help.startswith("make it smaller first")


def test_record_with_too_large_an_image_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "d.tfrecord", example(image=[png(9000, 9000)]))

    with pytest.raises(ActionError, match=r"`record 0 of d.tfrecord` is not decoded: .* 9000 high and 9000 wide"):
        list(samples(IMAGES, path, images__resize=[4, 4]).feeds())


def test_label_that_is_too_large_an_image_is_refused(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("x,y\n1,m.png\n")
    (tmp_path / "m.png").write_bytes(png(9000, 9000))
    read = samples(interface(tensor("x", -1, 1)), tmp_path / "d.csv", tmp_path / "m.png", labels="y")

    with pytest.raises(ActionError, match=r"`m.png` is not decoded"):
        labels(read)


def test_label_that_is_postscript_is_refused(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("x,y\n1,m.png\n")
    (tmp_path / "m.png").write_bytes(POSTSCRIPT)
    read = samples(interface(tensor("x", -1, 1)), tmp_path / "d.csv", tmp_path / "m.png", labels="y")

    with pytest.raises(ActionError, match=r"cannot read `m.png`: it is PostScript"):
        labels(read)


@pytest.mark.parametrize("action", ["look", "read"])
def test_resize_that_makes_too_many_pixels_is_refused(tmp_path: Path, action: str) -> None:
    Image.new("L", (60_000, 1)).save(tmp_path / "thin.png")  # its shorter side is to become 256
    column = samples(ANY, tmp_path, images__resize=[256]).columns["image"]

    with pytest.raises(ActionError, match=r"`resize` would make it 256 high and 15360000 wide"):
        (column.look if action == "look" and column.look else column.rows)(np.arange(1))


def test_images_wait_until_they_fit_into_memory_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "_room", decoding.Room(100))
    Image.new("L", (6, 10)).save(tmp_path / "a.png")
    both_at_once = threading.Barrier(2)

    def meets(_: int) -> Array:
        with decoding.opened(tmp_path / "a.png") as image, decoding.decoded(image):
            try:
                both_at_once.wait(timeout=0.05)
            except threading.BrokenBarrierError:
                return np.array(0)
            return np.array(1)

    assert [0, 0, 0, 0] == [int(met) for met in each_of(meets, np.arange(4))]


# Eight images of 64 MB, of which six threads would decode six at a time, and then keep what they took.
MANY = """
import resource
import sys
from pathlib import Path
from ovmake.workers.inputs.datasets import decoding
from tests.workers.inputs.datasets.models import IMAGES, samples
decoding._room = decoding.Room(4000 * 4000)
read = samples(IMAGES, Path(sys.argv[1]), images__resize=[4, 4])
taken = next(int(line.split()[1]) << 10 for line in open("/proc/self/status") if line.startswith("VmData"))
resource.setrlimit(resource.RLIMIT_DATA, (taken + (250 << 20), taken + (250 << 20)))
print(sum(feed.count for feed in read.feeds()))
"""


def test_large_images_take_the_memory_of_one(tmp_path: Path) -> None:
    Image.new("RGB", (4000, 4000)).save(tmp_path / "0.bmp")
    for number in range(1, 8):
        (tmp_path / f"{number}.bmp").symlink_to("0.bmp")

    done = subprocess.run(
        [sys.executable, "-c", MANY, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[4],
    )

    assert ("8\n", "") == (done.stdout, done.stderr)


def test_images_are_opened_in_one_place() -> None:
    modules = (Path(__file__).parents[4] / "ovmake").rglob("*.py")

    assert ["decoding.py"] == [module.name for module in modules if "Image.open(" in module.read_text()]
