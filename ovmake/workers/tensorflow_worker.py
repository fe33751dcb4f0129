"""The process that holds TensorFlow: `python -m ovmake.workers.tensorflow_worker`. Imports it when needed."""

from __future__ import annotations

from ovmake.contracts.codec import encode_object
from ovmake.workers.ipc.protocol import Request
from ovmake.workers.ipc.serving import serve


def _time(request: Request) -> dict[str, object]:
    if request.params["step"] == "import":
        from ovmake.workers.measurement.import_cost import imported

        return encode_object(imported("tensorflow"))
    from ovmake.workers.measurement.timing import answer

    if request.params.get("kind") == "tflite":
        from ovmake.workers.measurement import timing_tflite

        return answer(request, timing_tflite.subject_of)
    from ovmake.workers.measurement import timing_tensorflow

    return answer(request, timing_tensorflow.subject_of)


if __name__ == "__main__":
    serve(
        {
            "check-source": "reference.check_source:check_source",
            "freeze": "loading.freezing:freeze",
            "inspect": "inspection.tensorflow:inspect",
            "reference": "reference.reference:refer",
            "sever": "reference.tflite_cut:sever",
            "layers": "reference.layer_values:run_layers",
            "time": _time,
        },
        imports=dict.fromkeys(("check-source", "freeze", "inspect", "reference", "sever", "layers"), ("tensorflow",)),
    )
