"""The process that holds OpenVINO and NNCF: `python -m ovmake.workers.openvino_worker`. Imports them when needed."""

from __future__ import annotations

from ovmake.workers.protocol import Request
from ovmake.workers.serving import serve


def _time(request: Request) -> dict[str, object]:
    if request.params["step"] == "import":
        from ovmake.workers.importing import imported

        return imported("openvino")
    from ovmake.workers.timing import answer
    from ovmake.workers.timing_openvino import OpenVinoSubject

    return answer(request, OpenVinoSubject)


if __name__ == "__main__":
    serve(
        {
            "convert": "converting:convert",
            "compress": "converting:compress",
            "quantize": "quantizing:quantize",
            "compress-weights": "quantizing:compress_weights",
            "control": "control.controlling:control",
            "name-layers": "control.naming:name_layers",
            "evaluate": "evaluating:evaluate",
            "check-samples": "checking:check_samples",
            "check-calibration": "calibrating:check_calibration",
            "inspect": "inspecting_openvino:inspect",
            "inspect-data": "inspecting_data:inspect_data",
            "compare-layers": "comparing:compare_layers",
            "time": _time,
        },
    )
