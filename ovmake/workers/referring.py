"""reference: TensorFlow's own outputs for the samples, kept for all precisions to be compared with.

outputs     .npz with `output_0`, `output_1`, ... in the order of the interface's outputs, each [samples, ...]
facts       JSON: how many operations the graph has; by how much TensorFlow differs from itself where it may, which no
            IR can be asked to be better than (`original.again`); or why TensorFlow cannot run it
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from ovmake.workers.differences import difference
from ovmake.workers.interface import Interface
from ovmake.workers.original import Original, original
from ovmake.workers.preparing import Array, prepared
from ovmake.workers.protocol import ActionError, Request, message_of
from ovmake.workers.samples import Collected, Samples, take


def refer(request: Request) -> dict[str, object]:
    """Run TensorFlow; write `outputs` and `facts`.

    Where TensorFlow cannot run what the IR computes, the facts say why and there are no outputs: the IR may be right,
    and there is nothing to compare it with. A source that cannot even be loaded is an error.
    """
    interface = Interface.read(request.inputs["interface"])
    samples = take(request, interface)
    facts: dict[str, object] = {"format": 1}
    outputs: dict[str, Array] = {}
    try:
        model = original(request, interface)
        outputs, again = _run(model, interface, samples)
        facts |= {"operations": model.operations, "in_integers": model.in_integers, "quanta": dict(model.quanta)}
        facts["own"] = {name: difference(outputs[name][: len(array)], array) for name, array in again.items()}
    except ActionError as error:
        if error.code != "tensorflow-cannot-run":
            raise
        facts["not_measured"] = error.message
    with Path(request.outputs["outputs"]).open("wb") as file:
        named = {f"output_{index}": outputs[tensor.name] for index, tensor in enumerate(interface.outputs) if outputs}
        np.savez(file, allow_pickle=False, **named)
    Path(request.outputs["facts"]).write_text(json.dumps(facts) + "\n")
    return {"not_measured": facts.get("not_measured")}


def _run(model: Original, interface: Interface, samples: Samples) -> tuple[dict[str, Array], dict[str, Array]]:
    """Return the outputs, and what the model says when it is run again: integers always, else the first feed only."""
    collected, others = Collected(interface.outputs), Collected(interface.outputs)
    for place, (feed, count) in enumerate(samples.feeds()):
        try:
            ready = prepared(feed, interface)
            collected.add(model(ready), count, samples.fed(feed))
            again = model.again(ready) if place == 0 or model.in_integers else None
        except Exception as error:
            message = f"TensorFlow cannot run the model on these samples: {message_of(error)}"
            raise ActionError("tensorflow-cannot-run", message, setting="source") from error
        if again is not None:
            others.add(again, count, samples.fed(feed))
    return collected.arrays(), others.arrays()
