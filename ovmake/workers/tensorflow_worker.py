"""The process that holds TensorFlow: `python -m ovmake.workers.tensorflow_worker`. Imports it when needed."""

from __future__ import annotations

from ovmake.workers.protocol import Request
from ovmake.workers.serving import serve


def _time(request: Request) -> dict[str, object]:
    if request.params["step"] == "import":
        from ovmake.workers.importing import imported

        return imported("tensorflow")
    from ovmake.workers.timing import answer

    if request.params.get("kind") == "tflite":
        from ovmake.workers import timing_lite

        return answer(request, timing_lite.subject_of)
    from ovmake.workers import timing_tensorflow

    return answer(request, timing_tensorflow.subject_of)


if __name__ == "__main__":
    serve(
        {
            "check-source": "answering:check_source",
            "freeze": "freezing:freeze",
            "inspect": "inspecting_tensorflow:inspect",
            "reference": "referring:refer",
            "sever": "severing_lite:sever",
            "layers": "layering:run_layers",
            "time": _time,
        },
        imports=dict.fromkeys(("check-source", "freeze", "inspect", "reference", "sever", "layers"), ("tensorflow",)),
    )
