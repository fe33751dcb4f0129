"""Which layers hurt most, from what each layer's quantization alone does to the outputs. Pure.

    ranking = rank(names, effects)
    ranking.order                     the order in which to give layers back
    ranking.shares[name]              a layer's part in the disturbance of the outputs
    ranking.harmless_first(names)     of these, in which order to try without

Small disturbances add up nearly linearly (with 14 to 64 layers of INT8, the sum of the single effects was within 1 to
12 % of the whole), so the effects predict what any set of layers does without running it: the disturbance that is left
is the square of the sum of the effects of all layers that stay in INT8. Their products, layer by layer, are all it
takes.

Layers may cancel each other; so the order is greedy, and not that of the layers' own effects. But how two of 64 layers
go together is hard to tell from 16 samples: products of different layers count a quarter. (MobileNetV2, 64 layers, what
is left with 40 given back: 0.110 with whole products, 0.015 with a quarter of them or none; CNN of 14 layers, two given
back: 0.25, or 0.50 for the order of own effects.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ovmake.workers.inputs.preparing import Array

BETWEEN = 0.25


@dataclass(frozen=True, slots=True)
class Ranking:
    """Layers, and the products of their effects, as `rank` weighs them: float64 [layers, layers]."""

    names: tuple[str, ...]
    products: Array

    @property
    def order(self) -> tuple[str, ...]:
        """Every layer, the one first whose return to floating point leaves the least disturbance; then the next."""
        left = list(range(len(self.names)))
        order = []
        sums = self.products.sum(axis=1)
        while left:
            # Without layer i the square of the sum shrinks by twice its product with the sum, less its own square.
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
        """Return these layers, the one first whose quantization adds least to what the others leave."""
        rest = [place for place, name in enumerate(self.names) if name not in set(names)]
        added = {
            name: self.products[place, place] + 2 * self.products[place, rest].sum()
            for place, name in enumerate(self.names)
        }
        return tuple(sorted(names, key=added.__getitem__))


def rank(names: Sequence[str], effects: Sequence[Array]) -> Ranking:
    """Return the ranking by `effects`: per output [samples, layers, elements], each in units of its output's scale.

    An effect that is not finite counts as the largest that is: it surely hurts, and a NaN would hide all others.
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
