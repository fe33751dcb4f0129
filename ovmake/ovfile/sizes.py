"""Sizes of memory and files, as people write and read them.

    to_bytes("8 GB") -> 8_000_000_000     "8 GiB" is 8 * 1024**3; None for what is no size
    in_words(1_234_567) -> "1.23 MB"
    digits(45.12) -> "45.1"               about three of them

Units are what they say: k, M, G, T are powers of 1000, Ki, Mi, Gi, Ti powers of 1024. What we print is decimal.
"""

from __future__ import annotations

import re

EXAMPLES = '"8 GB"` or `"512 MiB"'
_SIZE = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?) ?([kKMGT]?)(i?)B\Z")
_POWERS = {"": 0, "k": 1, "K": 1, "M": 2, "G": 3, "T": 4}


def to_bytes(text: str) -> int | None:
    """Return a size in bytes, None where `text` is none, is less than a byte, or has a unit such as "iB"."""
    found = _SIZE.match(text)
    if not found or (found[3] and not found[2]):
        return None
    size = int(float(found[1]) * (1024 if found[3] else 1000) ** _POWERS[found[2]])
    return size or None


def in_words(count: float) -> str:
    """Return bytes in decimal units: "199 kB"."""
    if count < 1000:  # noqa: PLR2004 - one kB
        return f"{count:.0f} B"
    for unit in ("kB", "MB", "GB"):
        count /= 1000
        # 999.6 would read "1,000 kB".
        if count < 999.5:  # noqa: PLR2004 - half of the last digit below 1,000
            return f"{digits(count)} {unit}"
    return f"{digits(count / 1000)} TB"


def digits(value: float) -> str:
    """Return about three digits: "4.51", "45.1", "451", "4,512"."""
    decimals = 2 if value < 10 else 1 if value < 100 else 0  # noqa: PLR2004 - steps of a scale
    return f"{value:,.{decimals}f}"
