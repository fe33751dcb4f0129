"""When a remote is given up: three failures in a row, or half a minute lost."""

from __future__ import annotations

import pytest

from ovmake.remote.breaker import Breaker
from ovmake.remote.objects import RemoteError, Trouble
from ovmake.remote.signing import RefusedError


def fail(breaker: Breaker, trouble: Trouble, count: int = 1) -> None:
    for _ in range(count):
        with pytest.raises(RemoteError), breaker.watch():
            raise RemoteError(trouble, f"it is {trouble}")


def work(breaker: Breaker) -> None:
    with breaker.watch():
        pass


@pytest.mark.parametrize("trouble", ["timeout", "connection", "server", "denied"])
def test_three_failures_in_a_row_are_enough(trouble: Trouble) -> None:
    breaker = Breaker()

    fail(breaker, trouble, 2)
    assert "" == breaker.off
    fail(breaker, trouble)
    assert f"it is {trouble}" == breaker.off


def test_a_success_between_them_begins_the_count_again() -> None:
    breaker = Breaker()
    for _ in range(5):
        fail(breaker, "server", 2)
        work(breaker)

    assert "" == breaker.off


@pytest.mark.parametrize("trouble", ["refused", "large", "closed"])
def test_what_says_nothing_of_the_server_does_not_count(trouble: Trouble) -> None:
    breaker = Breaker()

    fail(breaker, trouble, 10)

    assert "" == breaker.off


@pytest.mark.parametrize("trouble", ["settings", "full"])
def test_what_is_wrong_for_good_counts_at_once(trouble: Trouble) -> None:
    breaker = Breaker()

    fail(breaker, trouble)

    assert f"it is {trouble}" == breaker.off


def test_half_a_minute_lost_is_enough() -> None:
    breaker = Breaker()
    for _ in range(7):
        breaker.failed(RemoteError("timeout", "slow"), 4.0)
        work(breaker)

    assert "" == breaker.off
    breaker.failed(RemoteError("timeout", "slow"), 4.0)
    assert "slow" == breaker.off


def test_wrong_blobs_count_and_the_first_reason_stays() -> None:
    breaker = Breaker()
    for _ in range(3):
        with pytest.raises(RefusedError), breaker.watch():
            raise RefusedError("a blob does not match its digest")

    with pytest.raises(RemoteError, match="a blob does not match its digest"), breaker.watch():
        raise AssertionError
    breaker.failed(RemoteError("settings", "later"), 0.0)
    assert "a blob does not match its digest" == breaker.off
