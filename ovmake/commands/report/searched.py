"""Describe a search for layers to revert to float: a sentence, the layers, the trials. Pure.

    searched(report) -> Searched | None

Rule: if the promise is kept, `layers` lists the reverted layers. If it is missed, `layers` lists those with the largest
quantization error: the best set may be all layers, which is no information.
"""

from __future__ import annotations

from dataclasses import dataclass

from ovmake.commands.report import words
from ovmake.commands.report.facts.records import TargetReport
from ovmake.contracts.files.search import Search, SearchedLayer, SearchTrial

NO_DROP = "-"
# A smaller share would read "0.0%".
LEAST_SHARE = 0.0005


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerRow:
    """A layer by its name in the source. `operation` is its name in the IR, "" if it has the same name or no other."""

    name: str
    operation: str
    type: str
    share: str
    in_int8: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRow:
    """A trial: how many layers were in floating point, and the result."""

    reverted: str
    drop: str
    result: str
    samples: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """A search in words.

    `ended` says which limit ended it, "" if none did. `has_drops`: the promise is about a metric, so trials have drops.
    """

    search: Search
    text: str
    ended: str
    layers: tuple[LayerRow, ...]
    trials: tuple[TrialRow, ...]
    has_drops: bool


def searched(report: TargetReport) -> Searched | None:
    """Return a target's search in words; None without a search."""
    search = report.search
    if search is None:
        return None
    unit = report.evaluation.unit if report.evaluation and report.evaluation.metric else words.SHARE
    return Searched(
        search=search,
        text=_text(search, unit, report.evaluation.drop if report.evaluation else None),
        ended=_ended(search),
        layers=tuple(_layer(one, unit) for one in (search.reverted if search.kept else search.worst)),
        trials=tuple(_trial(one, unit) for one in search.trials),
        has_drops=any(trial.drop is not None for trial in search.trials),
    )


def _text(search: Search, unit: str, reached: float | None) -> str:
    """Return the sentence, without a final period. `reached` is the drop of the best set."""
    reverted, layers, trials = len(search.reverted), search.layers, words.counted(len(search.trials), "trial")
    if not search.trials:
        return f"{words.counted(layers, 'layer')} in INT8; nothing else was tried: {search.ended}"
    if search.kept and not reverted:
        return f"{search.int8} of {layers} layers in INT8: plain INT8 keeps the promise"
    if search.kept:
        return f"{search.int8} of {layers} layers in INT8; {reverted} reverted to float after {trials}"
    nothing = "No set of layers was found that keeps the promise"
    if search.hopeless:
        nothing = "No set of layers keeps the promise, not even all of them in floating point"
    best = f"with {reverted} of {layers} layers in floating point"
    plain = search.trials[0].drop
    if plain is None or reached is None:
        return f"{nothing}; the best of {trials} is {best}"
    drops = f"plain INT8's drop is {words.drop_in(unit, plain)}"
    return f"{nothing}: {drops}, the best of {trials} {words.drop_in(unit, reached)}, {best}"


def _ended(search: Search) -> str:
    if not search.ended or not search.trials:
        return ""
    more = "fewer layers in floating point might do" if search.kept else "more trials might find a set that keeps it"
    return f"The search ended early: {search.ended}; {more}."


def _layer(one: SearchedLayer, unit: str) -> LayerRow:
    return LayerRow(
        name=one.layer or one.name,
        operation=one.name if one.layer not in {"", one.name} else "",
        type=one.type,
        share=_share(one.share),
        in_int8=words.NOT_MEASURED if one.in_int8 is None else words.drop_in(unit, one.in_int8),
    )


def _trial(trial: SearchTrial, unit: str) -> TrialRow:
    result = "kept" if trial.kept else "missed"
    return TrialRow(
        reverted="none" if not trial.reverted else f"{trial.reverted:,}",
        drop=NO_DROP if trial.drop is None else words.drop_in(unit, trial.drop),
        result=f"{result}, ended early" if trial.ended_early else result,
        samples=f"{trial.samples:,}",
    )


def _share(share: float | None) -> str:
    if share is None:
        return "not measured"
    return words.part(share) if share >= LEAST_SHARE else "under 0.1%"
