"""What workers ask each other, and `ovmake inspect` asks them: no actions, so no digest covers these."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from ovmake.contracts.params.data import SampleParams
from ovmake.contracts.params.evaluation import DeviceParams
from ovmake.contracts.params.source import SourceParams


@dataclass(frozen=True, slots=True, kw_only=True)
class SeverParams:
    """*sever*: tensors of a .tflite as the file spells them, and the operations that it may run all the same."""

    KEBAB: ClassVar[bool] = True

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    allow_ops: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LayersParams:
    """*layers*: the tensors whose values are wanted, as the file spells them.

    Of those in `integers` TFLite's integers are wanted, and not what they stand for.
    """

    KEBAB: ClassVar[bool] = True

    source: SourceParams
    tensors: tuple[str, ...]
    integers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolParams:
    """*spool*: the loader's function, how many samples are wanted (None: all), and where it is noted that it runs."""

    KEBAB: ClassVar[bool] = True

    function: str
    limit: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeParams:
    """*time*: one step with the model that the process holds under a `name`, such as "frozen".

    `runs` is how many inferences a block has, `seconds` how long a flood or a profile takes.
    """

    KEBAB: ClassVar[bool] = True

    operation: str = ""
    name: str = ""
    threads: int = 1
    source: SourceParams = field(default=SourceParams())
    device: DeviceParams = field(default=DeviceParams())
    samples: SampleParams = field(default=SampleParams())
    runs: int = 1
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectParams:
    """*inspect*, TensorFlow's half. "" and None leave the signature and the tags to what the source has."""

    KEBAB: ClassVar[bool] = True

    kind: str
    signature: str = ""
    tags: tuple[str, ...] | None = None
    allow_ops: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectGraphParams:
    """*inspect*, OpenVINO's half: the frontend, `tf` or `tflite`."""

    KEBAB: ClassVar[bool] = True

    framework: str
