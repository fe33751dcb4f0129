"""inspect, OpenVINO's half: whether OpenVINO can convert a source, and if not, which operations it lacks.

facts = inspect(request)    params: InspectGraphParams; inputs: the frozen graph, or the .tflite file

{"converts": true, "operations": {"Convolution": 35}, "inputs": [{"name", "shape", "type"}], "outputs": …}
{"converts": false, "message": OpenVINO's own message, "missing": ["Unique"]}
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from openvino.frontend import FrontEndManager

from ovmake.contracts.params.helping import InspectGraphParams
from ovmake.workers.conversion import ir
from ovmake.workers.ipc.protocol import Request

_MISSING = re.compile(r"No conversion rule found for operations?: ([^\n]+)")


def inspect(request: Request) -> dict[str, object]:
    """Convert `graph`, and discard the result."""
    frontend = FrontEndManager().load_by_framework(request.asked(InspectGraphParams).framework)
    path = Path(request.inputs["graph"])
    try:
        model = frontend.convert(frontend.load(str(path)))
    except Exception as error:  # noqa: BLE001 - OpenVINO raises RuntimeError, OpConversionFailure and others
        return {"converts": False, "message": str(error).strip(), "missing": missing_operations(str(error))}
    ir.name_ports(model)
    counts = Counter(op.get_type_name() for op in model.get_ops() if op.get_type_name() not in ir.NOT_COUNTED)
    return {
        "converts": True,
        "operations": dict(sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))),
        "inputs": [_port(tensor) for tensor in ir.tensors(model.inputs)],
        "outputs": [_port(tensor) for tensor in ir.tensors(model.outputs)],
    }


def _port(tensor: Any) -> dict[str, object]:
    fields = asdict(tensor)
    return {"name": fields["name"], "shape": list(fields["shape"]), "type": fields["type"]}


def missing_operations(message: str) -> list[str]:
    """Return the operations without a conversion rule in OpenVINO's message."""
    found = _MISSING.search(message)
    return sorted({name.strip() for name in found[1].split(",") if name.strip()}) if found else []
