"""control: turn a plain INT8 IR into one that meets its accuracy requirement, with as few float layers as possible.

search = {
    "format": 1, "layers": 64, "int8": 62,
    "given_back": [{"name", "type", "share", "in_int8"}],   layers reverted to float. share: of the quantization error
                                                            of all layers; in_int8: the drop with this one in INT8
                                                            again, if tried
    "worst": [{"name", "type", "share"}],                   the layers with the largest quantization error
    "trials": [{"given_back", "kept", "drop", "samples", "ended_early"}],
    "kept": true, "hopeless": false, "ended": "",           see search.Found
    "inferences": 3675,                                     samples that trials and ranking ran
}

It contains no times and no trace of the journal, so it is the same for an interrupted search.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

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
    if "not_measured" in trials.subject.facts:
        found = Found(names=(), kept=False, distance=0.0, ended=str(trials.subject.facts["not_measured"]))
    else:
        found = search(lambda: ranking_of(trials), trials.attempt)
    _write(request, trials.pair, found)
    report = _report(trials, found)
    Path(request.outputs["search"]).write_text(json.dumps(report, indent=1, allow_nan=False) + "\n")
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
        raise TypeError("`max-evaluations` is not a number")
    return Trials(
        subject=Subject.of(request),
        pair=Pair(
            ir.read(request.inputs["float-xml"], request.inputs["float-bin"]),
            ir.read(request.inputs["xml"], request.inputs["bin"]),
        ),
        params=params,
        limits=Limits(evaluations=most, seconds=60 * minutes if isinstance(minutes, int | float) else None),
        journal=Journal.open(request.journal),
        device=str(params.get("device", "CPU")),
        properties=ir.compile_properties(params),
    )


def _write(request: Request, pair: Pair, found: Found) -> None:
    if found.names:
        ir.write(pair.with_float(found.names), request.outputs["xml"], request.outputs["bin"])
        return
    for role in ("xml", "bin"):
        shutil.copyfile(request.inputs[role], request.outputs[role])


def _report(trials: Trials, found: Found) -> dict[str, Any]:
    layers = {layer.name: layer.type for layer in trials.pair.layers}
    shares = found.ranking.shares if found.ranking else {}

    def about(name: str) -> dict[str, Any]:
        return {"name": name, "type": layers[name], "share": shares[name]}

    drops = {frozenset(done.trial.names): done.drop for done in trials.done if done.outcome.whole}
    again = {name: drops.get(frozenset(found.names) - {name}) for name in found.names}
    return {
        "format": 1,
        "layers": len(layers),
        "int8": len(layers) - len(found.names),
        "given_back": [{**about(name), "in_int8": again[name]} for name in found.names],
        "worst": [about(name) for name in sorted(shares, key=lambda name: -shares[name])[:WORST]],
        "trials": [
            {
                "given_back": len(done.trial.names),
                "kept": done.outcome.kept,
                "drop": done.drop,
                "samples": done.samples,
                "ended_early": not done.outcome.whole,
            }
            for done in trials.done
        ],
        "kept": found.kept,
        "hopeless": found.hopeless,
        "ended": found.ended,
        "inferences": trials.inferences,
    }
