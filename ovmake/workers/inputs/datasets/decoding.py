"""Open untrusted images: allowed formats, allowed size, and how many are decoded at a time.

    with opened(source) as image:      a Pillow image of an allowed format; its header is read and its size checked
        with decoded(image): ...       its pixels; concurrent decoding takes no more memory than the largest image
    words_of(error) -> str             the cause of one of UNREADABLE, to follow "cannot read `a.png`: "

Pillow knows some forty image formats, and detects them by the first bytes: a `0.png` that is PostScript would start
Ghostscript. So the formats are limited to a list.

Rule 1: only FORMS are opened. None of them runs a program or reads another file.
Rule 2: the size is checked before a pixel is decoded. A file of 100 kB can unpack to 4 GB.
Rule 3: a header can lie: in a TIFF, a tile or strip may be larger than the image.
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

# Pillow's names. `PPM` includes PGM and PBM.
FORMS = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
IN_WORDS = "JPEG, PNG, BMP, GIF, WebP, TIFF, PPM and PGM"
# 8192 x 8192, which takes 256 MiB in Pillow. Pillow's own limit is three times as high, and at first only warns.
LARGEST_PIXELS = 1 << 26
# Raised here, and later by Pillow, for an image that is damaged or refused.
UNREADABLE = (OSError, ValueError)
# Raised by Pillow as well for a damaged file: its plugins unpack numbers and look up names.
_DAMAGED = (SyntaxError, KeyError, IndexError, TypeError, ArithmeticError, EOFError, struct.error)
_BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)

MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"BM", b"RIFF", b"II*\0", b"MM\0*")
# First bytes of files that are mistaken for images, or that replace them.
_OTHERS = (
    (b"%!", "PostScript"),
    (b"\xc5\xd0\xd3\xc6", "PostScript"),
    (b"%PDF", "PDF"),
    (b"8BPS", "a Photoshop file"),
    (b"\0\0\1\0", "an icon"),
    (b"\0\0\0\x0cjP", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\xd7\xcd\xc6\x9a", "a Windows metafile"),
    (b"version https://git-lfs", "a Git LFS pointer, not the file itself: `git lfs pull` fetches it"),
    (b"PK", "a ZIP archive"),
    (b"\x1f\x8b", "compressed by gzip"),
    (b"\x89HDF", "HDF5"),
    (b"\x93NUMPY", "an .npy"),
    (b"<", "text that begins with `<`, such as SVG or a web page"),
)
_BOXES = {b"avif": "AVIF", b"avis": "AVIF", b"heic": "HEIF", b"heix": "HEIF", b"mif1": "HEIF", b"msf1": "HEIF"}
_HEAD_BYTES = 24
_TIFF_TILE = (322, 323)  # TileWidth, TileLength

# Pillow allocates in blocks of 16 MB. The C library keeps freed blocks of less than 32 MB for each thread: six threads
# would hold memory for six of the largest images, although these were decoded one after the other.
Image.core.set_block_size(1 << 26)  # type: ignore[attr-defined]
# Images beyond Pillow's first limit are refused like those beyond the second.
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)

Source = Path | bytes | memoryview


class TooLarge(ValueError):  # noqa: N818 - the name states the problem
    """The image has more pixels than the limit."""


class Room:
    """A limit on pixels that are decoded at the same time. A single image may always be decoded."""

    def __init__(self, pixels: int) -> None:
        self._free = pixels
        self._changed = threading.Condition()

    def take(self, pixels: int) -> None:
        """Wait until there is room for so many pixels."""
        with self._changed:
            self._changed.wait_for(lambda: pixels <= self._free)
            self._free -= pixels

    def release(self, pixels: int) -> None:
        """Release the pixels."""
        with self._changed:
            self._free += pixels
            self._changed.notify_all()


_room = Room(LARGEST_PIXELS)


@contextmanager
def opened(source: Source) -> Iterator[Image.Image]:
    """Open an image and read its header.

    Raises:
        OSError, ValueError: its format is not allowed, or it is damaged or too large.
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
    """Decode an image, as soon as there is room beside the images that are being decoded.

    Raises:
        OSError, ValueError: it is damaged.
    """
    pixels = image.height * image.width
    _room.take(pixels)
    try:
        _load(image)
        yield
    finally:
        image.close()  # frees its pixels now, not with its last reference
        _room.release(pixels)


def _load(image: Image.Image) -> None:
    try:
        image.load()
    except _BOMBS:
        raise TooLarge(_too_large("it has more")) from None
    except _DAMAGED as error:
        raise ValueError(f"it is damaged: {words_of(error)}") from error


def check_size(height: int, width: int, what: str = "it is") -> None:
    """Check the size of an image.

    Raises:
        TooLarge: it has more pixels than the limit.
    """
    if height * width > LARGEST_PIXELS:
        raise TooLarge(_too_large(f"{what} {height} high and {width} wide"))


def words_of(error: BaseException) -> str:
    """Return why an image could not be read."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split()) or type(error).__name__


def _too_large(what: str) -> str:
    return f"images may have up to {LARGEST_PIXELS / 1e6:.0f} million pixels, and {what}"


def _check_tiles(image: Image.Image) -> None:
    """Check the tiles of a TIFF: they are unpacked whole, even if they extend beyond the image."""
    tags = getattr(image, "tag_v2", None)
    if image.format != "TIFF" or tags is None:
        return
    width, height = (tags.get(tag, 0) for tag in _TIFF_TILE)
    if not isinstance(width, int) or not isinstance(height, int):
        raise ValueError("the sizes of its tiles are damaged")  # noqa: TRY004 - it is about a file
    if width * height > LARGEST_PIXELS:
        raise TooLarge(_too_large(f"its tiles are {height} high and {width} wide"))


def _what_it_is(source: Source) -> str:
    """Return a description of a file that is not an image."""
    if isinstance(source, Path):
        with source.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    else:
        head = bytes(source[:_HEAD_BYTES])
    names = [name for start, name in _OTHERS if head.startswith(start)]
    if head[4:8] == b"ftyp" and head[8:12] in _BOXES:
        names = [_BOXES[head[8:12]]]
    if any(head.startswith(start) for start in MAGIC):
        return "it begins like an image, but its header is damaged or unknown to Pillow"
    there = f"is {names[0]}" if names else f"begins with the bytes {head[:8].hex(' ')}" if head else "is empty"
    return f"it {there}; images are {IN_WORDS}"
