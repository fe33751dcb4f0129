"""control: turn a plain INT8 IR into one that meets its accuracy requirement, with as few float layers as possible.

It writes the IR, and `contracts.files.search.Search`.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping

from ovmake.contracts.codec import save
from ovmake.contracts.files.search import Search, SearchedLayer, SearchTrial
from ovmake.contracts.params.quantization import ControlParams
from ovmake.workers.conversion import ir
from ovmake.workers.evaluation.comparison import Subject
from ovmake.workers.ipc import progress
from ovmake.workers.ipc.protocol import Request, warning
from ovmake.workers.quantization.control.effects import ranking_of
from ovmake.workers.quantization.control.journal import Journal
from ovmake.workers.quantization.control.pair import Pair
from ovmake.workers.quantization.control.search import BudgetSpentError, Found, search
from ovmake.workers.quantization.control.trials import Limits, Trials

WORST = 5


def control(request: Request) -> dict[str, object]:
    """Search; write `xml`, `bin` and `search`."""
    progress.alone("trials")
    trials = _trials(request)
    if trials.subject.facts.not_measured:
        found = Found(names=(), kept=False, distance=0.0, ended=trials.subject.facts.not_measured)
    elif (replayed := _replay(trials, request.asked(ControlParams).replay)) is not None:
        found = replayed
    else:
        found = search(lambda: ranking_of(trials), trials.attempt)
    _write(request, trials.pair, found)
    save(_report(trials, found), request.outputs["search"])
    return {
        "reverted": len(found.names),
        "layers": len(trials.pair.layers),
        "recalled": trials.recalled,
        "search_seconds": round(trials.seconds, 3),
        **_warned(request.asked(ControlParams).replay, found),
    }


def _replay(trials: Trials, names: tuple[str, ...]) -> Found | None:
    """Try the layers that a lock names: one validation. None if there are none, or they miss the requirement here."""
    if not names or not set(names) <= {layer.name for layer in trials.pair.layers}:
        return None
    try:
        outcome = trials.attempt(names)
    except BudgetSpentError:
        return None
    return Found(names=names, kept=True, distance=outcome.distance, replayed=True) if outcome.kept else None


def _warned(names: tuple[str, ...], found: Found) -> dict[str, object]:
    """Return the warning that the lock's layers did not do."""
    if not names or found.replayed:
        return {}
    listed = ", ".join(f"`{name}`" for name in names[:WORST]) + (", ..." if len(names) > WORST else "")
    text = (
        f"the layers that Ovfile.lock reverts ({listed}) do not meet the requirement here, so the layers were searched"
    )
    return warning("replay-missed", text, hint="run `ovmake lock`, and commit what it writes")


def _trials(request: Request) -> Trials:
    asked = request.asked(ControlParams)
    device, minutes = asked.trial.device, asked.limits.max_minutes
    return Trials(
        subject=Subject.of(request, asked.trial),
        pair=Pair(
            ir.read(request.inputs["float-xml"], request.inputs["float-bin"]),
            ir.read(request.inputs["xml"], request.inputs["bin"]),
        ),
        promise=asked.promise,
        limits=Limits(evaluations=asked.limits.max_evaluations, seconds=None if minutes is None else 60 * minutes),
        journal=Journal.open(request.journal),
        device=device.device,
        properties=ir.compile_properties(device.execute_in),
    )


def _write(request: Request, pair: Pair, found: Found) -> None:
    if found.names:
        ir.write(pair.with_float(found.names), request.outputs["xml"], request.outputs["bin"])
        return
    for role in ("xml", "bin"):
        shutil.copyfile(request.inputs[role], request.outputs[role])


def _report(trials: Trials, found: Found) -> Search:
    types = {layer.name: layer.type for layer in trials.pair.layers}
    shares: Mapping[str, float] = found.ranking.shares if found.ranking else {}
    drops = {frozenset(done.trial.names): done.drop for done in trials.done if done.outcome.whole}

    def about(name: str, in_int8: float | None = None) -> SearchedLayer:
        return SearchedLayer(name=name, type=types[name], share=shares.get(name), in_int8=in_int8)

    return Search(
        layers=len(types),
        int8=len(types) - len(found.names),
        reverted=tuple(about(name, drops.get(frozenset(found.names) - {name})) for name in found.names),
        worst=tuple(about(name) for name in sorted(shares, key=lambda name: -shares[name])[:WORST]),
        trials=tuple(
            SearchTrial(
                reverted=len(done.trial.names),
                kept=done.outcome.kept,
                drop=done.drop,
                samples=done.samples,
                ended_early=not done.outcome.whole,
            )
            for done in trials.done
        ),
        kept=found.kept,
        hopeless=found.hopeless,
        ended=found.ended,
        inferences=trials.inferences,
        replayed=found.replayed,
    )
