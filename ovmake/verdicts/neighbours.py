"""Does an answer depend on its neighbours: the same samples in batches of two sizes. Pure.

    check_neighbours(evaluation, promise) -> Check | None    None where nothing was compared, or nothing is asked
    other_batches(evaluation) -> str                         what helps
    depends_by_nature(evaluation) -> str                     how far TensorFlow's own answers do, "" if they do not

A gate holds for the batch it was measured with; an application sends one sample, or a thousand. So a sample's answer
must be the same in any batch, within the tolerance that there is for TensorFlow's outputs; or within what TensorFlow's
own answers depend on their batch, for there are models that look at all of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from ovmake.contracts.params.promise import PromiseParams
from ovmake.verdicts.dropping import Check
from ovmake.verdicts.figures import OWN_FLOATS, number

SETTING = "batch"
# Of TensorFlow's own dependence: what sums in another order do not explain.
BY_NATURE = 1e-3


def check_neighbours(evaluation: Mapping[str, object], promise: PromiseParams) -> Check | None:
    """Return whether answers in a batch are those of samples alone; of several outputs the one that is farthest off."""
    outputs = _outputs(evaluation)
    agreed, most = promise.agreement.cosine, promise.agreement.max_error
    least = promise.neighbours.cosine if agreed is None else agreed
    checks = [
        check
        for output in outputs
        for check in (
            _cosine(output, least) if least is not None else None,
            _error(output, most) if most is not None else None,
        )
        if check is not None
    ]
    worst = max(checks, key=lambda check: (not check.kept, check.excess), default=None)
    if worst is None or worst.kept:
        return worst
    return Check(setting=SETTING, kept=False, text=_sentence(evaluation, worst.text), excess=worst.excess)


def depends_by_nature(evaluation: Mapping[str, object]) -> str:
    """Return by how much TensorFlow's own answers depend on their batch, as a share of the output's scale."""
    shares = {str(one["name"]): number(one.get("own_max_abs")) / _scale(one) for one in _outputs(evaluation)}
    name, share = max(shares.items(), key=lambda item: item[1], default=("", 0.0))
    return f"by {share:.2g} of the scale of `{name}`" if share > BY_NATURE else ""


def other_batches(evaluation: Mapping[str, object]) -> str:
    """Return what helps an IR whose answers depend on their batch: what was tried, and what the gate can judge."""
    found = evaluation.get("neighbours")
    helps = found.get("helps") if isinstance(found, dict) else None
    tried = [f"`{name}={value}`" for one in helps or () for name, value in one.items()]
    size = found["sizes"][1] if isinstance(found, dict) else ""
    begins = found.get("begins") if isinstance(found, dict) else None
    fixed = f"`batch = {size}` lets the IR take batches of that size alone, which the gate then judges"
    layer = f'`ignored.names = ["{begins["name"]}"]` leaves the layer in floating point' if begins else ""
    worked = f"compiled with {' or '.join(tried)} it does not happen" if tried else ""
    return "; ".join(word for word in (worked, fixed, layer) if word)


def _outputs(evaluation: Mapping[str, object]) -> list[Mapping[str, object]]:
    found = evaluation.get("neighbours")
    outputs = found.get("outputs") if isinstance(found, dict) else None
    return [one for one in outputs if isinstance(one, dict)] if isinstance(outputs, list) else []


def _scale(output: Mapping[str, object]) -> float:
    return number(output.get("scale")) or 1.0


def _cosine(output: Mapping[str, object], least: float) -> Check | None:
    """Return the check of one output's cosine; None where nothing is finite."""
    cosine = number(output.get("cosine"))
    if math.isnan(cosine):
        return None
    wanted = min(least, 1 - OWN_FLOATS * (1 - number(output.get("own_cosine", 1.0))))
    text = f"cosine {cosine:.6f} in `{output.get('name')}`, at least {wanted:g} wanted"
    return Check(setting=SETTING, kept=cosine >= wanted, text=text, excess=wanted - cosine)


def _error(output: Mapping[str, object], most: float) -> Check | None:
    largest = number(output.get("max_abs"))
    if math.isnan(largest):
        return None
    error = largest / _scale(output)
    wanted = max(most, OWN_FLOATS * number(output.get("own_max_abs", 0.0)) / _scale(output))
    text = f"largest difference {error:.2e} of the scale of `{output.get('name')}`, at most {wanted:g} wanted"
    return Check(setting=SETTING, kept=error <= wanted, text=text, excess=error - wanted)


def _sentence(evaluation: Mapping[str, object], figures: str) -> str:
    found = evaluation["neighbours"]
    if not isinstance(found, dict):
        raise TypeError("there are neighbours")
    small, large = found["sizes"]
    begins = found.get("begins")
    first = f"; it begins in `{begins['name']}` ({begins['type']})" if isinstance(begins, dict) else ""
    return (
        f"a sample's answer in a batch of {large} is another than in a batch of {small}, and TensorFlow's is the same: "
        f"{figures}{first}"
    )
