"""What a loader yielded in one pass, told from what it yields in another. See spooling.py.

    yielded.to_json()                     what an action leaves for the next one that runs the loader
    yielded.check(before, role)           the same samples and labels, in the same order?

Files are inputs with digests, so that what reads them reads the same each time. A function may shuffle, or draw from a
generator that nobody seeded: then TensorFlow and the IR are not asked the same, and labels belong to other samples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ovmake.workers.protocol import ActionError

YIELD_ONE = (
    "a loader yields one sample at a time, without the batch: `for image, label in zip(images, labels): "
    "yield image, label`"
)
STEADY = (
    "a loader has to yield the same each time it is called: give what is random in it a seed "
    "(`np.random.default_rng(0)`), and sort what it lists; if what it imports was updated since, `ovmake build --force`"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Yielded:
    """A pass of the loader `called`: fingerprints of all samples, and of their labels, in the order they came."""

    called: str
    samples: tuple[str, ...]
    labels: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """Return what another pass is compared with."""
        return {"samples": list(self.samples), "labels": list(self.labels)}

    def check(self, before: Mapping[str, Any], role: str) -> None:
        """Compare this pass with what an earlier one left; `role` is the dataset's.

        Raises:
            ActionError: they differ. The first difference is named.
        """
        for what, now, then in (
            ("samples", self.samples, before["samples"]),
            ("labels", self.labels, before["labels"]),
        ):
            first = _first_difference(now, then)
            if first is not None:
                message = f"`{self.called}` yielded other {what} than before, first at {first}"
                if len(now) != len(then) and first == min(len(now), len(then)):
                    message = f"`{self.called}` yielded {len(now):,} {what}, and {len(then):,} before"
                raise ActionError("loader-unsteady", message, setting=role, help=STEADY)


def _first_difference(now: Sequence[str], then: Sequence[str]) -> int | None:
    """Return the number of the first one that differs, None if none does."""
    if len(now) == len(then) and tuple(now) == tuple(then):
        return None
    pairs = enumerate(zip(now, then, strict=False))
    return next((number for number, (one, other) in pairs if one != other), min(len(now), len(then)))
