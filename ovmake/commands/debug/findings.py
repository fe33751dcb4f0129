"""What a comparison of layers found: which layers leave TensorFlow's, and by how much. Pure.

    findings = Findings.of(target, body)      body: the JSON that *compare-layers* writes
    findings.first                            the first layer that leaves, in the order in which they compute
    findings.worst()                          matched layers, the worst first

A layer *leaves* when its difference is over the target's tolerance: its gate's, as far as that speaks of numbers.
OpenVINO folds layers into those after them, a convolution into its batch normalization; only their end can be compared.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ovmake.ovfile.spec import Target
from ovmake.ovfile.words import DEFAULT_COSINE, DEFAULT_MAX_ERROR

FORMAT = 1

State = Literal["matched", "folded", "unmatched"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """`kind` "max-error": the largest difference as a share of a layer's scale. "cosine": the least cosine.

    `source` says where the number is from.
    """

    kind: Literal["max-error", "cosine"]
    value: float
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """How far a layer is from TensorFlow's, over all its elements in all samples; see `differences.py`.

    `snr_db` is infinite where the two are equal. NaN: no finite element to compare. `step` is that of a tensor of
    integers, else 0: what rounds to the one beside it is no mistake.
    """

    snr_db: float
    max_abs: float
    scale: float
    cosine: float
    nan_mismatch: int
    step: float = 0.0

    @property
    def error(self) -> float:
        """The largest difference as a share of the layer's scale; of 1, where TensorFlow gives nothing but 0."""
        return self.max_abs / self.scale if self.scale else self.max_abs

    def leaves(self, tolerance: Tolerance) -> bool:
        """Whether this is more than is tolerable. A NaN always is."""
        if self.nan_mismatch:
            return True
        if self.max_abs <= self.step * (1 + 1e-3):
            return False
        if tolerance.kind == "cosine":
            return self.cosine < tolerance.value
        return self.error > tolerance.value


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedLayer:
    """A layer. `figures` and `shape` are there when it was matched, else `why` says why it was not."""

    name: str
    operation: str
    tensor: str
    inputs: tuple[str, ...]
    state: State
    why: str
    shape: tuple[int, ...]
    counterpart: str
    figures: Figures | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Layers in the order in which they compute."""

    target: str
    samples: int
    tolerance: Tolerance
    layers: tuple[ComparedLayer, ...]

    @classmethod
    def of(cls, target: Target, body: Mapping[str, Any]) -> Findings:
        """Return what *compare-layers* wrote about a target."""
        layers = tuple(_layer(entry) for entry in body["layers"])
        return cls(target=target.name, samples=body["samples"], tolerance=tolerance_of(target), layers=layers)

    @property
    def first(self) -> ComparedLayer | None:
        """The first layer that leaves TensorFlow's."""
        return next((layer for layer in self.layers if self.leaves(layer)), None)

    def leaves(self, layer: ComparedLayer) -> bool:
        """Whether a layer is matched and further from TensorFlow's than is tolerable."""
        return layer.figures is not None and layer.figures.leaves(self.tolerance)

    def count(self, state: State) -> int:
        """Return how many layers are in a state."""
        return sum(layer.state == state for layer in self.layers)

    def worst(self) -> list[ComparedLayer]:
        """Return the matched layers, the lowest signal to noise first."""
        matched = [(layer, layer.figures) for layer in self.layers if layer.figures is not None]
        return [layer for layer, _ in sorted(matched, key=lambda entry: _badness(entry[1]))]

    def most_of_its_own(self) -> ComparedLayer | None:
        """Return the layer that adds most noise of its own, None if none adds any."""
        known = [(self.own_db(layer), layer) for layer in self.layers if layer.state == "matched"]
        added = [(own, place, layer) for place, (own, layer) in enumerate(known) if own is not None and own < math.inf]
        return min(added)[2] if added else None

    def folded_into(self, layer: ComparedLayer) -> list[ComparedLayer]:
        """Return the layers that were folded into this one: those that were between it and the last one matched."""
        makers = {made.tensor: made for made in self.layers}
        found: dict[str, ComparedLayer] = {}
        pending = list(layer.inputs)
        while pending:
            made = makers.get(pending.pop())
            if made is not None and made.state == "folded" and made.tensor not in found:
                found[made.tensor] = made
                pending += made.inputs
        return [made for made in self.layers if made.tensor in found]

    def own_db(self, layer: ComparedLayer) -> float | None:
        """Return the signal to noise that a layer would have if its inputs were TensorFlow's; None if it is not known.

        Error piles up from layer to layer, so that the last ones look worst. What a layer adds is its noise beyond that
        of its worst input, both as shares of the signal; infinite if it adds none.
        """
        if layer.figures is None or math.isnan(layer.figures.snr_db):
            return None
        before = max((self._noise(tensor, frozenset()) for tensor in layer.inputs), default=0.0)
        added = _share(layer.figures.snr_db) - before
        return -10 * math.log10(added) if added > 0 else math.inf

    def _noise(self, tensor: str, seen: frozenset[str]) -> float:
        """Return the noise of a tensor as a share of its power; where it was not measured, that of what leads to it."""
        made = next((layer for layer in self.layers if layer.tensor == tensor), None)
        if made is None or tensor in seen:
            return 0.0
        if made.figures is not None and not math.isnan(made.figures.snr_db):
            return _share(made.figures.snr_db)
        return max((self._noise(before, seen | {tensor}) for before in made.inputs), default=0.0)


