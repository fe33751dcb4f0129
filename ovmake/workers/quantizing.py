"""quantize: an FP32 IR to INT8 by `nncf.quantize` on a calibration set; compress-weights: to 8- or 4-bit weights.

The order of the samples matters to the bytes (NNCF averages as it goes), so it is fixed: the seeded shuffle's when
fewer samples are used than there are, else the file's. NNCF's own engine compiles the float model with the f32 hint.
"""

from __future__ import annotations

from ovmake.workers import ir, quantizing_options
from ovmake.workers.interface import Interface
from ovmake.workers.protocol import Request
from ovmake.workers.samples import calibrating


def quantize(request: Request) -> dict[str, object]:
    """Quantize; write `xml` and `bin`."""
    samples = calibrating(request, Interface.read(request.inputs["interface"]))
    model = ir.read(request.inputs["xml"], request.inputs["bin"])
    quantized = quantizing_options.quantize_model(model, samples, request)
    ir.write(quantized, request.outputs["xml"], request.outputs["bin"])
    return {"samples": samples.count}


def compress_weights(request: Request) -> dict[str, object]:
    """Compress; write `xml` and `bin`."""
    model = ir.read(request.inputs["xml"], request.inputs["bin"])
    ir.write(quantizing_options.compress_weights(model, request), request.outputs["xml"], request.outputs["bin"])
    return {}
