"""What the IR computes of its source, on which shapes and under which names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ovmake.contracts.codec import flat_as
from ovmake.contracts.params.declared import Declared
from ovmake.contracts.params.source import SourceParams


@dataclass(frozen=True, slots=True, kw_only=True)
class InputParams(Declared):
    """What the Ovfile says about one input; None: nothing. See `ovfile.schema.inputs.Input`.

    A dimension of `shape` is a size, -1 (dynamic) or "1..8" (bounded). `value` freezes the input to a constant.
    """

    shape: tuple[int | str, ...] | None = None
    mean: tuple[float, ...] | None = None
    scale: tuple[float, ...] | None = None
    layout: str | None = None
    model_layout: str | None = None
    type: str | None = None
    reverse_channels: bool = False
    resize: str | None = None
    value: tuple[bool | int | float, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CutParams(Declared):
    """Names of tensors at which the model begins and ends; empty: where the source does."""

    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything is cut off."""
        return bool(self.inputs or self.outputs)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelParams(Declared):
    """What is done to the model of a source. `outputs` maps names in the source to new names."""

    batch: int | None = None
    cut: CutParams = CutParams()
    inputs: Mapping[str, InputParams] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertParams:
    """*convert*; and whatever converts the source once more, to find its layers in an IR."""

    KEBAB: ClassVar[bool] = True

    source: SourceParams = field(default=SourceParams(), metadata=flat_as(""))
    model: ModelParams = field(default_factory=ModelParams, metadata=flat_as(""))


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSourceParams:
    """*check-source*: TensorFlow runs the source on inputs from this seed."""

    KEBAB: ClassVar[bool] = True

    source: SourceParams = field(default=SourceParams(), metadata=flat_as(""))
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NameLayersParams:
    """*name-layers*: the layers of the source are found by what they compute of inputs from this seed."""

    KEBAB: ClassVar[bool] = True

    converted: ConvertParams = field(metadata=flat_as(""))
    seed: int
