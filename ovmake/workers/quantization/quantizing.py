"""quantize: an FP32 IR to INT8 by `nncf.quantize` on a calibration set; compress-weights: to 8- or 4-bit weights.

The order of the samples matters to the bytes (NNCF averages as it goes), so it is fixed: the seeded shuffle's when
fewer samples are used than there are, else the file's. NNCF's own engine compiles the float model with the f32 hint.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ovmake.contracts.codec import found
from ovmake.contracts.params.data import SampleParams
from ovmake.contracts.params.model import ConvertParams
from ovmake.contracts.params.quantization import CompressWeightsParams, QuantizeParams
from ovmake.contracts.reference import Pass
from ovmake.workers.conversion import executed, ir
from ovmake.workers.inputs.interface import Interface
from ovmake.workers.inputs.samples import calibrating
from ovmake.workers.ipc.protocol import Request, warning
from ovmake.workers.matching.layer_map import Traced, trace
from ovmake.workers.quantization import options


def quantize(request: Request) -> dict[str, object]:
    """Quantize; write `xml` and `bin`."""
    asked = request.asked(QuantizeParams)
    given = SampleParams(dataset=asked.dataset, seed=asked.seed)
    samples = calibrating(request, Interface.read(request.inputs["interface"]), given, asked.quantization.samples)
    before = found(Pass, Path(request.inputs["passed"]).read_bytes(), "passed") if "passed" in request.inputs else None
    if samples.yielded is not None and before is not None:
        samples.yielded.check(before, "dataset")
    model = ir.read(request.inputs["xml"], request.inputs["bin"])
    quantized = options.quantize_model(model, samples, asked.quantization, _find(request, asked.traced, given))
    ir.write(quantized, request.outputs["xml"], request.outputs["bin"])
    return {"samples": samples.count}


def compress_weights(request: Request) -> dict[str, object]:
    """Compress; write `xml` and `bin`. Where there was nothing to compress, a warning says so."""
    asked = request.asked(CompressWeightsParams)
    model = ir.read(request.inputs["xml"], request.inputs["bin"])
    before = executed.weights(model)
    compressed = options.compress_weights(
        model, asked.weights, _find(request, asked.traced, SampleParams(seed=asked.seed))
    )
    ir.write(compressed, request.outputs["xml"], request.outputs["bin"])
    if executed.weights(compressed) != before:
        return {}
    listed = ", ".join(f"{size} bytes in {kind}" for kind, size in before.items()) or "no constants at all"
    message = f"nothing in this model is a weight that NNCF compresses, so the IR is that of fp32: {listed}"
    hint = "NNCF compresses weights of MatMuls and convolutions, and tables of vectors; take the precision out"
    return warning("nothing-compressed", message, hint=hint, setting="precisions")


def _find(request: Request, converted: ConvertParams | None, given: SampleParams) -> options.Find:
    """Return what finds the source's layers in a model, where layers of it are named."""

    def find(model: Any) -> Traced:
        return trace(model, request, converted or ConvertParams(), given)

    return find
