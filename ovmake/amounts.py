"""Sizes and ages in words, as people write and read them.

    size_in_words(14_400_000) -> "14.4 MB"      size_of("5GB") -> 5_000_000_000
    counted(2, "file") -> "2 files"             age_of("30d") -> 2_592_000 seconds

Pure, and without an import: the command line reads its options with it.
"""

from __future__ import annotations

SIZES = {"": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
SIZES |= {"kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}
AGES_S = {"h": 3_600, "d": 86_400, "w": 604_800}


def size_in_words(size_bytes: int) -> str:
    """Return "14.4 MB"; a megabyte has a million bytes."""
    size, unit = float(size_bytes), "bytes"
    for larger in ("kB", "MB", "GB"):
        if size < 1000:  # noqa: PLR2004
            break
        size, unit = size / 1000, larger
    return counted(size_bytes, "byte") if unit == "bytes" else f"{size:.1f} {unit}"


def counted(number: int, noun: str) -> str:
    """Return "1 file", "2 files", "3 entries"."""
    plural = f"{noun[:-1]}ies" if noun.endswith("ry") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"


def size_of(text: str) -> int:
    """Return a size in bytes: "500MB", "1.5 GiB", "0".

    Raises:
        ValueError: it is none.
    """
    return _amount(text, SIZES)


def age_of(text: str) -> int:
    """Return an age in seconds: "12h", "30d", "2w".

    Raises:
        ValueError: it is none.
    """
    return _amount(text, AGES_S)


def _amount(text: str, units: dict[str, int]) -> int:
    stripped = text.strip().lower()
    number = stripped.rstrip("bdghikmtw")
    unit = stripped[len(number) :]
    if unit not in units or not number.strip().replace(".", "", 1).isdecimal():
        raise ValueError(text)
    return int(float(number) * units[unit])
