"""Check whether an IR's answer for a sample depends on its neighbours: the other samples in its batch.

    watch = NeighboursWatch(subject=..., model=..., device=..., properties=...)
    compare(subject, compiled, on_feed=watch.on_feed)       sees the first feed, and ends nothing
    watch.figures(executed) -> Neighbours | None

Some samples of the first feed are run again, each alone. If an answer differs, `outputs` has the difference, and the
same difference for TensorFlow (`reference.py`), since some models depend on the batch by design. If TensorFlow's
answers do not, the first layer whose output depends on the batch is searched for, and some properties are tried.

The runtime chooses kernels by shape, so a fault may occur in batches of one size only: plain INT8 of a transformer had
an accuracy of .322 in batches of 10, and of .133 in batches of 500.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import openvino as ov

from ovmake.contracts.files.evaluation import BatchFigures, Distances, Neighbours, Operation
from ovmake.contracts.files.reference import Distance
from ovmake.verdicts.figures import OWN_FLOATS
from ovmake.workers.evaluation.comparison import ComparedFeed, Inferring, Subject, by_place
from ovmake.workers.evaluation.differences import Difference, largest
from ovmake.workers.inputs.preparing import Array
from ovmake.workers.inputs.samples import Feed, alone

# Differences above this share of an output's scale are examined. In f32 it is a gate's tolerance; lower precisions may
# differ by a few rounding units if kernels sum in a different order.
LOOKED_INTO = {"f32": 1e-4}
LOOKED_INTO_ROUNDED = 1e-2
SEARCH_SECONDS = 60.0
# Properties of the CPU plugin that are known to change kernels or their arithmetic.
REMEDIES: tuple[dict[str, str], ...] = (
    {"EXECUTION_MODE_HINT": "ACCURACY"},
    {"DYNAMIC_QUANTIZATION_GROUP_SIZE": "0"},
)
TWO = 2


@dataclass(slots=True, kw_only=True)
class NeighboursWatch:
    """See the module. `model` is the compared model, compiled for `device` with `properties`."""

    subject: Subject
    model: ov.Model
    device: str
    properties: Mapping[str, str]
    _feed: Feed | None = field(default=None, init=False)
    _actual: Mapping[str, Array] = field(default_factory=dict, init=False)
    _inferring: Inferring | None = field(default=None, init=False)

    def on_feed(self, seen: ComparedFeed) -> bool:
        """Store the first feed, if the model leaves the batch open."""
        samples = self.subject.samples
        if self._feed is None and samples.batch is not None and not samples.fixed and seen.feed.count >= TWO:
            self._feed, self._actual, self._inferring = seen.feed, seen.actual, seen.inferring
        return False

    def figures(self, executed: Mapping[str, int]) -> Neighbours | None:
        """Return the figures; None if the batch size is fixed. `executed` counts layers by precision.

        TensorFlow's facts decide that: the first dimension of all inputs is not always a batch.
        """
        feed = self._feed
        own = self.subject.facts.alone
        if feed is None or self._inferring is None or own is None:
            return None
        differences = self._differences(self._inferring, feed, self._actual)
        known = {name: one.figures() for name, one in differences.items()}
        found = Neighbours(
            sizes=(1, feed.count),
            samples=len(alone(feed.count)),
            outputs=tuple(_output(name, figures, own[name]) for name, figures in known.items()),
        )
        limit = LOOKED_INTO.get("".join(executed), LOOKED_INTO_ROUNDED)
        if any(self._is_odd(name, figures, limit) for name, figures in known.items()):
            return replace(found, begins=self._begins(feed, limit), helps=tuple(self._helps(feed, limit)))
        return found

    def _is_odd(self, name: str, figures: Distances, limit: float) -> bool:
        own = (self.subject.facts.alone or {})[name]
        most, explained = figures.max_abs, OWN_FLOATS * (own.max_abs or 0.0)
        scale = self.subject.facts.scales.get(name) or 1.0
        return most is not None and most > max(limit * scale, explained)

    def _differences(self, inferring: Inferring, feed: Feed, together: Mapping[str, Array]) -> dict[str, Difference]:
        """Return the difference of answers alone from those in a batch, for each output with a row per sample."""
        scales, known = self.subject.facts.scales, self.subject.facts.alone or {}
        rowed = [name for name, rows in together.items() if len(rows) == feed.count and name in known]
        differences = {name: Difference(scale=scales[name], varies=True) for name in rowed}
        for place in alone(feed.count):
            single = inferring.answers(feed.alone(place))
            for name in rowed:
                differences[name].add(together[name][place : place + 1], single[name])
        return differences

    # what is wrong, and what helps

    def _helps(self, feed: Feed, limit: float) -> list[dict[str, str]]:
        """Return the properties with which no answer depends on the batch."""
        helping = []
        for remedy in REMEDIES:
            try:
                compiled = ov.Core().compile_model(self.model, self.device, {**self.properties, **remedy})
            except RuntimeError:
                continue  # the device does not know the property
            inferring = Inferring.of(self.subject, compiled)
            differences = self._differences(inferring, feed, inferring.answers(feed))
            if not any(self._is_odd(name, one.figures(), limit) for name, one in differences.items()):
                helping.append(remedy)
        return helping

    def _begins(self, feed: Feed, limit: float) -> Operation | None:
        """Return the first operation whose output depends on the batch; None if it is not found in time.

        Every later output depends on it too, so bisection finds it. Each compilation examines one operation: an
        additional output prevents fusion, and may hide the effect.
        """
        until = time.monotonic() + SEARCH_SECONDS
        names = [operation.get_friendly_name() for operation in self.model.get_ordered_ops() if _has_rows(operation)]
        low, high = 0, len(names) - 1
        while low < high and time.monotonic() < until:
            middle = (low + high) // 2
            if self._depends(names[middle], feed, limit):
                high = middle
            else:
                low = middle + 1
        if low < high or not names:
            return None
        operation = next(one for one in self.model.get_ordered_ops() if one.get_friendly_name() == names[low])
        return Operation(name=names[low], type=str(operation.get_type_name()))

    def _depends(self, name: str, feed: Feed, limit: float) -> bool:
        tapped = self.model.clone()
        operation = next(one for one in tapped.get_ordered_ops() if one.get_friendly_name() == name)
        tapped.add_outputs([operation.output(0)])
        compiled = ov.Core().compile_model(tapped, self.device, dict(self.properties))
        request, last = compiled.create_infer_request(), len(compiled.outputs) - 1

        def run(feed: Feed) -> Array:
            given = by_place(self.subject.interface, feed.inputs)
            request.infer(given, share_inputs=True)
            return request.get_output_tensor(last).data.copy()  # type: ignore[no-any-return]

        together = run(feed)
        if together.ndim == 0 or len(together) != feed.fed:
            return False
        found = Difference(scale=largest(together))
        for place in alone(feed.count):
            found.add(together[place : place + 1], run(feed.alone(place)))
        most = found.figures().max_abs
        return most is not None and most > limit * (found.scale or 1.0)


def _has_rows(operation: ov.Node) -> bool:
    """Whether an operation's output is floating point, with a first dimension that may be the batch."""
    if operation.get_type_name() in {"Constant", "Parameter", "Result"} or operation.get_output_size() == 0:
        return False
    shape = operation.get_output_partial_shape(0)
    has_batch = shape.rank.is_static and len(shape) > 0 and shape[0].is_dynamic
    return bool(has_batch and operation.get_output_element_type(0).is_real())


def _output(name: str, figures: Distances, own: Distance) -> BatchFigures:
    """Return how much outputs depend on their batch; `own`: TensorFlow's."""
    return BatchFigures(
        name=name,
        scale=figures.scale,
        max_abs=figures.max_abs,
        cosine=figures.cosine,
        own_max_abs=own.max_abs,
        own_cosine=own.cosine,
    )
