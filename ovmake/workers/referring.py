"""reference: TensorFlow's own outputs for the samples, kept for all precisions to be compared with.

outputs     .npz with an array per output, [samples, ...]
facts       JSON: how many operations the graph has; the largest magnitude in each output; by how much TensorFlow
            differs from itself where it may, which no IR can be asked to be better than (`original.again`), and
            where samples are run alone and not in a batch; what a loader yielded (datasets/yielded.py); or why
            TensorFlow cannot run it
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from ovmake.workers import kept
from ovmake.workers.damaged import explained
from ovmake.workers.differences import Difference, largest
from ovmake.workers.interface import Interface
from ovmake.workers.original import Original, original
from ovmake.workers.outputs import Writing, rows
from ovmake.workers.preparing import Array, prepared
from ovmake.workers.protocol import ActionError, Request, message_of
from ovmake.workers.samples import Feed, Samples, alone, take


@explained
def refer(request: Request) -> dict[str, object]:
    """Run TensorFlow; write `outputs` and `facts`.

    Where TensorFlow cannot run what the IR computes, the facts say why and there are no outputs: the IR may be right,
    and there is nothing to compare it with. A source that cannot even be loaded is an error.
    """
    interface = Interface.read(request.inputs["interface"])
    samples = take(request, interface)
    facts: dict[str, object] = {"format": 2}
    with Writing(request.outputs["outputs"]) as written:
        try:
            model = kept.take(request) or original(request, interface)
            facts |= _run(model, interface, samples, written)
            facts |= {"yielded": samples.yielded.to_json()} if samples.yielded else {}
            facts |= {"operations": model.operations, "in_integers": model.in_integers, "quanta": dict(model.quanta)}
        except ActionError as error:
            if error.code != "tensorflow-cannot-run":
                raise
            written.discard()
            facts["not_measured"] = error.message
    Path(request.outputs["facts"]).write_text(json.dumps(facts) + "\n")
    return {"not_measured": facts.get("not_measured")}


def _run(model: Original, interface: Interface, samples: Samples, written: Writing) -> dict[str, object]:
    """Write the outputs; return their scales, and how far the model is from itself when it is run again.

    Integers are always run again, else the first feed only.
    """
    scales = {tensor.name: 0.0 for tensor in interface.outputs}
    own: dict[str, Difference] = {}
    single = None
    for place, feed in enumerate(samples.feeds()):
        try:
            ready = prepared(feed.inputs, interface)
            given = model(ready)
            again = model.again(ready) if place == 0 or model.in_integers else None
        except Exception as error:
            message = f"TensorFlow cannot run the model on these samples: {message_of(error)}"
            raise ActionError("tensorflow-cannot-run", message, setting="source") from error
        outputs = _rows(given, interface, feed.count, feed.fed)
        written.add(outputs)
        if place == 0 and samples.batch is not None and not samples.fixed:
            single = _alone(model, interface, feed, outputs)
        scales = {name: max(scales[name], largest(array)) for name, array in outputs.items()}
        for name, array in _rows(again, interface, feed.count, feed.fed).items() if again is not None else ():
            own.setdefault(name, Difference(scale=scales[name])).add(outputs[name], array)
    return {"scales": scales, "own": _few(own), "alone": None if single is None else _few(single)}


def _alone(model: Original, interface: Interface, feed: Feed, together: Mapping[str, Array]) -> dict[str, Difference]:
    """Return how far TensorFlow's answers for samples alone are from those in a batch: see `neighbours.py`.

    Nothing where it does not run them alone.
    """
    rowed = [name for name, rows in together.items() if len(rows) == feed.count]
    apart = {name: Difference(scale=largest(together[name])) for name in rowed}
    for place in alone(feed.count):
        one = feed.alone(place)
        try:
            answers = model(prepared(one.inputs, interface))
        except Exception:  # noqa: BLE001 - what counts is the batch of the first feed, which it ran
            return {}
        given = _rows(answers, interface, one.count, one.fed)
        for name in rowed:
            apart[name].add(together[name][place : place + 1], given[name])
    return apart


def _few(differences: Mapping[str, Difference]) -> dict[str, object]:
    figures = {name: apart.figures() for name, apart in differences.items()}
    return {name: {key: known[key] for key in ("max_abs", "cosine")} for name, known in figures.items()}


def _rows(outputs: Mapping[str, Array], interface: Interface, count: int, fed: int) -> dict[str, Array]:
    return {tensor.name: rows(outputs[tensor.name], tensor, count=count, fed=fed) for tensor in interface.outputs}
