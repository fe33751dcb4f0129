"""The params of conversion: the part of the source to convert, its shapes, preprocessing and names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from ovmake.contracts.codec import flat_as
from ovmake.contracts.params.declared import Declared
from ovmake.contracts.params.source import SourceParams


@dataclass(frozen=True, slots=True, kw_only=True)
class InputParams(Declared):
    """The Ovfile's settings of one input, None if unset. See `ovfile.schema.inputs.Input`.

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
    """The names of the tensors that the model begins and ends at; empty: the source's inputs or outputs."""

    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything is cut off."""
        return bool(self.inputs or self.outputs)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelParams(Declared):
    """The changes to a source's model. `outputs` maps names in the source to new names."""

    batch: int | None = None
    cut: CutParams = CutParams()
    inputs: Mapping[str, InputParams] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertParams:
    """*convert*, and actions that convert the source again to find its layers in an IR."""

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
    """*name-layers*: layers of the source are matched by their values on inputs from this seed."""

    KEBAB: ClassVar[bool] = True

    converted: ConvertParams = field(metadata=flat_as(""))
    seed: int
