"""The TensorFlow worker's answers for measurements: the cost of its import, and times of models.

Nothing heavy is imported before the import is timed.
"""

from __future__ import annotations

from ovmake.contracts.codec import encode_object
from ovmake.contracts.params.helping import TimeParams
from ovmake.workers.ipc.protocol import Request


def time_tensorflow(request: Request) -> dict[str, object]:
    """Do the operation of a measurement that the request names."""
    asked = request.asked(TimeParams)
    if asked.operation == "import":
        from ovmake.workers.measurement.import_cost import imported

        return encode_object(imported("tensorflow"))
    from ovmake.workers.measurement.timing import answer

    if asked.source.kind == "tflite":
        from ovmake.workers.measurement import timing_tflite

        return answer(request, timing_tflite.subject_of)
    from ovmake.workers.measurement import timing_tensorflow

    return answer(request, timing_tensorflow.subject_of)
