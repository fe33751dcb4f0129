"""Where in an IR the layers of its source are.

    places(tapped, ir, feeds) -> Places(found={tap: Spot}, why={tap: "…"})

probes.py marks the layers in a conversion like the IR's; graph_matching.py finds what is marked in the IR itself.

Fusing carries a mark along to what has the same value. It does not always: what multiplies a depthwise convolution's
result goes into its weights, and the mark stays though the value does not. So the marked model is run against the one
that was not fused. A mark is *stale* if its value is not the layer's, and that of some layer after it is right all the
same; if none is, then fusing itself went wrong, which is what the user looks for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import openvino as ov

from ovmake.workers.evaluation.differences import difference
from ovmake.workers.inputs.preparing import Array
from ovmake.workers.matching.graph_matching import Pair, Port, pairs, place_of
from ovmake.workers.matching.probe_runs import Feeds, Probe, groups, run, sizes_of
from ovmake.workers.matching.probes import Tapped, nodes_of, to_integers

FOLDED = "OpenVINO fused it with its neighbours"
UNREAD = "OpenVINO's reader does not give its tensor"
LOST = "no operation of the IR is its counterpart"

# Another order of operations leaves some 80 dB or more; 8-bit weights, with which the CPU's plugin computes in one way
# or another, 40 dB. A value of something else is at 20 dB or less.
_SAME_DB = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Taps by their number: where those are that were found, and why the others were not. `sizes` in bytes."""

    found: Mapping[int, Probe]
    why: Mapping[int, str]
    sizes: Mapping[int, int]


def places(tapped: Tapped, target: ov.Model, feeds: Feeds) -> Places:
    """Return where in the IR `target` the taps are."""
    nodes = nodes_of(tapped.marked)
    paired = pairs(nodes, nodes_of(target), _ends(tapped.marked, target))
    stale = _stale(tapped, feeds)
    found: dict[int, Probe] = {}
    why: dict[int, str] = {}
    for number in range(len(tapped.taps)):
        mark = tapped.marks.get(number)
        if mark is None or number in stale:
            why[number] = FOLDED if number in tapped.outputs else UNREAD
        elif (pair := place_of(nodes, paired, mark.port, mark.order)) is None:
            why[number] = LOST
        else:
            found[number] = _quantized(target, pair) if mark.quantized else Probe(port=pair.port, order=pair.order)
    return Places(found=found, why=why, sizes=sizes_of(target, found, feeds))


def _ends(first: ov.Model, second: ov.Model) -> Iterator[tuple[Port, Port]]:
    """Yield the outputs of two models that are one: by their tensors' names, else by their order."""
    ours, theirs = ([port.get_names() for port in model.outputs] for model in (first, second))
    there, here = _results(second), _results(first)
    for index, names in enumerate(ours):
        same = [other for other, known in enumerate(theirs) if names & known]
        other = index if index in same or not same else same[0]
        if other < len(there):
            yield (here[index], 0), (there[other], 0)


def _results(model: ov.Model) -> list[int]:
    order = {operation.get_name(): place for place, operation in enumerate(model.get_ordered_ops())}
    return [order[result.get_name()] for result in model.get_results()]


def _quantized(model: ov.Model, pair: Pair) -> Probe:
    """Return where TFLite's tensor is: behind the FakeQuantize that takes what was marked, if that is none itself."""
    operations = model.get_ordered_ops()
    here = operations[pair.port[0]]
    takers = {taker.get_node().get_name() for taker in here.output(pair.port[1]).get_target_inputs()}
    found = [
        (place, to_integers(operation))
        for place, operation in enumerate(operations)
        if operation.get_name() in takers and operation.get_type_name() == "FakeQuantize"
    ]
    if here.get_type_name() == "FakeQuantize" or len(found) != 1:
        return Probe(port=pair.port, order=pair.order)
    place, integers = found[0]
    return Probe(port=(place, 0), order=pair.order, integers=integers)


# marks that stayed where they no longer belong


def _stale(tapped: Tapped, feeds: Feeds) -> set[int]:
    marks = {number: mark for number, mark in tapped.marks.items() if not mark.quantized}
    where = {number: Probe(port=mark.port, order=mark.order) for number, mark in marks.items()}
    wrong: set[int] = set()
    for group in groups(sorted(where), sizes_of(tapped.marked, where, feeds[:1])):
        raw = run(tapped.raw, {number: tapped.outputs[number] for number in group}, feeds[:1])
        fused = run(tapped.marked, {number: where[number] for number in group}, feeds[:1])
        both = raw.keys() & fused.keys()
        wrong |= {number for number in both if not _agree(raw[number][0], fused[number][0])}
    return {number for number in wrong if _recovers(tapped, number, wrong)}


def _agree(expected: Array, actual: Array) -> bool:
    if expected.shape != actual.shape:
        return False
    figures = difference(expected, actual)
    snr, apart = figures["snr_db"], figures["max_abs"]
    return not apart if snr is None else snr >= _SAME_DB


def _recovers(tapped: Tapped, number: int, wrong: set[int]) -> bool:
    """Whether some layer that a tap flows into has the right value."""
    reached = {tapped.taps[number].tensor}
    for later, tap in enumerate(tapped.taps):
        if reached & set(tap.inputs):
            if later in tapped.marks and later not in wrong:
                return True
            reached.add(tap.tensor)
    return False
