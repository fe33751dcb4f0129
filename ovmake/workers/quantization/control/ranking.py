"""Rank layers by their quantization error at the outputs. Pure.

    ranking = rank(names, effects)
    ranking.order                     the order in which to revert layers to float
    ranking.shares[name]              a layer's share of the quantization error of the outputs
    ranking.harmless_first(names)     the order in which to try these in INT8 again

Small errors add up almost linearly (with 14 to 64 layers of INT8, the sum of the single effects was within 1 to 12 % of
the total). So the effects predict the error of any set of layers without running it: the remaining error is the square
of the sum of the effects of all layers in INT8. It needs only the products of the effects, layer by layer.

Errors of layers may cancel out, so the order is greedy instead of by the layers' own effects. But 16 samples are too
few to estimate how two of 64 layers interact: products of different layers are weighted by a quarter. (MobileNetV2, 64
layers, remaining error with 40 reverted: 0.110 with full products, 0.015 with a quarter of them or none; CNN of 14
layers, two reverted: 0.25, or 0.50 in the order of own effects.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ovmake.workers.inputs.preparing import Array

BETWEEN = 0.25


@dataclass(frozen=True, slots=True)
class Ranking:
    """Layers, and the weighted products of their effects: float64 [layers, layers]."""

    names: tuple[str, ...]
    products: Array

    @property
    def order(self) -> tuple[str, ...]:
        """All layers in greedy order: each next one is the one whose reversion leaves the smallest error."""
        left = list(range(len(self.names)))
        order = []
        sums = self.products.sum(axis=1)
        while left:
            # Without layer i the square of the sum shrinks by twice its product with the sum, minus its own square.
            gains = 2 * sums[left] - self.products[left, left]
            best = left.pop(int(gains.argmax()))
            order.append(self.names[best])
            sums = sums - self.products[:, best]
        return tuple(order)

    @property
    def shares(self) -> dict[str, float]:
        """Each layer's own effect as a share of the sum of all layers' own effects, 0 to 1."""
        own = self.products.diagonal()
        whole = float(own.sum())
        return {name: float(part) / whole if whole else 0.0 for name, part in zip(self.names, own, strict=True)}

    def harmless_first(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return these layers, the one first whose quantization adds least to the error of the layers in INT8."""
        rest = [place for place, name in enumerate(self.names) if name not in set(names)]
        added = {
            name: self.products[place, place] + 2 * self.products[place, rest].sum()
            for place, name in enumerate(self.names)
        }
        return tuple(sorted(names, key=added.__getitem__))


def rank(names: Sequence[str], effects: Sequence[Array]) -> Ranking:
    """Return the ranking by `effects`: per output [samples, layers, elements], in units of the output's scale.

    A non-finite effect counts as the largest finite one: it is certainly harmful, and a NaN would hide all other
    effects.
    """
    products = np.zeros((len(names), len(names)))
    for effect in effects:
        wide = effect.astype(np.float64)
        finite = np.isfinite(wide)
        if not finite.all():
            wide = np.where(finite, wide, np.abs(wide[finite]).max(initial=1.0))
        products += np.einsum("sik,sjk->ij", wide, wide, optimize=True)
    own = np.diag(products.diagonal())
    return Ranking(tuple(names), own + BETWEEN * (products - own))
