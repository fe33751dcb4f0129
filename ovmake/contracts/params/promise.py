"""What an IR must keep to be published, and how far it may be off.

MaxDrop.read("1%") -> MaxDrop       as an Ovfile has it
MaxDrop.bound(reference) -> float   what it allows, in metric units

Made by the Ovfile's reader, judged by `verdicts`, and by the search that gives layers back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from ovmake.contracts.codec import flat_as


@dataclass(frozen=True, slots=True, kw_only=True)
class MaxDrop:
    """How much worse than TensorFlow an IR may be: metric units, or a fraction of TensorFlow's score if `relative`."""

    amount: float
    relative: bool = False

    @classmethod
    def read(cls, value: float | str) -> MaxDrop:
        """Return what an Ovfile says: 0.01, or "1%".

        Raises:
            ValueError: it is neither.
        """
        if isinstance(value, str):
            return cls(amount=float(value.removesuffix("%")) / 100, relative=True)
        return cls(amount=float(value))

    @property
    def written(self) -> float | str:
        """As an Ovfile has it: 0.01, or "1%"."""
        return f"{self.amount * 100:.12g}%" if self.relative else self.amount

    def setting(self) -> float | str:
        """Return the one value that it is among an action's settings."""
        return self.written

    def bound(self, reference: float) -> float:
        """Return the drop that it allows where TensorFlow's score is `reference`, in metric units."""
        # A float of the Ovfile's text, so that "1%" of 0.9 is what it always was: 1 * (0.9 / 100).
        return self.per_cent * (abs(reference) / 100) if self.relative else self.amount

    @property
    def per_cent(self) -> float:
        """The amount in per cent."""
        return float(f"{self.amount * 100:.12g}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """How far outputs may be from TensorFlow's: the least cosine, the largest difference as a share of the scale.

    None: nothing is asked.
    """

    KEBAB: ClassVar[bool] = True

    cosine: float | None = None
    max_error: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseParams:
    """What a gate asks. `max_drop` is of the metric, None without one; `agreement` is of outputs.

    `neighbours` is the cosine between answers in batches of two sizes, where `agreement` asks for none. `default` is
    what an IR compiled without properties is held to instead of `agreement`, where that is not the Ovfile's own word.
    `promised`: the Ovfile asks for some of this, so that what was not measured fails. `real_data`: synthetic inputs
    prove nothing, for INT8's ranges were chosen for real ones.
    """

    KEBAB: ClassVar[bool] = True

    max_drop: MaxDrop | None = None
    agreement: Tolerance = Tolerance()
    neighbours: Tolerance = Tolerance()
    default: Tolerance = Tolerance()
    promised: bool = False
    real_data: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GateParams:
    """The params of *gate* and *judge*. `on_drop`: what a missed gate does, where there is more to advise than that."""

    KEBAB: ClassVar[bool] = True

    promise: PromiseParams = field(metadata=flat_as("accuracy"))
    on_drop: Literal["fail"] | None = None
