"""The process that holds OpenVINO and NNCF: `python -m ovmake.workers.openvino_worker`. Imports them when needed."""

from __future__ import annotations

from ovmake.workers.protocol import Request, serve


def _convert(request: Request) -> dict[str, object]:
    from ovmake.workers.converting import convert

    return convert(request)


def _compress(request: Request) -> dict[str, object]:
    from ovmake.workers.converting import compress

    return compress(request)


def _quantize(request: Request) -> dict[str, object]:
    from ovmake.workers.quantizing import quantize

    return quantize(request)


def _compress_weights(request: Request) -> dict[str, object]:
    from ovmake.workers.quantizing import compress_weights

    return compress_weights(request)


def _control(request: Request) -> dict[str, object]:
    from ovmake.workers.control.controlling import control

    return control(request)


def _name_layers(request: Request) -> dict[str, object]:
    from ovmake.workers.control.naming import name_layers

    return name_layers(request)


def _evaluate(request: Request) -> dict[str, object]:
    from ovmake.workers.evaluating import evaluate

    return evaluate(request)


def _check_samples(request: Request) -> dict[str, object]:
    from ovmake.workers.checking import check_samples

    return check_samples(request)


def _check_overlap(request: Request) -> dict[str, object]:
    from ovmake.workers.checking import check_overlap

    return check_overlap(request)


def _inspect(request: Request) -> dict[str, object]:
    from ovmake.workers.inspecting_openvino import inspect

    return inspect(request)


def _compare_layers(request: Request) -> dict[str, object]:
    from ovmake.workers.comparing import compare_layers

    return compare_layers(request)


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
            "convert": _convert,
            "compress": _compress,
            "quantize": _quantize,
            "compress-weights": _compress_weights,
            "control": _control,
            "name-layers": _name_layers,
            "evaluate": _evaluate,
            "check-samples": _check_samples,
            "check-overlap": _check_overlap,
            "inspect": _inspect,
            "compare-layers": _compare_layers,
            "time": _time,
        },
    )
