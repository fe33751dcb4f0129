"""Which candidate `auto` chooses. Pure.

    judged(precision, ...) -> Judged          what a candidate's gate says
    weigh(judged, rounds) -> Choice
    in_words(choice) -> tuple[str, ...]       a line per candidate

Rule 1: a candidate that misses its gate is not chosen, however fast it is.
Rule 2: of those left the fastest is chosen; but where a more accurate one is not clearly slower than it, the most
        accurate of these. "Clearly" is about the range of the ratio, and by more than two runs of one IR differ
        (`intervals.SAME`), so on a restless machine the more accurate one wins.
Rule 3: every candidate is in the choice, with its figures, or with why it has none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ovmake.verdicts.intervals import Interval, Rounds, ratio_of

BASE = "fp32"


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedCandidate:
    """A candidate and what its gate says. `kept`: it may be published. `drop` is None without a metric."""

    precision: str
    kept: bool
    gate: str
    text: str
    drop: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """A candidate with its speed: how many times as fast as the FP32 IR. Without one, `unmeasured` says why."""

    judged: JudgedCandidate
    speed: Interval | None
    unmeasured: str = ""

    def to_json(self) -> dict[str, object]:
        """Return the candidate's part of the choice."""
        body: dict[str, object] = {
            "precision": self.judged.precision,
            "gate": self.judged.gate,
            "text": self.judged.text,
            "kept": self.judged.kept,
            "drop": self.judged.drop,
            "speed": None if self.speed is None else self.speed.to_json(),
        }
        return {**body, **({"not_measured": self.unmeasured} if self.unmeasured else {})}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The precision to publish, "" if no candidate keeps its gate; why that one; and all that were weighed."""

    chosen: str
    why: str
    weighed: tuple[Weighed, ...]

    def to_json(self) -> dict[str, object]:
        """Return the content of the choice's file, and of `auto` in the record."""
        return {
            "format": 1,
            "chosen": self.chosen or None,
            "why": self.why,
            "candidates": [one.to_json() for one in self.weighed],
        }


def judged(
    precision: str, *, verdict: Mapping[str, object] | None, kept: Mapping[str, object] | None
) -> JudgedCandidate:
    """Return a candidate with the two files of its judgement; None where it has no gate, and nothing to miss."""
    if verdict is None or kept is None:
        return JudgedCandidate(
            precision=precision, kept=True, gate="not-measured", text="`accuracy = false`", drop=None
        )
    drop = verdict["drop"]
    return JudgedCandidate(
        precision=precision,
        kept=kept["kept"] is True,
        gate=str(verdict["result"]),
        text=str(verdict["text"]),
        drop=float(drop) if isinstance(drop, int | float) else None,
    )


def in_words(choice: Mapping[str, object]) -> tuple[str, ...]:
    """Return a line per candidate of a choice's file: its gate and its figures."""
    candidates = choice["candidates"]
    if not isinstance(candidates, list):
        raise TypeError("a choice lists its candidates")
    return tuple(f"{one['precision']}: gate {one['gate']}: {one['text']}" for one in candidates)


def weigh(judged: Sequence[JudgedCandidate], rounds: Rounds) -> Choice:
    """Return the choice among candidates, the most accurate first, that were timed in `rounds`."""
    weighed = tuple(_weighed(one, rounds) for one in judged)
    keepers = [one.precision for one in judged if one.kept]
    if not keepers:
        return Choice(chosen="", why="no candidate keeps its gate", weighed=weighed)
    if len(keepers) == 1:
        why = "the only candidate" if len(judged) == 1 else "the only candidate that keeps its gate"
        return Choice(chosen=keepers[0], why=why, weighed=weighed)
    return _fastest(keepers, rounds, weighed)


def _weighed(one: JudgedCandidate, rounds: Rounds) -> Weighed:
    speed = ratio_of(rounds, slow=BASE, fast=one.precision)
    if speed is not None:
        return Weighed(judged=one, speed=speed)
    if not one.kept:
        return Weighed(judged=one, speed=None, unmeasured="its gate is missed, so its speed does not matter")
    missing = "there was nothing to choose from" if not rounds else "too few rounds to tell"
    return Weighed(judged=one, speed=None, unmeasured=missing)


def _fastest(keepers: Sequence[str], rounds: Rounds, weighed: tuple[Weighed, ...]) -> Choice:
    speeds = {one.judged.precision: one.speed.median for one in weighed if one.speed is not None}
    if not speeds.keys() >= set(keepers):
        return Choice(chosen=keepers[0], why="the most accurate: too few rounds to tell speeds apart", weighed=weighed)
    fastest = max(keepers, key=lambda name: speeds[name])
    for name in keepers[: keepers.index(fastest)]:
        gained = ratio_of(rounds, slow=name, fast=fastest)
        if gained is None or not gained.clearly_faster:
            why = f"more accurate than {fastest}, which is not clearly faster"
            return Choice(chosen=name, why=why, weighed=weighed)
    return Choice(chosen=fastest, why="the fastest that keeps its gate", weighed=weighed)
