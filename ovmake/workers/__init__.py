"""Workers: separate processes, and the only places where tensorflow, openvino and nncf are imported.

    openvino_worker.py    convert, compress, quantize, control, evaluate, and timing an IR
    tensorflow_worker.py  freeze, check-source, reference, and timing TensorFlow
    bench_worker.py       lets one of each take turns
    loader_worker.py      runs a loader of the user's, apart from both frameworks

    ipc/                  requests and responses, processes and cages (stdlib)
    inputs/               samples from datasets or from a seed, the same on both sides (numpy)
    loading/              any source as a frozen TensorFlow graph
    conversion/           any source as the canonical IR
    evaluation/           an IR's outputs beside TensorFlow's; scores, and how sure a drop is
    inspection/           what `ovmake inspect` and `ovmake init` ask for
    reference/            TensorFlow and TFLite as what an IR is compared with
    matching/             which layer of a source is which of its IR
    quantization/         INT8, and weights in 8 or 4 bits; layers reverted to float
    measurement/          how fast, how large, and how sure

TensorFlow and OpenVINO never share a process: they bring their own thread pools, allocators and oneDNN, and a crash of
one must not be a crash of the other.
"""

from __future__ import annotations

import sys

# OpenVINO and NNCF report usage over the network when this package can be imported; without it they use their stubs.
# Here, because this runs before any module of ours, in whatever order those import openvino.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
