"""Sizes and ages, read and written."""

from __future__ import annotations

import pytest

from ovmake.amounts import age_of, counted, size_in_words, size_of


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
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=text):
        size_of(text)


@pytest.mark.parametrize(("text", "age"), [("12h", 43_200), ("30d", 2_592_000), ("2w", 1_209_600), ("0.5d", 43_200)])
def test_age_is_read(text: str, age: int) -> None:
    assert age == age_of(text)


@pytest.mark.parametrize("text", ["30", "d", "30m", "5GB", "-1d"])
def test_what_is_no_age_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=text):
        age_of(text)


def test_words() -> None:
    assert ["0 bytes", "1 byte", "999 bytes", "1.0 kB", "14.4 MB", "1500.0 GB"] == [
        size_in_words(size) for size in (0, 1, 999, 1_000, 14_427_469, 1_500_000_000_000)
    ]
    assert ["1 file", "1,000 files", "2 entries"] == [counted(1, "file"), counted(1_000, "file"), counted(2, "entry")]
