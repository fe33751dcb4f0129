"""Choose a candidate of `auto`. Pure.

    judged(precision, ...) -> JudgedCandidate     a candidate with the result of its gate
    weigh(judged, rounds) -> Choice
    in_words(choice) -> tuple[str, ...]           a line per candidate

Rule 1: a candidate that misses its gate is not chosen, however fast it is.
Rule 2: of the others the fastest is chosen. If more accurate ones are not clearly slower, the most accurate of these is
        chosen. "Clearly" means: the whole interval of the ratio, by more than two runs of one IR differ
        (`intervals.SAME`). So on a noisy machine the more accurate one wins.
Rule 3: every candidate is in the choice, with its figures, or with the reason why it has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ovmake.contracts.files.speed import Candidate, Choice
from ovmake.contracts.files.verdict import GateResult, Kept, Verdict
from ovmake.verdicts.intervals import Rounds, ratio_of

BASE = "fp32"


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedCandidate:
    """A candidate and the result of its gate. `kept`: it may be published. `drop` is None without a metric."""

    precision: str
    kept: bool
    gate: GateResult
    text: str
    drop: float | None


def judged(precision: str, *, verdict: Verdict | None, kept: Kept | None) -> JudgedCandidate:
    """Return a candidate with the outputs of *judge*, `verdict` and `kept`; both are None if it has no gate."""
    if verdict is None or kept is None:
        text = "`accuracy = false`"
        return JudgedCandidate(precision=precision, kept=True, gate="not-measured", text=text, drop=None)
    return JudgedCandidate(
        precision=precision, kept=kept.kept, gate=verdict.result, text=verdict.text, drop=verdict.drop
    )


def in_words(choice: Choice) -> tuple[str, ...]:
    """Return a line per candidate: the result of its gate, and its figures."""
    return tuple(f"{one.precision}: gate {one.gate}: {one.text}" for one in choice.candidates)


def weigh(judged: Sequence[JudgedCandidate], rounds: Rounds) -> Choice:
    """Return the choice between candidates, in order of accuracy, that were timed in `rounds`."""
    candidates = tuple(_weighed(one, rounds) for one in judged)
    keepers = [one.precision for one in judged if one.kept]
    if not keepers:
        return Choice(chosen="", why="no candidate passes its gate", candidates=candidates)
    if len(keepers) == 1:
        why = "the only candidate" if len(judged) == 1 else "the only candidate that passes its gate"
        return Choice(chosen=keepers[0], why=why, candidates=candidates)
    chosen, why = _fastest(keepers, rounds)
    return Choice(chosen=chosen, why=why, candidates=candidates)


def _weighed(one: JudgedCandidate, rounds: Rounds) -> Candidate:
    speed, unmeasured = ratio_of(rounds, slow=BASE, fast=one.precision), ""
    if speed is None:
        unmeasured = "there was nothing to choose from" if not rounds else "too few rounds to tell"
        unmeasured = unmeasured if one.kept else "its gate is missed, so its speed does not matter"
    return Candidate(
        precision=one.precision,
        gate=one.gate,
        text=one.text,
        kept=one.kept,
        drop=one.drop,
        speed=speed.rounded if speed else None,
        not_measured=unmeasured,
    )


def _fastest(keepers: Sequence[str], rounds: Rounds) -> tuple[str, str]:
    """Return the chosen one of the candidates that keep their gate, and the reason."""
    found = {name: ratio_of(rounds, slow=BASE, fast=name) for name in keepers}
    speeds = {name: speed.median for name, speed in found.items() if speed is not None}
    if len(speeds) < len(keepers):
        return keepers[0], "the most accurate: too few rounds to compare speeds"
    fastest = max(keepers, key=lambda name: speeds[name])
    for name in keepers[: keepers.index(fastest)]:
        gained = ratio_of(rounds, slow=name, fast=fastest)
        if gained is None or not gained.clearly_faster:
            return name, f"more accurate than {fastest}, which is not clearly faster"
    return fastest, "the fastest that passes its gate"
