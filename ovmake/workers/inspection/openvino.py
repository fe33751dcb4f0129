"""inspect, OpenVINO's half: whether OpenVINO can convert a source, and if not, which operations it lacks.

facts = inspect(request)    params: InspectGraphParams; inputs: the frozen graph, or the .tflite file

Facts are a `ConversionFacts`.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from openvino.frontend import FrontEndManager

from ovmake.contracts.codec import encode_object
from ovmake.contracts.files.inspected import ConversionFacts, Port
from ovmake.contracts.files.interface import Tensor
from ovmake.contracts.params.helping import InspectGraphParams
from ovmake.workers.conversion import ir
from ovmake.workers.ipc.protocol import Request

_MISSING = re.compile(r"No conversion rule found for operations?: ([^\n]+)")


def inspect(request: Request) -> dict[str, object]:
    """Convert `graph`, and discard the result."""
    return encode_object(_converted(Path(request.inputs["graph"]), request.asked(InspectGraphParams).framework))


def _converted(path: Path, framework: str) -> ConversionFacts:
    frontend = FrontEndManager().load_by_framework(framework)
    try:
        model = frontend.convert(frontend.load(str(path)))
    except Exception as error:  # noqa: BLE001 - OpenVINO raises RuntimeError, OpConversionFailure and others
        words = str(error)
        return ConversionFacts(converts=False, message=words.strip(), missing=tuple(missing_operations(words)))
    ir.name_ports(model)
    counts = Counter(op.get_type_name() for op in model.get_ops() if op.get_type_name() not in ir.NOT_COUNTED)
    return ConversionFacts(
        converts=True,
        operations=dict(sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))),
        inputs=tuple(map(_port, ir.tensors(model.inputs))),
        outputs=tuple(map(_port, ir.tensors(model.outputs))),
    )


def _port(tensor: Tensor) -> Port:
    return Port(name=tensor.name, shape=tensor.shape, type=tensor.type)


def missing_operations(message: str) -> list[str]:
    """Return the operations without a conversion rule in OpenVINO's message."""
    found = _MISSING.search(message)
    return sorted({name.strip() for name in found[1].split(",") if name.strip()}) if found else []
