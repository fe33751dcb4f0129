"""quantize: an FP32 IR to INT8 by `nncf.quantize` on a calibration set.

The order of the samples matters to the bytes (NNCF averages as it goes), so it is fixed: the seeded shuffle's when
fewer samples are used than there are, else the file's. NNCF's own engine compiles the float model with the f32 hint.
"""

from __future__ import annotations

from ovmake.workers import ir
from ovmake.workers.interface import Interface
from ovmake.workers.protocol import Request
from ovmake.workers.samples import calibrating


def quantize(request: Request) -> dict[str, object]:
    """Quantize; write `xml` and `bin`."""
    import nncf

    interface = Interface.read(request.inputs["interface"])
    samples = calibrating(request, interface)
    model = ir.read(request.inputs["xml"], request.inputs["bin"])
    quantized = nncf.quantize(
        model,
        nncf.Dataset(samples, lambda feed: feed.inputs),
        preset=nncf.QuantizationPreset(str(request.params["preset"])),
        subset_size=len(samples),
    )
    ir.write(quantized, request.outputs["xml"], request.outputs["bin"])
    return {"samples": samples.count}
