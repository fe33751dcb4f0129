"""Sizes as people write and read them."""

from __future__ import annotations

import pytest

from ovmake.ovfile.sizes import in_words, to_bytes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8 GB", 8_000_000_000),
        ("8GB", 8_000_000_000),
        ("8 GiB", 8 << 30),
        ("0.5 TB", 500_000_000_000),
        ("1.5 KiB", 1536),
        ("2 kB", 2000),
        ("2 KB", 2000),
        ("3 MiB", 3 << 20),
        ("512 B", 512),
    ],
)
def test_unit_says_what_it_is_a_power_of(text: str, expected: int) -> None:
    assert expected == to_bytes(text)


@pytest.mark.parametrize(
    "text", ["", "8", "GB", "8 gb", "8 kiB ", "8 iB", "-8 GB", "8  GB", "8 GBs", "0 GB", "0.1 B", "8 Gb"]
)
def test_what_is_no_size(text: str) -> None:
    assert None is to_bytes(text)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (999, "999 B"),
        (1000, "1.00 kB"),
        (999_499, "999 kB"),
        (999_600, "1.00 MB"),
        (8 << 30, "8.59 GB"),
        (2e12, "2.00 TB"),
    ],
)
def test_size_in_words(size: float, expected: str) -> None:
    assert expected == in_words(size)
