"""Whether an IR's answer for a sample depends on its neighbours, that is on what else is in its batch.

    neighbours = Neighbours(subject=..., model=..., device=..., properties=...)
    compare(subject, compiled, look=neighbours.look)     sees the first feed, and ends nothing
    neighbours.figures(executed) -> {"sizes": [1, 64], "samples": 8, "outputs": [...], "begins": ..., "helps": [...]}

Some samples of the first feed are run once more, each alone. Where an answer is another one then, `outputs` say by how
much, beside how much TensorFlow's own depend on it (`reference.py`), which may be the model's nature. Where those do
not, the first layer is looked for whose output depends on the batch, and properties are tried that may help.

Kernels are chosen by shape, so that a runtime's fault may be in batches of one size and not in those of another: plain
INT8 of a transformer was seen with an accuracy of .322 in batches of 10, and of .133 in those of 500.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import openvino as ov

from ovmake.verdicts.agreement import OWN_FLOATS
from ovmake.workers.evaluation.comparison import Asking, Seen, Subject, by_place
from ovmake.workers.evaluation.differences import Difference, Figures, largest
from ovmake.workers.inputs.preparing import Array
from ovmake.workers.inputs.samples import Feed, alone

# As a share of an output's scale: what is looked into. In f32 a gate asks for as much; what computes in fewer bits may
# differ by a step or two where kernels sum in another order.
LOOKED_INTO = {"f32": 1e-4}
LOOKED_INTO_ROUNDED = 1e-2
SEARCH_SECONDS = 60.0
# What is known to change kernels or their arithmetic, of the CPU's plugin.
REMEDIES: tuple[dict[str, str], ...] = (
    {"EXECUTION_MODE_HINT": "ACCURACY"},
    {"DYNAMIC_QUANTIZATION_GROUP_SIZE": "0"},
)
TWO = 2


@dataclass(slots=True, kw_only=True)
class Neighbours:
    """See above. `model` is what is compared, compiled for `device` with `properties`."""

    subject: Subject
    model: ov.Model
    device: str
    properties: Mapping[str, str]
    _feed: Feed | None = field(default=None, init=False)
    _actual: Mapping[str, Array] = field(default_factory=dict, init=False)
    _asking: Asking | None = field(default=None, init=False)

    def look(self, seen: Seen) -> bool:
        """Keep the first feed, where the model leaves the batch open."""
        samples = self.subject.samples
        if self._feed is None and samples.batch is not None and not samples.fixed and seen.feed.count >= TWO:
            self._feed, self._actual, self._asking = seen.feed, seen.actual, seen.asking
        return False

    def figures(self, executed: Mapping[str, int]) -> dict[str, object] | None:
        """Return them; None where no batch can be of another size. `executed` counts layers by precision.

        TensorFlow says whether one can: the first dimension of all inputs need be no batch.
        """
        feed = self._feed
        if feed is None or self._asking is None or self.subject.facts["alone"] is None:
            return None
        apart = self._differences(self._asking, feed, self._actual)
        known = {name: one.figures() for name, one in apart.items()}
        found: dict[str, object] = {
            "sizes": [1, feed.count],
            "samples": len(alone(feed.count)),
            "outputs": [{"name": name, **_few(figures), **self._own(name)} for name, figures in known.items()],
        }
        limit = LOOKED_INTO.get("".join(executed), LOOKED_INTO_ROUNDED)
        if any(self._is_odd(name, figures, limit) for name, figures in known.items()):
            found |= {"begins": self._begins(feed, limit), "helps": list(self._helps(feed, limit))}
        return found

    def _own(self, name: str) -> dict[str, object]:
        """Return how far TensorFlow's own answers for a sample depend on its batch."""
        own = self.subject.facts["alone"][name]
        return {"own_max_abs": own["max_abs"], "own_cosine": own["cosine"]}

    def _is_odd(self, name: str, figures: Figures, limit: float) -> bool:
        most, explained = figures["max_abs"], OWN_FLOATS * (self.subject.facts["alone"][name]["max_abs"] or 0.0)
        scale = self.subject.facts["scales"].get(name) or 1.0
        return most is not None and most > max(limit * scale, explained)

    def _differences(self, asking: Asking, feed: Feed, together: Mapping[str, Array]) -> dict[str, Difference]:
        """Return how far answers alone are from those in a batch, of each output with a row per sample."""
        scales, known = self.subject.facts["scales"], self.subject.facts["alone"]
        rowed = [name for name, rows in together.items() if len(rows) == feed.count and name in known]
        apart = {name: Difference(scale=scales[name], varies=True) for name in rowed}
        for place in alone(feed.count):
            single = asking.answers(feed.alone(place))
            for name in rowed:
                apart[name].add(together[name][place : place + 1], single[name])
        return apart

    # what is wrong, and what helps

    def _helps(self, feed: Feed, limit: float) -> list[dict[str, str]]:
        """Return the properties under which no answer depends on the batch any more."""
        helping = []
        for remedy in REMEDIES:
            try:
                compiled = ov.Core().compile_model(self.model, self.device, {**self.properties, **remedy})
            except RuntimeError:
                continue  # the device does not know the property
            asking = Asking.of(self.subject, compiled)
            apart = self._differences(asking, feed, asking.answers(feed))
            if not any(self._is_odd(name, one.figures(), limit) for name, one in apart.items()):
                helping.append(remedy)
        return helping

    def _begins(self, feed: Feed, limit: float) -> dict[str, str] | None:
        """Return the first operation whose output depends on the batch; None if it was not found in time.

        What comes after it does, too, so halving finds it. One operation is looked at in a compilation: an output
        more keeps operations from being fused, and may change what it is to show.
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
        return {"name": names[low], "type": str(operation.get_type_name())}

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
        apart = Difference(scale=largest(together))
        for place in alone(feed.count):
            apart.add(together[place : place + 1], run(feed.alone(place)))
        most = apart.figures()["max_abs"]
        return most is not None and most > limit * (apart.scale or 1.0)


def _has_rows(operation: ov.Node) -> bool:
    """Whether an operation gives floating point, with a first dimension that may be the batch."""
    if operation.get_type_name() in {"Constant", "Parameter", "Result"} or operation.get_output_size() == 0:
        return False
    shape = operation.get_output_partial_shape(0)
    has_batch = shape.rank.is_static and len(shape) > 0 and shape[0].is_dynamic
    return bool(has_batch and operation.get_output_element_type(0).is_real())


def _few(figures: Figures) -> dict[str, object]:
    return {key: figures[key] for key in ("scale", "max_abs", "cosine")}
