"""The OpenVINO worker's answers for measurements: the cost of its import, and times of IRs.

Nothing heavy is imported before the import is timed.
"""

from __future__ import annotations

from ovmake.contracts.codec import encode_object
from ovmake.contracts.params.helping import TimeParams
from ovmake.workers.ipc.protocol import Request


def time_openvino(request: Request) -> dict[str, object]:
    """Do the operation of a measurement that the request names."""
    asked = request.asked(TimeParams)
    if asked.operation == "import":
        from ovmake.workers.measurement.import_cost import imported

        return encode_object(imported("openvino"))
    from ovmake.workers.measurement.timing import answer
    from ovmake.workers.measurement.timing_openvino import OpenVinoSubject

    return answer(request, OpenVinoSubject)
