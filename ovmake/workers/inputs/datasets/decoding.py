"""Open images of strangers: which forms, how large, and how many at a time.

    with opened(source) as image:      a Pillow image of a listed form, its header read, its size allowed
        with decoded(image): ...       its pixels; all images that are decoded at a time take no more than the largest
    words_of(error) -> str             why one of UNREADABLE came, to go on after "cannot read `a.png`: "

Pillow knows some forty forms of images, and goes by the first bytes: a `0.png` that is PostScript would start
Ghostscript. So it is given a list.

Rule 1: FORMS are what is opened. None of them runs a program or reads another file.
Rule 2: a size is looked at before a pixel is decoded. A file of 100 kB can unpack to 4 GB.
Rule 3: a header can lie: in a TIFF, the size of a tile or strip is not bounded by that of the image.
"""

from __future__ import annotations

import io
import struct
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, UnidentifiedImageError

# Pillow's names. `PPM` has PGM and PBM in it.
FORMS = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
IN_WORDS = "JPEG, PNG, BMP, GIF, WebP, TIFF, PPM and PGM"
# 8192 x 8192, in Pillow's memory 256 MiB. Its own limit is three times as much, and only warns at first.
LARGEST_PIXELS = 1 << 26
# What readers of images raise, here and in Pillow's later steps, for a file that is damaged or will not do.
UNREADABLE = (OSError, ValueError)
# What Pillow raises beside those while it reads a damaged file: its plugins unpack numbers and look up names.
_DAMAGED = (SyntaxError, KeyError, IndexError, TypeError, ArithmeticError, EOFError, struct.error)
_BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)

MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"BM", b"RIFF", b"II*\0", b"MM\0*")
# First bytes of what people take for images, or get in the place of one.
_OTHERS = (
    (b"%!", "PostScript"),
    (b"\xc5\xd0\xd3\xc6", "PostScript"),
    (b"%PDF", "PDF"),
    (b"8BPS", "a Photoshop file"),
    (b"\0\0\1\0", "an icon"),
    (b"\0\0\0\x0cjP", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\xd7\xcd\xc6\x9a", "a Windows metafile"),
    (b"version https://git-lfs", "a Git LFS pointer, and not the file itself: `git lfs pull` fetches it"),
    (b"PK", "a ZIP archive"),
    (b"\x1f\x8b", "packed by gzip"),
    (b"\x89HDF", "HDF5"),
    (b"\x93NUMPY", "an .npy"),
    (b"<", "text that begins with `<`, such as SVG or a web page"),
)
_BOXES = {b"avif": "AVIF", b"avis": "AVIF", b"heic": "HEIF", b"heix": "HEIF", b"mif1": "HEIF", b"msf1": "HEIF"}
_HEAD_BYTES = 24
_TIFF_TILE = (322, 323)  # TileWidth, TileLength

# Pillow allocates in blocks of 16 MB. The C library keeps what is smaller than 32 MB when it is freed, for each thread:
# six threads would hold six of the largest images, which they decoded one after the other.
Image.core.set_block_size(1 << 26)  # type: ignore[attr-defined]
# An image between Pillow's two limits is refused like one beyond the second.
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)

Source = Path | bytes | memoryview


class TooLarge(ValueError):  # noqa: N818 - it is named by what is wrong, as pictures' messages are
    """An image with more pixels than are decoded."""


class Room:
    """Pixels that may be decoded at once. One image always may; more may as long as they fit in together."""

    def __init__(self, pixels: int) -> None:
        self._free = pixels
        self._changed = threading.Condition()

    def take(self, pixels: int) -> None:
        """Wait for room."""
        with self._changed:
            self._changed.wait_for(lambda: pixels <= self._free)
            self._free -= pixels

    def give_back(self, pixels: int) -> None:
        """Let others in."""
        with self._changed:
            self._free += pixels
            self._changed.notify_all()


_room = Room(LARGEST_PIXELS)


@contextmanager
def opened(source: Source) -> Iterator[Image.Image]:
    """Open an image and read its header.

    Raises:
        OSError, ValueError: it is of no listed form, damaged, or too large.
    """
    try:
        image = Image.open(source if isinstance(source, Path) else io.BytesIO(source), formats=FORMS)
    except _BOMBS:
        raise TooLarge(_too_large("it has more")) from None
    except UnidentifiedImageError:
        raise ValueError(_what_it_is(source)) from None
    except _DAMAGED as error:
        raise ValueError(f"its header is damaged: {words_of(error)}") from error
    with image:
        check_size(image.height, image.width)
        _check_tiles(image)
        yield image


@contextmanager
def decoded(image: Image.Image) -> Iterator[None]:
    """Decode an image, as soon as it fits into memory beside those that are being decoded.

    Raises:
        OSError, ValueError: it is damaged.
    """
    pixels = image.height * image.width
    _room.take(pixels)
    try:
        _load(image)
        yield
    finally:
        image.close()  # its pixels too, which would stay until its last reference is gone
        _room.give_back(pixels)


def _load(image: Image.Image) -> None:
    try:
        image.load()
    except _BOMBS:
        raise TooLarge(_too_large("it has more")) from None
    except _DAMAGED as error:
        raise ValueError(f"it is damaged: {words_of(error)}") from error


def check_size(height: int, width: int, what: str = "it is") -> None:
    """Refuse an image by its size.

    Raises:
        TooLarge: it has more pixels than are decoded.
    """
    if height * width > LARGEST_PIXELS:
        raise TooLarge(_too_large(f"{what} {height} high and {width} wide"))


def words_of(error: BaseException) -> str:
    """Return why an image could not be read."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split()) or type(error).__name__


def _too_large(what: str) -> str:
    return f"images of up to {LARGEST_PIXELS / 1e6:.0f} million pixels are decoded, and {what}"


def _check_tiles(image: Image.Image) -> None:
    """A TIFF's tiles are unpacked whole, whatever part of them the image has."""
    tags = getattr(image, "tag_v2", None)
    if image.format != "TIFF" or tags is None:
        return
    width, height = (tags.get(tag, 0) for tag in _TIFF_TILE)
    if not isinstance(width, int) or not isinstance(height, int):
        raise ValueError("the sizes of its tiles are damaged")  # noqa: TRY004 - it is about a file
    if width * height > LARGEST_PIXELS:
        raise TooLarge(_too_large(f"its tiles are {height} high and {width} wide"))


def _what_it_is(source: Source) -> str:
    """Return what a file is that is no image, in words."""
    if isinstance(source, Path):
        with source.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    else:
        head = bytes(source[:_HEAD_BYTES])
    names = [name for start, name in _OTHERS if head.startswith(start)]
    if head[4:8] == b"ftyp" and head[8:12] in _BOXES:
        names = [_BOXES[head[8:12]]]
    if any(head.startswith(start) for start in MAGIC):
        return "it begins like an image, and its header is damaged or of a kind that Pillow does not know"
    there = f"is {names[0]}" if names else f"begins with the bytes {head[:8].hex(' ')}" if head else "is empty"
    return f"it {there}; images are {IN_WORDS}"
