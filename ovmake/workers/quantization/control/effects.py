"""Measure each layer's quantization error at the outputs, on the samples with the largest error, and rank the layers.

    ranking_of(trials) -> Ranking       from the journal, if it has the effects

All layers are measured in one inference (`probing.py`) if the model can run one row per layer. If its batch is fixed
somewhere inside, the layers are reverted to float one by one, with one compilation each.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import numpy as np
import openvino as ov

from ovmake.workers.evaluation.comparison import by_place, compile_model
from ovmake.workers.inputs.preparing import Array
from ovmake.workers.quantization.control.journal import Effects
from ovmake.workers.quantization.control.probing import NoRowsError, Prober
from ovmake.workers.quantization.control.ranking import Ranking, rank
from ovmake.workers.quantization.control.trials import Trials, note, pick

# The total number of rows to run, and the smallest and largest number of samples. With 64 layers, 8 samples gave as
# good an order as 100; with 14 layers, 64 samples take negligible time.
ROWS = 512
FEWEST, MOST = 8, 64

Feeds = Sequence[Mapping[int, Array]]


def ranking_of(trials: Trials) -> Ranking:
    """Return the ranking of all layers; measure and store their effects if the journal lacks them."""
    known = trials.journal.effects
    if known is None:
        started = time.monotonic()
        ranking, inferences = _measured(trials)
        known = Effects(
            names=ranking.names,
            products=tuple(map(tuple, ranking.products.tolist())),
            inferences=inferences,
            seconds=time.monotonic() - started,
        )
        trials.journal.note_effects(known)
    trials.count_other(inferences=known.inferences, seconds=known.seconds)
    return Ranking(known.names, np.asarray(known.products))


def _measured(trials: Trials) -> tuple[Ranking, int]:
    names = [layer.name for layer in trials.pair.layers]
    count = max(FEWEST, min(MOST, ROWS // (len(names) + 1)))
    samples = pick(trials.feeds(), trials.largest_error[:count], whole=trials.subject.samples.batch is None)
    feeds = [by_place(trials.subject.interface, sample) for sample in samples]
    try:
        if trials.subject.samples.batch is None:
            raise NoRowsError("every sample is a whole input")
        effects, inferences = _in_rows(trials, feeds)
    except NoRowsError as reason:
        note(f"layers are reverted to float one by one, because they cannot be probed in rows: {reason}")
        effects, inferences = _one_by_one(trials, names, feeds)
    scales = [trials.subject.facts.scales[tensor.name] or 1.0 for tensor in trials.subject.interface.outputs]
    return rank(names, [effect / scale for effect, scale in zip(effects, scales, strict=True)]), inferences


def _in_rows(trials: Trials, feeds: Feeds) -> tuple[list[Array], int]:
    prober = Prober(trials.pair)
    found = [prober.effects(feed) for feed in feeds]
    return _stacked(found), prober.rows * len(feeds)


def _one_by_one(trials: Trials, names: Sequence[str], feeds: Feeds) -> tuple[list[Array], int]:
    """Return per output how much reverting each layer to float reduces INT8's quantization error."""
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
    """Return per output [samples, layers, elements], from [samples][outputs] of [layers, ...]."""
    return [
        np.stack([np.asarray(effect).reshape(len(effect), -1) for effect in output])
        for output in zip(*found, strict=True)
    ]
