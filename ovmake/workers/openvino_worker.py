"""The process that holds OpenVINO and NNCF: `python -m ovmake.workers.openvino_worker`. Imports them when needed."""

from __future__ import annotations

from ovmake.contracts.codec import encode_object
from ovmake.workers.ipc.protocol import Request
from ovmake.workers.ipc.serving import serve


def _time(request: Request) -> dict[str, object]:
    if request.params["step"] == "import":
        from ovmake.workers.measurement.import_cost import imported

        return encode_object(imported("openvino"))
    from ovmake.workers.measurement.timing import answer
    from ovmake.workers.measurement.timing_openvino import OpenVinoSubject

    return answer(request, OpenVinoSubject)


if __name__ == "__main__":
    serve(
        {
            "convert": "conversion.converting:convert",
            "compress": "conversion.converting:compress",
            "quantize": "quantization.quantizing:quantize",
            "compress-weights": "quantization.quantizing:compress_weights",
            "control": "quantization.control.controlling:control",
            "name-layers": "quantization.control.naming:name_layers",
            "evaluate": "evaluation.evaluating:evaluate",
            "check-samples": "evaluation.checking:check_samples",
            "check-calibration": "inputs.calibration_check:check_calibration",
            "inspect": "inspection.openvino:inspect",
            "inspect-data": "inspection.data:inspect_data",
            "compare-layers": "matching.compare_layers:compare_layers",
            "time": _time,
        },
    )
