"""quantize: an FP32 IR to INT8 with `nncf.quantize` and a calibration set; compress-weights: to 8- or 4-bit weights.

The order of the samples changes the bytes, because NNCF computes running averages. So it is fixed: that of the seeded
shuffle if only some samples are used, else that of the file. NNCF's own engine compiles the float model with the f32
hint.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ovmake.contracts.codec import found
from ovmake.contracts.files.interface import Interface
from ovmake.contracts.files.reference import Pass
from ovmake.contracts.params.data import SampleParams
from ovmake.contracts.params.model import ConvertParams
from ovmake.contracts.params.quantization import CompressWeightsParams, QuantizeParams
from ovmake.workers.conversion import executed, ir
from ovmake.workers.inputs.samples import calibrating
from ovmake.workers.ipc.protocol import Request, warning
from ovmake.workers.matching.layer_map import Traced, trace
from ovmake.workers.quantization import options

if TYPE_CHECKING:
    import openvino as ov


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
    """Compress; write `xml` and `bin`. If there was nothing to compress, return a warning."""
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
    message = f"NNCF found no weights to compress in this model, so the IR equals that of fp32: {listed}"
    hint = "NNCF compresses weights of MatMuls and convolutions, and tables of vectors; remove the precision"
    return warning("nothing-compressed", message, hint=hint, setting="precisions")


def _find(request: Request, converted: ConvertParams | None, given: SampleParams) -> options.Find:
    """Return a function that finds the source's layers in a model, if the settings name any."""

    def find(model: ov.Model) -> Traced:
        return trace(model, request, converted or ConvertParams(), given)

    return find
