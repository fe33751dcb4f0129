"""Which layers to give back to floating point: as few as keep the promise. Pure.

    search(rank, attempt) -> Found

`attempt(names)` validates the model with these layers given back. It is dear, so that the number of attempts is what
this module is about. `rank()` is asked for the ranking when it is needed:

    1  none: plain INT8 may do
    2  the first 1, 2, 3, 4, 8, 16, ... of the ranking, until one keeps the promise; all of them is the float model, and
       where that misses the promise nothing will keep it: asked as soon as four were not enough
    3  between the last that missed and the first that kept it: bisection
    4  from what keeps it, return to INT8 what turns out harmless, beginning with the least harmful half; a part that
       cannot be returned is halved, down to single layers

Accuracy is not monotone in the number of layers given back: near a tight promise a sample more or less decides. So 3
and 4 only ever move from one set that was seen to keep the promise to a smaller one that was seen to keep it, and the
first sizes in 2 are close to each other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field

from ovmake.workers.quantization.control.ranking import Ranking

FIRST_SIZES = 4
# So many single layers in a row that could not be returned, the least harmful first, end the search.
PATIENCE = 8


class BudgetSpentError(Exception):
    """No attempt is left. The message says which budget it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an attempt gave. `distance` is how far the model is from keeping the promise; 0 or less where it is kept.

    `whole`: all samples were seen. Of an attempt that was ended early, the distance is an estimate.
    """

    kept: bool
    distance: float
    whole: bool = True


Names = tuple[str, ...]
Attempt = Callable[[Names], Outcome]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The best there is: `kept` or the nearest to it. `ended` says why the search stopped early, "" if it did not.

    `hopeless`: the float model itself misses the promise. `ranking` is None where plain INT8 keeps it.
    """

    names: Names
    kept: bool
    distance: float
    ended: str = ""
    hopeless: bool = False
    ranking: Ranking | None = field(default=None, compare=False)


def search(rank: Callable[[], Ranking], attempt: Attempt) -> Found:
    """Return the smallest set of layers found to keep the promise; where none does, the set that came nearest."""
    walk = _Search(rank, attempt)
    try:
        hopeless = not walk.find_one()
        if not hopeless:
            walk.return_harmless()
    except BudgetSpentError as spent:
        return walk.found(ended=str(spent))
    return walk.found(hopeless=hopeless)


class _Search:
    """One search: what was tried, and the best so far."""

    def __init__(self, rank: Callable[[], Ranking], attempt: Attempt) -> None:
        self._rank = rank
        self._asked: Ranking | None = None
        self._attempt = attempt
        self._tried: dict[frozenset[str], Outcome] = {}
        self._best: tuple[Names, Outcome] | None = None

    def found(self, *, ended: str = "", hopeless: bool = False) -> Found:
        """Return the best so far; without any attempt, plain INT8, of which nothing is known."""
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
        """Find a set that keeps the promise, and bisect; False if not even the float model does."""
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
        """Return to INT8 what the best set does not need: parts from the least harmful end, then single layers."""
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
        """Whether the promise is kept with these in INT8 again."""
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
        """Attempt a set once; remember the best: the smallest that keeps the promise, else the nearest to it."""
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
