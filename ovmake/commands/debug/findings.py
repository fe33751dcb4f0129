"""The findings of a comparison of layers: which layers leave TensorFlow's, and their errors. Pure.

    findings = Findings.of(target, told)      told: the `LayerComparisons` that *compare-layers* writes
    findings.first                            the first layer that leaves, in execution order
    findings.worst()                          matched layers, the worst first

A layer *leaves* TensorFlow's if its difference exceeds the target's tolerance: that of its gate, if the gate compares
numbers. OpenVINO folds some layers into later ones, such as a convolution into its batch normalization; then only the
output of the last one can be compared.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from ovmake.contracts.files.compared import LayerComparison, LayerComparisons, LayerFigures, State
from ovmake.ovfile.spec import Target
from ovmake.ovfile.words import DEFAULT_COSINE, DEFAULT_MAX_ERROR

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """`kind` "max-error": the largest difference as a share of a layer's scale. "cosine": the least cosine.

    `source` says where the value comes from.
    """

    kind: Literal["max-error", "cosine"]
    value: float
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The difference of a layer from TensorFlow's, over all its elements in all samples; see `differences.py`.

    `snr_db` is infinite if the two are equal. NaN: no finite element to compare. `step` is the step of a tensor of
    integers, else 0: a difference of one step is rounding, and no error.
    """

    snr_db: float
    max_abs: float
    scale: float
    cosine: float
    nan_mismatch: int
    step: float = 0.0

    @property
    def error(self) -> float:
        """The largest difference as a share of the layer's scale; the scale is 1 if TensorFlow's output is all 0."""
        return self.max_abs / self.scale if self.scale else self.max_abs

    def leaves(self, tolerance: Tolerance) -> bool:
        """Whether the difference exceeds the tolerance. A NaN always does."""
        if self.nan_mismatch:
            return True
        if self.max_abs <= self.step * (1 + 1e-3):
            return False
        if tolerance.kind == "cosine":
            return self.cosine < tolerance.value
        return self.error > tolerance.value


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedLayer:
    """A layer. If it was matched, it has `figures` and `shape`; else `why` is the reason."""

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
    """The layers of a target in the order of computation."""

    target: str
    samples: int
    tolerance: Tolerance
    layers: tuple[ComparedLayer, ...]

    @classmethod
    def of(cls, target: Target, told: LayerComparisons) -> Findings:
        """Return what *compare-layers* wrote about a target."""
        layers = tuple(map(_layer, told.layers))
        return cls(target=target.name, samples=told.samples, tolerance=tolerance_of(target), layers=layers)

    @property
    def first(self) -> ComparedLayer | None:
        """The first layer that leaves TensorFlow's."""
        return next((layer for layer in self.layers if self.leaves(layer)), None)

    def leaves(self, layer: ComparedLayer) -> bool:
        """Whether a layer is matched and its difference exceeds the tolerance."""
        return layer.figures is not None and layer.figures.leaves(self.tolerance)

    def count(self, state: State) -> int:
        """Return the number of layers in a state."""
        return sum(layer.state == state for layer in self.layers)

    def worst(self) -> list[ComparedLayer]:
        """Return the matched layers, the lowest signal-to-noise ratio first."""
        matched = [(layer, layer.figures) for layer in self.layers if layer.figures is not None]
        return [layer for layer, _ in sorted(matched, key=lambda entry: _badness(entry[1]))]

    def most_of_its_own(self) -> ComparedLayer | None:
        """Return the layer that adds the most noise of its own, None if no layer adds noise."""
        known = [(self.own_db(layer), layer) for layer in self.layers if layer.state == "matched"]
        added = [(own, place, layer) for place, (own, layer) in enumerate(known) if own is not None and own < math.inf]
        return min(added)[2] if added else None

    def folded_into(self, layer: ComparedLayer) -> list[ComparedLayer]:
        """Return the layers that were folded into this one: those between the previous matched layer and it."""
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
        """Return the signal-to-noise ratio that a layer would have if its inputs were TensorFlow's; None if unknown.

        Error accumulates from layer to layer, so the last layers look worst. A layer's own noise is its noise minus
        that of its worst input, both as shares of the signal. The ratio is infinite if it adds no noise.
        """
        if layer.figures is None or math.isnan(layer.figures.snr_db):
            return None
        before = max((self._noise(tensor, frozenset()) for tensor in layer.inputs), default=0.0)
        added = _share(layer.figures.snr_db) - before
        return -10 * math.log10(added) if added > 0 else math.inf

    def _noise(self, tensor: str, seen: frozenset[str]) -> float:
        """Return the noise of a tensor as a share of its power; if it was not measured, the noise of its inputs."""
        made = next((layer for layer in self.layers if layer.tensor == tensor), None)
        if made is None or tensor in seen:
            return 0.0
        if made.figures is not None and not math.isnan(made.figures.snr_db):
            return _share(made.figures.snr_db)
        return max((self._noise(before, seen | {tensor}) for before in made.inputs), default=0.0)


def tolerance_of(target: Target) -> Tolerance:
    """Return the tolerance of a target's gate.

    It is the gate's `max-error`, else the precision's default. INT8 has no default, because single elements may be far
    off; there the tolerance is the gate's cosine, applied to each layer.
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


def _layer(told: LayerComparison) -> ComparedLayer:
    return ComparedLayer(
        name=told.name,
        operation=told.operation,
        tensor=told.tensor,
        inputs=told.inputs,
        state=told.state,
        why=told.why,
        shape=told.shape,
        counterpart=told.counterpart,
        figures=None if told.figures is None else _figures(told.figures),
    )


def _figures(told: LayerFigures) -> Figures:
    max_abs, scale, cosine = (math.nan if one is None else one for one in (told.max_abs, told.scale, told.cosine))
    snr = told.snr_db
    if snr is None:
        snr = math.inf if max_abs == 0 else -math.inf if scale == 0 else math.nan
    return Figures(
        snr_db=snr,
        max_abs=max_abs,
        scale=scale,
        cosine=cosine,
        nan_mismatch=told.nan_mismatch,
        step=told.quantum or 0.0,
    )
