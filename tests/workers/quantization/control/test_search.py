"""The search for the fewest layers to give back, against made-up models: which layers hurt, and by how much."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovmake.workers.quantization.control.ranking import Ranking, rank
from ovmake.workers.quantization.control.search import BudgetSpentError, Found, Names, Outcome, search


def ranked(**hurts: float) -> Ranking:
    """Return the ranking of layers that hurt independently of each other."""
    return Ranking(tuple(hurts), np.diag(list(hurts.values())))


class Model:
    """Validates sets of layers; remembers which."""

    def __init__(self, drop: Callable[[Names], float], *, allowed: float, attempts: int = 1000) -> None:
        self.drop, self.allowed, self.left = drop, allowed, attempts
        self.tried: list[Names] = []

    def attempt(self, names: Names) -> Outcome:
        if self.left == 0:
            raise BudgetSpentError("no attempt left")
        self.left -= 1
        self.tried.append(names)
        distance = self.drop(names) - self.allowed
        return Outcome(kept=distance <= 0, distance=distance)


def adding_up(hurts: Mapping[str, float]) -> Callable[[Names], float]:
    """Return the drop of a model whose layers' drops add up."""
    return lambda names: sum(hurt for name, hurt in hurts.items() if name not in names)


def test_plain_int8_that_keeps_the_promise_is_taken_at_once() -> None:
    model = Model(lambda _: 0.25, allowed=0.5)

    found = search(lambda: ranked(a=1, b=2), model.attempt)

    assert Found(names=(), kept=True, distance=-0.25) == found
    assert [()] == model.tried


def test_the_one_layer_that_hurts_is_found_in_two_attempts() -> None:
    hurts = {"a": 0.001, "b": 0.05, "c": 0.001}
    model = Model(adding_up(hurts), allowed=0.01)

    found = search(lambda: ranked(**hurts), model.attempt)

    assert ("b",) == found.names
    assert [(), ("b",)] == model.tried


def test_between_two_sizes_the_smaller_is_found_by_bisection() -> None:
    hurts = {f"l{place}": 0.1 - place / 1000 for place in range(64)}
    model = Model(adding_up(hurts), allowed=sum(sorted(hurts.values())[:-37]))

    found = search(lambda: ranked(**hurts), model.attempt)

    assert tuple(f"l{place}" for place in range(37)) == tuple(sorted(found.names, key=lambda name: int(name[1:])))
    assert len(model.tried) < 30


def test_layers_that_were_ranked_too_high_go_back_to_int8() -> None:
    hurts = {"a": 0.0, "b": 0.0, "c": 0.04, "d": 0.0, "e": 0.04, "f": 0.0}
    model = Model(adding_up(hurts), allowed=0.01)

    found = search(lambda: ranked(a=6, b=5, c=4, d=3, e=2, f=1), model.attempt)

    assert {"c", "e"} == set(found.names)


def test_promise_that_not_even_floating_point_keeps_is_given_up_early() -> None:
    hurts = {f"l{place}": 0.01 for place in range(64)}
    model = Model(lambda names: 0.5 + adding_up(hurts)(names), allowed=0.1)

    found = search(lambda: ranked(**hurts), model.attempt)

    assert found.hopeless
    assert not found.kept
    assert len(model.tried) <= 6


def test_spent_budget_leaves_the_best_so_far() -> None:
    hurts = {f"l{place}": 0.01 for place in range(64)}
    model = Model(adding_up(hurts), allowed=0.3, attempts=10)

    found = search(lambda: ranked(**hurts), model.attempt)

    assert found.kept
    assert "no attempt left" == found.ended
    assert len(found.names) < 64


def test_spent_budget_without_a_kept_promise_leaves_the_nearest_to_it() -> None:
    hurts = {f"l{place}": 0.01 for place in range(64)}
    model = Model(adding_up(hurts), allowed=0.3, attempts=4)

    found = search(lambda: ranked(**hurts), model.attempt)

    assert not found.kept
    assert 3 == len(found.names)
    assert 0.31 == pytest.approx(found.distance)


def test_layers_that_cancel_each_other_are_not_both_ranked_high() -> None:
    # a and b disturb the outputs alike, and against each other: together they do no harm.
    effects = np.zeros((8, 3, 4))
    effects[:, 0], effects[:, 1], effects[:, 2] = 1.0, -1.0, 0.9

    assert "c" == Ranking(("a", "b", "c"), np.einsum("sik,sjk->ij", effects, effects)).order[0]


def test_effect_that_is_not_finite_hides_no_other() -> None:
    effects = np.ones((4, 3, 5))
    effects[2, 1, 3] = np.nan
    effects[:, 2] *= 7

    assert "c" == rank(["a", "b", "c"], [effects]).order[0]


@given(st.lists(st.booleans(), min_size=1, max_size=300), st.integers(1, 20))
def test_whatever_the_outcomes_only_what_was_seen_to_keep_the_promise_is_returned(
    chance: list[bool], count: int
) -> None:
    """Near a tight promise a sample more or less decides: outcomes may be any."""
    outcomes: dict[frozenset[str], bool] = {}

    def attempt(names: Names) -> Outcome:
        key = frozenset(names)
        assert key not in outcomes, "attempted twice"
        outcomes[key] = len(names) == count or chance[len(outcomes) % len(chance)]
        return Outcome(kept=outcomes[key], distance=-1 if outcomes[key] else 1)

    found = search(lambda: ranked(**{f"l{place}": place + 1.0 for place in range(count)}), attempt)

    assert found.kept
    assert outcomes[frozenset(found.names)]
    assert len(found.names) == min(len(names) for names, kept in outcomes.items() if kept)
