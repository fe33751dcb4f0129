"""quantize: an FP32 IR to INT8 by `nncf.quantize` on a calibration set; compress-weights: to 8- or 4-bit weights.

The order of the samples matters to the bytes (NNCF averages as it goes), so it is fixed: the seeded shuffle's when
fewer samples are used than there are, else the file's. NNCF's own engine compiles the float model with the f32 hint.
"""

from __future__ import annotations

from ovmake.workers import ir, quantizing_options
from ovmake.workers.interface import Interface
from ovmake.workers.protocol import ActionError, Request
from ovmake.workers.samples import Samples, take


def quantize(request: Request) -> dict[str, object]:
    """Quantize; write `xml` and `bin`."""
    samples = _calibration_samples(request, Interface.read(request.inputs["interface"]))
    model = ir.read(request.inputs["xml"], request.inputs["bin"])
    quantized = quantizing_options.quantize_model(model, [feed for feed, _ in samples.feeds()], request)
    ir.write(quantized, request.outputs["xml"], request.outputs["bin"])
    return {"samples": samples.count}


def compress_weights(request: Request) -> dict[str, object]:
    """Compress; write `xml` and `bin`."""
    model = ir.read(request.inputs["xml"], request.inputs["bin"])
    ir.write(quantizing_options.compress_weights(model, request), request.outputs["xml"], request.outputs["bin"])
    return {}


def _calibration_samples(request: Request, interface: Interface) -> Samples:
    samples = take(request, interface)
    wanted = request.params["samples"]
    if not isinstance(wanted, int):
        raise ActionError("bad-request", "`samples` is no number")
    if wanted < samples.count:
        seed = request.params.get("seed", 0)
        samples = samples.shuffled(seed if isinstance(seed, int) else 0).first(wanted)
    # One sample at a time where the model allows it: statistics are per sample, whatever the batch.
    return samples.with_batch(1)
