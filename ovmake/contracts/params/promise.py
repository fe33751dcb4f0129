"""The accuracy that an IR must keep to be published.

MaxDrop.read("1%") -> MaxDrop       from an Ovfile's value
MaxDrop.bound(reference) -> float   the allowed drop in metric units

The Ovfile's reader creates it. `verdicts` judges it, for the gate and for the search for layers to revert.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from ovmake.contracts.codec import flat_as


@dataclass(frozen=True, slots=True, kw_only=True)
class MaxDrop:
    """The largest allowed drop: in metric units, or as a fraction of TensorFlow's score if `relative`."""

    amount: float
    relative: bool = False

    @classmethod
    def read(cls, value: float | str) -> MaxDrop:
        """Parse an Ovfile's value: 0.01, or "1%".

        Raises:
            ValueError: the text is not a percentage.
        """
        if isinstance(value, str):
            return cls(amount=float(value.removesuffix("%")) / 100, relative=True)
        return cls(amount=float(value))

    @property
    def written(self) -> float | str:
        """The value in an Ovfile: 0.01, or "1%"."""
        return f"{self.amount * 100:.12g}%" if self.relative else self.amount

    def setting(self) -> float | str:
        """Return its value in an action's settings."""
        return self.written

    def bound(self, reference: float) -> float:
        """Return the allowed drop in metric units; `reference` is TensorFlow's score."""
        # Computed from the Ovfile's text, so that "1%" of 0.9 stays 1 * (0.9 / 100).
        return self.per_cent * (abs(reference) / 100) if self.relative else self.amount

    @property
    def per_cent(self) -> float:
        """The amount in per cent."""
        return float(f"{self.amount * 100:.12g}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """The tolerance of outputs: the least cosine, and the largest error as a share of the scale; None: unchecked."""

    KEBAB: ClassVar[bool] = True

    cosine: float | None = None
    max_error: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseParams:
    """The requirements of a gate. `max_drop` applies to the metric, None without one; `agreement` to outputs.

    `neighbours` applies to outputs in batches of two sizes, if `agreement` asks for no cosine. `default` replaces
    `agreement` for an IR compiled without properties, if the Ovfile does not set `agreement`. `promised`: the Ovfile
    asks for some of this, so a requirement that was not measured fails. `real_data`: synthetic inputs prove nothing,
    because INT8's ranges were chosen for real inputs.
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
    """The params of *gate* and *judge*. `on_drop` is "fail" if the help of a missed gate may suggest "mixed"."""

    KEBAB: ClassVar[bool] = True

    promise: PromiseParams = field(metadata=flat_as("accuracy"))
    on_drop: Literal["fail"] | None = None
