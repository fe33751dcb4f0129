"""Sizes and ages, read and written."""

from __future__ import annotations

import pytest

from ovmake.units import age_of, counted, memory_of, size_in_words, size_of


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("500", 500),
        ("500MB", 500_000_000),
        ("5GB", 5_000_000_000),
        ("1.5 gib", 1_610_612_736),
        ("2 tb", 2e12),
    ],
)
def test_size_is_read_in_any_case_and_unit(text: str, size: int) -> None:
    assert size == size_of(text)


@pytest.mark.parametrize("text", ["GB", "5XB", "five", "-1GB", "1.2.3GB", "5d", "1e3", "5 G B"])
def test_a_text_that_is_not_a_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=text):
        size_of(text)


@pytest.mark.parametrize(("text", "age"), [("12h", 43_200), ("30d", 2_592_000), ("2w", 1_209_600), ("0.5d", 43_200)])
def test_age_is_read(text: str, age: int) -> None:
    assert age == age_of(text)


@pytest.mark.parametrize("text", ["30", "d", "30m", "5GB", "-1d"])
def test_a_text_that_is_not_an_age_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=text):
        age_of(text)


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
def test_a_unit_is_a_power_of_1000_or_1024(text: str, expected: int) -> None:
    assert expected == memory_of(text)


@pytest.mark.parametrize("text", ["", "8", "GB", "8 iB", "-8 GB", "8 GBs", "0 GB", "0.1 B"])
def test_a_text_that_is_not_a_memory_size(text: str) -> None:
    assert memory_of(text) is None


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
def test_a_size_has_three_digits(size: float, expected: str) -> None:
    assert expected == size_in_words(size)


def test_things_are_counted() -> None:
    assert ["1 file", "1,000 files", "2 entries"] == [counted(1, "file"), counted(1_000, "file"), counted(2, "entry")]
