"""What one action may take, who said so, and what is said to who exceeds it."""

from __future__ import annotations

import pytest

from ovmake.engine.job import Failure
from ovmake.engine.resource_limits import ResourceLimits, allowed
from ovmake.ovfile.parse import parse
from ovmake.ovfile.schema.measuring import Limits

NOBODY = Limits()
MODEL = '[models.m]\nsource = "m"\n'


def test_nobody_says_anything() -> None:
    assert ResourceLimits(memory_bytes=9000) == allowed(NOBODY, NOBODY, 10_000)


def test_machine_that_is_not_known_has_no_limit() -> None:
    allowance = allowed(NOBODY, NOBODY, None)

    assert (None, None) == (allowance.too_long(1e9), allowance.too_large(1 << 60))


def test_ovfile_says_it() -> None:
    written = parse(f'limits = {{ minutes = 0.5, memory = "2 GiB" }}\n{MODEL}').limits

    expected = ResourceLimits(minutes=0.5, minutes_from="Ovfile", memory_bytes=2 << 30, memory_from="Ovfile")
    assert expected == allowed(written, NOBODY, 10_000)


def test_command_line_wins_key_by_key() -> None:
    written = parse(f'limits = {{ minutes = 5, memory = "2 GB" }}\n{MODEL}').limits

    allowance = allowed(written, Limits(minutes=7.0), 10_000)

    expected = ResourceLimits(minutes=7.0, minutes_from="command line", memory_bytes=2 * 10**9, memory_from="Ovfile")
    assert expected == allowance


def test_ovfile_without_limits_has_none() -> None:
    assert NOBODY == parse(MODEL).limits


@pytest.mark.parametrize(
    ("allowance", "expected"),
    [
        (
            ResourceLimits(minutes=2, minutes_from="Ovfile"),
            Failure(
                code="action-timeout",
                message="it took longer than 2 minutes, and was ended",
                setting="limits.minutes",
                help="allow more time with `minutes` in [limits], or with --timeout, if it should take so long",
            ),
        ),
        (
            ResourceLimits(minutes=1, minutes_from="command line"),
            Failure(
                code="action-timeout",
                message="it took longer than 1 minute, and was ended",
                help="allow more time with --timeout, if it should take so long",
            ),
        ),
    ],
)
def test_longer_than_it_may(allowance: ResourceLimits, expected: Failure) -> None:
    assert allowance.minutes is not None
    assert None is allowance.too_long(allowance.minutes * 60)
    assert expected == allowance.too_long(allowance.minutes * 60 + 0.1)


@pytest.mark.parametrize(
    ("allowance", "expected"),
    [
        (
            ResourceLimits(memory_bytes=1_000_000_000, memory_from="Ovfile"),
            Failure(
                code="action-memory",
                message="it used 1.50 GB of memory, more than 1.00 GB, and was ended",
                setting="limits.memory",
                help="allow more memory with `memory` in [limits], or with --memory, if it should need so much",
            ),
        ),
        (
            ResourceLimits(memory_bytes=1_000_000_000, memory_from="command line"),
            Failure(
                code="action-memory",
                message="it used 1.50 GB of memory, more than 1.00 GB, and was ended",
                help="allow more memory with --memory, if it should need so much",
            ),
        ),
        (
            ResourceLimits(memory_bytes=1_000_000_000),
            Failure(
                code="action-memory",
                message="it used 1.50 GB of memory, more than 1.00 GB, 90 % of this machine's memory, and was ended",
                help="allow more memory with `memory` in [limits], or with --memory, if it should need so much",
            ),
        ),
    ],
)
def test_larger_than_it_may(allowance: ResourceLimits, expected: Failure) -> None:
    assert None is allowance.too_large(1_000_000_000)
    assert expected == allowance.too_large(1_500_000_000)
