"""Search for the fewest layers to revert to float that meet the accuracy requirement. Pure.

    search(rank, attempt) -> Found

`attempt(names)` validates the model with these layers reverted. It is slow, so this module minimizes the number of
attempts. `rank()` is called when the ranking is needed:

    1  no layers: plain INT8 may pass
    2  the first 1, 2, 3, 4, 8, 16, ... of the ranking, until a set passes. All layers together are the float model; if
       that fails, no set can pass, so it is tried as soon as four layers were not enough
    3  bisection between the last set that failed and the first that passed
    4  from the set that passed, put harmless layers back into INT8, beginning with the least harmful half; a part that
       is needed is halved, down to single layers

Accuracy is not monotone in the number of reverted layers: with a tight requirement a single sample decides. So 3 and 4
only move from a set that passed to a smaller set that passed, and the first sizes in 2 are close to each other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field

from ovmake.workers.quantization.control.ranking import Ranking

FIRST_SIZES = 4
# The search ends after so many consecutive single layers that are needed in float, the least harmful first.
PATIENCE = 8


class BudgetSpentError(Exception):
    """No attempt is left. The message names the budget."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of an attempt. `distance` is the excess over the allowed drop; 0 or less if the requirement is met.

    `whole`: all samples were run. If an attempt was ended early, the distance is an estimate.
    """

    kept: bool
    distance: float
    whole: bool = True


Names = tuple[str, ...]
Attempt = Callable[[Names], Outcome]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The best set: one that passes (`kept`), or the closest. `ended` says why the search stopped early, "" if not.

    `hopeless`: the float model itself fails. `replayed`: the set is that of a lock, and nothing was searched. `ranking`
    is None if plain INT8 passes, and without a search.
    """

    names: Names
    kept: bool
    distance: float
    ended: str = ""
    hopeless: bool = False
    replayed: bool = False
    ranking: Ranking | None = field(default=None, compare=False)


def search(rank: Callable[[], Ranking], attempt: Attempt) -> Found:
    """Return the smallest set of layers that was found to pass; if none passes, the closest set."""
    walk = _Search(rank, attempt)
    try:
        hopeless = not walk.find_one()
        if not hopeless:
            walk.return_harmless()
    except BudgetSpentError as spent:
        return walk.found(ended=str(spent))
    return walk.found(hopeless=hopeless)


class _Search:
    """One search: the attempts, and the best set so far."""

    def __init__(self, rank: Callable[[], Ranking], attempt: Attempt) -> None:
        self._rank = rank
        self._asked: Ranking | None = None
        self._attempt = attempt
        self._tried: dict[frozenset[str], Outcome] = {}
        self._best: tuple[Names, Outcome] | None = None

    def found(self, *, ended: str = "", hopeless: bool = False) -> Found:
        """Return the best set so far; before any attempt, plain INT8 with an unknown result."""
        names, outcome = self._best or ((), Outcome(kept=False, distance=float("inf")))
        return Found(
            names=names,
            kept=outcome.kept,
            distance=outcome.distance,
            ended=ended,
            hopeless=hopeless,
            ranking=self._asked,
        )

    def find_one(self) -> bool:
        """Find a set that passes, and bisect; False if even the float model fails."""
        if self._keeps(()):
            return True
        order, missed = self._ranking.order, 0
        for size in _sizes(len(order)):
            if size > FIRST_SIZES and not self._keeps(order):
                return False
            if self._keeps(order[:size]):
                self._bisect(order, missed, size)
                return True
            missed = size
        return False

    def _bisect(self, order: Names, missed: int, kept: int) -> None:
        while kept - missed > 1:
            middle = (kept + missed) // 2
            if self._keeps(order[:middle]):
                kept = middle
            else:
                missed = middle

    def return_harmless(self) -> None:
        """Put unneeded layers of the best set back into INT8: parts from the least harmful end, then single layers."""
        if len(self._names) < 2:  # noqa: PLR2004 - none at all was tried first
            return
        size = len(self._names) // 2
        while size > 1:
            if not self._returns(self._ranking.harmless_first(self._names)[:size]):
                size //= 2
            size = min(size, len(self._names) // 2)
        failures = 0
        for name in self._ranking.harmless_first(self._names):
            if failures == PATIENCE or len(self._names) == 1:
                return
            failures = 0 if self._returns([name]) else failures + 1

    def _returns(self, part: Collection[str]) -> bool:
        """Whether the set passes with these layers in INT8 again."""
        return self._keeps([name for name in self._names if name not in set(part)])

    @property
    def _ranking(self) -> Ranking:
        if self._asked is None:
            self._asked = self._rank()
        return self._asked

    @property
    def _names(self) -> Names:
        return self._best[0] if self._best else ()

    def _keeps(self, names: Sequence[str]) -> bool:
        """Attempt a set once; remember the best: the smallest that passes, else the closest."""
        key = frozenset(names)
        if key not in self._tried:
            self._tried[key] = outcome = self._attempt(tuple(names))
            if self._best is None or _rank(names, outcome) < _rank(*self._best):
                self._best = tuple(names), outcome
        return self._tried[key].kept


def _rank(names: Sequence[str], outcome: Outcome) -> tuple[bool, bool, float, float]:
    if outcome.kept:
        return False, False, len(names), outcome.distance
    return True, not outcome.whole, outcome.distance, len(names)


def _sizes(everything: int) -> Iterator[int]:
    """Yield 1, 2, 3, 4, 8, 16, ... and at last all."""
    size = 0
    while size < everything:
        size = min(everything, size + 1 if size < FIRST_SIZES else 2 * size)
        yield size
