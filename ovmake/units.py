"""Sizes and ages as text.

    size_in_words(14_400_000) -> "14.4 MB"      size_of("5GB") -> 5_000_000_000
    counted(2, "file") -> "2 files"             age_of("30d") -> 2_592_000 seconds

    digits(45.12) -> "45.1", about three digits

k, M, G and T are powers of 1000; Ki, Mi, Gi and Ti are powers of 1024. Output uses decimal units.
Pure, and without imports: the parser of the command line uses it.
"""

from __future__ import annotations

EXAMPLES = '"8 GB"` or `"512 MiB"'
SIZES = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
SIZES |= {"kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}
AGES_S = {"h": 3_600, "d": 86_400, "w": 604_800}


def size_in_words(size_bytes: float) -> str:
    """Return a size in decimal units, with about three digits: "199 kB". A megabyte has a million bytes."""
    if size_bytes < 1000:  # noqa: PLR2004 - one kB
        return f"{size_bytes:.0f} B"
    for unit in ("kB", "MB", "GB"):
        size_bytes /= 1000
        # 999.6 would read "1,000 kB".
        if size_bytes < 999.5:  # noqa: PLR2004 - half of the last digit below 1,000
            return f"{digits(size_bytes)} {unit}"
    return f"{digits(size_bytes / 1000)} TB"


def digits(value: float) -> str:
    """Return a number with about three digits: "4.51", "45.1", "451", "4,512"."""
    decimals = 2 if value < 10 else 1 if value < 100 else 0  # noqa: PLR2004 - steps of a scale
    return f"{value:,.{decimals}f}"


def counted(number: int, noun: str) -> str:
    """Return "1 file", "2 files", "3 entries"."""
    plural = f"{noun[:-1]}ies" if noun.endswith("ry") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"


def size_of(text: str) -> int:
    """Parse a size such as "500MB", "1.5 GiB" or "0"; return bytes.

    Raises:
        ValueError: the text is not a size.
    """
    return _amount(text, SIZES)


def memory_of(text: str) -> int | None:
    """Parse a positive size with a unit; return bytes, None if the text is not such a size."""
    try:
        size = size_of(text)
    except ValueError:
        return None
    return size if size and text.strip().lower().endswith("b") else None


def age_of(text: str) -> int:
    """Parse an age such as "12h", "30d" or "2w"; return seconds.

    Raises:
        ValueError: the text is not an age.
    """
    return _amount(text, AGES_S)


def _amount(text: str, units: dict[str, int]) -> int:
    stripped = text.strip().lower()
    number = stripped.rstrip("bdghikmtw")
    unit = stripped[len(number) :]
    if unit not in units or not number.strip().replace(".", "", 1).isdecimal():
        raise ValueError(text)
    return int(float(number) * units[unit])
