"""Locate the layers of a source in its IR.

    places(tapped, ir, feeds) -> Places(found={tap: Probe}, why={tap: "…"})

probes.py marks the layers in a second conversion; graph_matching.py finds the marked tensors in the IR.

Fusion normally moves a mark to the tensor with the same value. There are exceptions: a multiplication after a depthwise
convolution is folded into its weights, and the mark stays although the value changed. So the marked model is compared
with the unfused one. A mark is *stale* if its value differs from the layer's, but the value of some later layer is
right. If no later value is right, fusion itself is wrong, which is the fault that the user is looking for.
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
UNREAD = "OpenVINO's reader does not provide its tensor"
LOST = "no operation of the IR is its counterpart"

# A different order of operations gives some 80 dB or more. 8-bit weights, which the CPU plugin may compute with in
# different ways, give 40 dB. An unrelated value gives 20 dB or less.
_SAME_DB = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Taps by number: the located ones, and for the rest the reason. `sizes` are in bytes."""

    found: Mapping[int, Probe]
    why: Mapping[int, str]
    sizes: Mapping[int, int]


def places(tapped: Tapped, target: ov.Model, feeds: Feeds) -> Places:
    """Locate the taps in the IR `target`."""
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
    """Yield the pairs of outputs of two models: by tensor name, else by order."""
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
    """Locate TFLite's tensor: after the FakeQuantize that consumes the marked tensor, unless that is one itself."""
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


# marks on tensors with a different value


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
    snr, max_abs = figures.snr_db, figures.max_abs
    return not max_abs if snr is None else snr >= _SAME_DB


def _recovers(tapped: Tapped, number: int, wrong: set[int]) -> bool:
    """Whether some layer that depends on a tap has the right value."""
    reached = {tapped.taps[number].tensor}
    for later, tap in enumerate(tapped.taps):
        if reached & set(tap.inputs):
            if later in tapped.marks and later not in wrong:
                return True
            reached.add(tap.tensor)
    return False
