"""Workers: separate processes, and the only modules that import tensorflow, openvino and nncf.

    openvino_worker.py    convert, compress, quantize, control, evaluate, and timing an IR
    tensorflow_worker.py  freeze, check-source, reference, and timing TensorFlow
    bench_worker.py       `ovmake report`: interleaves timed processes of both frameworks
    loader_worker.py      runs a loader of the user, in a process without either framework

    ipc/                  requests and responses, processes and cages (stdlib)
    inputs/               samples from datasets or from a seed, the same for both frameworks (numpy)
    loading/              load any source as a frozen TensorFlow graph
    conversion/           convert any source to the canonical IR
    evaluation/           compare an IR's outputs with TensorFlow's; metrics, and confidence intervals of a drop
    inspection/           facts for `ovmake inspect` and `ovmake init`
    reference/            run TensorFlow and TFLite as the reference of an IR
    matching/             match the layers of a source with the operations of its IR
    quantization/         INT8, and weights in 8 or 4 bits; layers reverted to float
    measurement/          time, memory and energy, with the uncertainty of each

TensorFlow and OpenVINO never share a process: each has its own thread pools, allocators and oneDNN, and a crash of one
must not take the other down.
"""

from __future__ import annotations

import sys

# OpenVINO and NNCF report usage over the network when this package can be imported; without it they use their stubs.
# Set here, because this runs before any other module of ovmake can import openvino.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
