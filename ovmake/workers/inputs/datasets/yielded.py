"""Fingerprints of a loader's samples: detect that two passes of it differ. See spooling.py.

    yielded.passed                        what an action leaves for the next one that runs the loader
    yielded.check(before, role)           the same samples and labels, in the same order?

Files have digests, so every action reads the same content. A function may shuffle, or use an unseeded random
generator: then TensorFlow and the IR would run on different samples, and labels would belong to the wrong ones.
"""

from __future__ import annotations

from dataclasses import dataclass

from ovmake.contracts.files.reference import Pass
from ovmake.errors import ActionError

FINGERPRINT_BYTES = 8
DIGITS = 2 * FINGERPRINT_BYTES
YIELD_ONE = (
    "a loader yields one sample at a time, without the batch: `for image, label in zip(images, labels): "
    "yield image, label`"
)
STEADY = (
    "a loader must yield the same samples each time: seed its random numbers (`np.random.default_rng(0)`), and sort "
    "the files that it lists; if a module that it imports was updated since, run `ovmake build --force`"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Yielded:
    """A pass of the loader `called`: fingerprints of all samples, and of their labels, in the order they came.

    They are one hexadecimal string: a list of a million strings would be large.
    """

    called: str
    samples: str
    labels: str

    @property
    def passed(self) -> Pass:
        """What another pass is compared with."""
        return Pass(samples=self.samples, labels=self.labels)

    def check(self, before: Pass, role: str) -> None:
        """Compare this pass with an earlier one; `role` is the dataset's.

        Raises:
            ActionError: they differ. The message states the first difference.
        """
        for what, now, then in (
            ("samples", self.samples, before.samples),
            ("labels", self.labels, before.labels),
        ):
            first = _first_difference(now, then)
            if first is not None:
                message = f"`{self.called}` yielded different {what} than before, first at {first}"
                counts = len(now) // DIGITS, len(then) // DIGITS
                if first == min(counts):
                    message = f"`{self.called}` yielded {counts[0]:,} {what}, and {counts[1]:,} before"
                raise ActionError("loader-unsteady", message, setting=role, help=STEADY)


def _first_difference(now: str, then: str) -> int | None:
    """Return the number of the first fingerprint that differs or is missing on one side, None if all are equal."""
    if now == then:
        return None
    common = min(len(now), len(then))
    starts = range(0, common, DIGITS)
    return next((at for at in starts if now[at : at + DIGITS] != then[at : at + DIGITS]), common) // DIGITS
