"""The params of requests that are not actions: between workers, and from `ovmake inspect`. No digest covers them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from ovmake.contracts.params.data import SampleParams
from ovmake.contracts.params.evaluation import DeviceParams
from ovmake.contracts.params.source import SourceParams


@dataclass(frozen=True, slots=True, kw_only=True)
class SeverParams:
    """*sever*: tensors of a .tflite by their names in the file, and the operations that the Ovfile allows."""

    KEBAB: ClassVar[bool] = True

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    allow_ops: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LayersParams:
    """*layers*: the tensors to return, by their names in the file.

    Tensors in `integers` are returned as TFLite's integers, not as the real numbers that they represent.
    """

    KEBAB: ClassVar[bool] = True

    source: SourceParams
    tensors: tuple[str, ...]
    integers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolParams:
    """*spool*: the loader's function, the number of samples (None: all), and the file that notes that it runs."""

    KEBAB: ClassVar[bool] = True

    function: str
    limit: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeParams:
    """*time*: one operation on the model that the process holds under a `name`, such as "frozen".

    `runs` is the number of inferences per block, `seconds` the duration of a throughput run or a profile.
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
    """*inspect*, TensorFlow's half. `signature` "" and `tags` None take those of the source."""

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