def tolerance_of(target: Target) -> Tolerance:
    """Return what a target's gate tolerates.

    Its `max-error`, else that of its precision, where there is one. INT8 has none, for single elements may be far off:
    there it is the cosine of the gate, which a layer has to reach as an output has.
    """
    accuracy = target.accuracy
    if accuracy is not None and accuracy.max_error is not None:
        return Tolerance(kind="max-error", value=accuracy.max_error, source="of the target's gate")
    if target.precision in DEFAULT_MAX_ERROR:
        source = f"the default of {target.precision}"
        return Tolerance(kind="max-error", value=DEFAULT_MAX_ERROR[target.precision], source=source)
    if accuracy is not None and accuracy.cosine is not None:
        return Tolerance(kind="cosine", value=accuracy.cosine, source="of the target's gate")
    least = DEFAULT_COSINE.get(target.precision, min(DEFAULT_COSINE.values()))
    return Tolerance(kind="cosine", value=least, source=f"the default of {target.precision}")


def _share(snr_db: float) -> float:
    """Return noise over signal, as powers."""
    return 0.0 if math.isinf(snr_db) else 10 ** (-snr_db / 10)


def _badness(figures: Figures) -> tuple[bool, float, float]:
    snr = -math.inf if math.isnan(figures.snr_db) else figures.snr_db
    return not figures.nan_mismatch, snr, -figures.error


def _layer(entry: Mapping[str, Any]) -> ComparedLayer:
    return ComparedLayer(
        name=entry["layer"],
        operation=entry["operation"],
        tensor=entry["tensor"],
        inputs=tuple(entry["inputs"]),
        state=entry["state"],
        why=entry.get("why", ""),
        shape=tuple(entry.get("shape", ())),
        counterpart=entry.get("counterpart", ""),
        figures=_figures(entry["figures"]) if "figures" in entry else None,
    )


def _figures(body: Mapping[str, Any]) -> Figures:
    """None in the JSON: nothing finite to compare, or for the ratio equal (or nothing but zeros) on both sides."""
    known = {key: math.nan if body[key] is None else body[key] for key in ("max_abs", "scale", "cosine")}
    snr = body["snr_db"]
    if snr is None:
        snr = math.inf if known["max_abs"] == 0 else -math.inf if known["scale"] == 0 else math.nan
    return Figures(snr_db=snr, nan_mismatch=body["nan_mismatch"], step=body.get("quantum") or 0.0, **known)
