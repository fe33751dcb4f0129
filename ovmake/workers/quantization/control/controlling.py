"""control: from a plain INT8 IR to one that keeps its promise, with as few layers in floating point as can be.

It writes the IR, and `contracts.search.Search`.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping

from ovmake.contracts.codec import save
from ovmake.contracts.params.promise import MaxDrop, PromiseParams, Tolerance
from ovmake.contracts.search import Search, SearchedLayer, SearchTrial
from ovmake.workers.conversion import ir
from ovmake.workers.evaluation.comparison import Subject
from ovmake.workers.ipc import progress
from ovmake.workers.ipc.protocol import Request
from ovmake.workers.quantization.control.effects import ranking_of
from ovmake.workers.quantization.control.journal import Journal
from ovmake.workers.quantization.control.pair import Pair
from ovmake.workers.quantization.control.search import Found, search
from ovmake.workers.quantization.control.trials import Limits, Trials

WORST = 5


def control(request: Request) -> dict[str, object]:
    """Search; write `xml`, `bin` and `search`."""
    progress.alone("trials")
    trials = _trials(request)
    if trials.subject.facts.not_measured:
        found = Found(names=(), kept=False, distance=0.0, ended=trials.subject.facts.not_measured)
    else:
        found = search(lambda: ranking_of(trials), trials.attempt)
    _write(request, trials.pair, found)
    save(_report(trials, found), request.outputs["search"])
    return {
        "given_back": len(found.names),
        "layers": len(trials.pair.layers),
        "recalled": trials.recalled,
        "search_seconds": round(trials.seconds, 3),
    }


def _trials(request: Request) -> Trials:
    params = request.params
    minutes, most = params.get("max-minutes"), params["max-evaluations"]
    if not isinstance(most, int):
        raise TypeError("`max-evaluations` is no number")
    return Trials(
        subject=Subject.of(request),
        pair=Pair(
            ir.read(request.inputs["float-xml"], request.inputs["float-bin"]),
            ir.read(request.inputs["xml"], request.inputs["bin"]),
        ),
        promise=_promise(params),
        limits=Limits(evaluations=most, seconds=60 * minutes if isinstance(minutes, int | float) else None),
        journal=Journal.open(request.journal),
        device=str(params.get("device", "CPU")),
        properties=ir.compile_properties(params),
    )


def _promise(params: Mapping[str, object]) -> PromiseParams:
    """Return the promise among flat settings."""

    def tolerance(name: str) -> Tolerance:
        found = [params.get(f"accuracy.{name}.{key}") for key in ("cosine", "max-error")]
        cosine, error = (one if isinstance(one, int | float) else None for one in found)
        return Tolerance(cosine=cosine, max_error=error)

    drop = params.get("accuracy.max-drop")
    return PromiseParams(
        max_drop=MaxDrop.read(drop) if isinstance(drop, int | float | str) else None,
        agreement=tolerance("agreement"),
        neighbours=tolerance("neighbours"),
        promised=params.get("accuracy.promised") is True,
        real_data=params.get("accuracy.real-data") is True,
    )


def _write(request: Request, pair: Pair, found: Found) -> None:
    if found.names:
        ir.write(pair.with_float(found.names), request.outputs["xml"], request.outputs["bin"])
        return
    for role in ("xml", "bin"):
        shutil.copyfile(request.inputs[role], request.outputs[role])


def _report(trials: Trials, found: Found) -> Search:
    types = {layer.name: layer.type for layer in trials.pair.layers}
    shares = found.ranking.shares if found.ranking else {}
    drops = {frozenset(done.trial.names): done.drop for done in trials.done if done.outcome.whole}

    def about(name: str, in_int8: float | None = None) -> SearchedLayer:
        return SearchedLayer(name=name, type=types[name], share=shares[name], in_int8=in_int8)

    return Search(
        layers=len(types),
        int8=len(types) - len(found.names),
        given_back=tuple(about(name, drops.get(frozenset(found.names) - {name})) for name in found.names),
        worst=tuple(about(name) for name in sorted(shares, key=lambda name: -shares[name])[:WORST]),
        trials=tuple(
            SearchTrial(
                given_back=len(done.trial.names),
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
    )
