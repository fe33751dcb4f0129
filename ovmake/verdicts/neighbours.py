"""Check that a sample's answer does not depend on its batch: the same samples in batches of two sizes. Pure.

    check_neighbours(found, promise) -> Check | None    None if nothing was compared or required
    other_batches(found) -> str                         advice
    depends_by_nature(found) -> str                     by how much TensorFlow's own answers depend on their batch

A gate measures one batch size; an application sends one sample, or a thousand. So a sample's answer must be the same in
any batch, within the tolerance for TensorFlow's outputs. In some models TensorFlow's own answers depend on the batch;
then the tolerance is a multiple of that dependence.
"""

from __future__ import annotations

import math

from ovmake.contracts.files.evaluation import BatchFigures, Neighbours
from ovmake.contracts.params.promise import PromiseParams
from ovmake.verdicts.dropping import Check
from ovmake.verdicts.figures import OWN_FLOATS, number

SETTING = "batch"
# A larger dependence of TensorFlow's answers cannot come from the order of sums alone.
BY_NATURE = 1e-3


def check_neighbours(found: Neighbours | None, promise: PromiseParams) -> Check | None:
    """Return the check that answers agree in both batch sizes: that of the worst output."""
    if found is None:
        return None
    agreed, most = promise.agreement.cosine, promise.agreement.max_error
    least = promise.neighbours.cosine if agreed is None else agreed
    checks = [
        check
        for output in found.outputs
        for check in (
            _cosine(output, least) if least is not None else None,
            _error(output, most) if most is not None else None,
        )
        if check is not None
    ]
    worst = max(checks, key=lambda check: (not check.kept, check.excess), default=None)
    if worst is None or worst.kept:
        return worst
    return Check(setting=SETTING, kept=False, text=_sentence(found, worst.text), excess=worst.excess)


def depends_by_nature(found: Neighbours | None) -> str:
    """Return by how much TensorFlow's own answers depend on their batch, as a share of the output's scale, or ""."""
    shares = {one.name: number(one.own_max_abs) / _scale(one) for one in (found.outputs if found else ())}
    name, share = max(shares.items(), key=lambda item: item[1], default=("", 0.0))
    return f"by {share:.2g} of the scale of `{name}`" if share > BY_NATURE else ""


def other_batches(found: Neighbours) -> str:
    """Return advice for an IR whose answers depend on the batch: properties that helped, `batch`, a layer in float."""
    tried = [f"`{name}={value}`" for one in found.helps for name, value in one.items()]
    begins = found.begins
    fixed = f"`batch = {found.sizes[1]}` limits the IR to batches of that size, which the gate then judges"
    layer = f'`ignored.names = ["{begins.name}"]` leaves the layer in floating point' if begins else ""
    worked = f"compiled with {' or '.join(tried)} the answers agree" if tried else ""
    return "; ".join(word for word in (worked, fixed, layer) if word)


def _scale(output: BatchFigures) -> float:
    return number(output.scale) or 1.0


def _cosine(output: BatchFigures, least: float) -> Check | None:
    """Return the check of one output's cosine; None if no value is finite."""
    cosine = number(output.cosine)
    if math.isnan(cosine):
        return None
    wanted = min(least, 1 - OWN_FLOATS * (1 - number(output.own_cosine)))
    text = f"cosine {cosine:.6f} in `{output.name}`, at least {wanted:g} wanted"
    return Check(setting=SETTING, kept=cosine >= wanted, text=text, excess=wanted - cosine)


def _error(output: BatchFigures, most: float) -> Check | None:
    largest = number(output.max_abs)
    if math.isnan(largest):
        return None
    error = largest / _scale(output)
    wanted = max(most, OWN_FLOATS * number(output.own_max_abs) / _scale(output))
    text = f"largest difference {error:.2e} of the scale of `{output.name}`, at most {wanted:g} wanted"
    return Check(setting=SETTING, kept=error <= wanted, text=text, excess=error - wanted)


def _sentence(found: Neighbours, figures: str) -> str:
    small, large = found.sizes
    first = f"; the first layer that differs is `{found.begins.name}` ({found.begins.type})" if found.begins else ""
    return (
        f"a sample's answer in a batch of {large} differs from that in a batch of {small}, TensorFlow's does not: "
        f"{figures}{first}"
    )
