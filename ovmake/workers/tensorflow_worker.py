"""The process that holds TensorFlow: `python -m ovmake.workers.tensorflow_worker`. Imports it when needed."""

from __future__ import annotations

from ovmake.workers.protocol import Request, serve


def _freeze(request: Request) -> dict[str, object]:
    from ovmake.workers.freezing import freeze

    return freeze(request)


def _refer(request: Request) -> dict[str, object]:
    from ovmake.workers.referring import refer

    return refer(request)


def _inspect(request: Request) -> dict[str, object]:
    from ovmake.workers.inspecting_tensorflow import inspect

    return inspect(request)


def _run_layers(request: Request) -> dict[str, object]:
    from ovmake.workers.layering import run_layers

    return run_layers(request)


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
    serve({"freeze": _freeze, "inspect": _inspect, "reference": _refer, "layers": _run_layers, "time": _time})
