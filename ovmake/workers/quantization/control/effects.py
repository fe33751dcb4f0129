"""The layers' effects on the outputs, measured on the samples that plain INT8 disturbs most, and the ranking they give.

    ranking_of(trials) -> Ranking       from the journal, if it knows the effects

In one go (`probing.py`) where the model can run a row per layer. Where it cannot, because its batch is fixed somewhere
inside, one layer after the other is given back, which takes a compilation each.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import numpy as np
import openvino as ov

from ovmake.workers.evaluation.comparison import by_place, compile_model
from ovmake.workers.inputs.preparing import Array
from ovmake.workers.quantization.control.probing import NoRowsError, Prober
from ovmake.workers.quantization.control.ranking import Ranking, rank
from ovmake.workers.quantization.control.trials import Trials, note, pick

# How many rows to run in all, and how many samples at least and at most. With 64 layers on 8 samples the order was as
# good as on 100; with 14 layers, 64 samples cost next to nothing.
ROWS = 512
FEWEST, MOST = 8, 64

Feeds = Sequence[Mapping[int, Array]]


def ranking_of(trials: Trials) -> Ranking:
    """Return the ranking of all layers; measure their effects and note them if they are not known."""
    known = trials.journal.effects
    if known is None:
        started = time.monotonic()
        ranking, inferences = _measured(trials)
        known = {
            "names": list(ranking.names),
            "products": ranking.products.tolist(),
            "inferences": inferences,
            "seconds": time.monotonic() - started,
        }
        trials.journal.note_effects(known)
    trials.count_other(inferences=int(known["inferences"]), seconds=float(known["seconds"]))
    return Ranking(tuple(known["names"]), np.asarray(known["products"]))


def _measured(trials: Trials) -> tuple[Ranking, int]:
    names = [layer.name for layer in trials.pair.layers]
    count = max(FEWEST, min(MOST, ROWS // (len(names) + 1)))
    samples = pick(trials.feeds(), trials.disturbed[:count], whole=trials.subject.samples.batch is None)
    feeds = [by_place(trials.subject.interface, sample) for sample in samples]
    try:
        if trials.subject.samples.batch is None:
            raise NoRowsError("every sample is a whole input")
        effects, inferences = _in_rows(trials, feeds)
    except NoRowsError as reason:
        note(f"layers are given back one after the other, for they cannot be probed in rows: {reason}")
        effects, inferences = _one_by_one(trials, names, feeds)
    scales = [trials.subject.facts["scales"][tensor.name] or 1.0 for tensor in trials.subject.interface.outputs]
    return rank(names, [effect / scale for effect, scale in zip(effects, scales, strict=True)]), inferences


def _in_rows(trials: Trials, feeds: Feeds) -> tuple[list[Array], int]:
    prober = Prober(trials.pair)
    found = [prober.effects(feed) for feed in feeds]
    return _stacked(found), prober.rows * len(feeds)


def _one_by_one(trials: Trials, names: Sequence[str], feeds: Feeds) -> tuple[list[Array], int]:
    """Return per output what each layer's return to floating point takes from INT8's disturbance."""
    whole = _outputs(trials, trials.pair.quantized, feeds)
    without = [_outputs(trials, trials.pair.with_float([name]), feeds) for name in names]
    found = [
        [np.stack([output - other[place][index] for other in without]) for index, output in enumerate(outputs)]
        for place, outputs in enumerate(whole)
    ]
    return _stacked(found), (len(names) + 1) * len(feeds)


def _outputs(trials: Trials, model: ov.Model, feeds: Feeds) -> list[list[Array]]:
    asked = compile_model(model, trials.device, trials.properties).create_infer_request()
    found = []
    for feed in feeds:
        results = asked.infer(dict(feed), share_inputs=True)
        found.append([np.array(results[index], dtype=np.float64) for index in range(len(results))])
    return found


def _stacked(found: Sequence[Sequence[Array]]) -> list[Array]:
    """Return per output [samples, layers, elements] of [samples][outputs] of [layers, ...]."""
    return [
        np.stack([np.asarray(effect).reshape(len(effect), -1) for effect in output])
        for output in zip(*found, strict=True)
    ]
