"""Workers: separate processes, and the only places where tensorflow, openvino and nncf are imported.

    protocol.py           requests and responses; serving.py: the worker's loop (stdlib)
    forking.py, cage.py   each action in a process of its own, and what that may touch (stdlib)
    client.py             the other end: start a worker, talk to it, end it (stdlib)
    openvino_worker.py    convert, compress, quantize, control, evaluate, and timing an IR
    tensorflow_worker.py  freeze, check-source, reference, and timing TensorFlow
    bench_worker.py       lets one of each take turns; racing.py: lets IRs; turns.py: how (stdlib)
    loader_worker.py      runs a loader of the user's, apart from both frameworks
    samples.py            samples from datasets or from a seed, the same on both sides (numpy)
    datasets/             a reader for each form of dataset
    checking.py           what is wrong with a dataset, before anything long begins
    comparison.py         an IR's outputs beside TensorFlow's; metrics/: scores, and how sure a drop is
    quantizing.py         INT8 and weights in 8 or 4 bits; control/: layers given back to floating point
    timing.py             the timed side of a measurement, the same for both frameworks
    recognise.py          what kind of model a source is, by its content (stdlib)
    loading.py            any source as a frozen TensorFlow graph, lite.py: a .tflite model
    layers.py             names of layers in a frozen graph; wiring.py, scopes.py: how they are found (stdlib)
    inspecting_*.py       what `ovmake inspect` and `ovmake init` ask for
    comparing.py          an IR's layers against TensorFlow's: tapping.py, placing.py, pairing.py, tapped_runs.py,
                          and layering.py on TensorFlow's side
    fingerprint.py        what a source computes, as a digest that survives re-export (stdlib but for crc32c)
    damaged.py            which file of a source is damaged, where a framework fails on it (stdlib but for crc32c)
    answering.py          that TensorFlow loads a source, and what it answers; kept.py: it is loaded once for that

TensorFlow and OpenVINO never share a process: they bring their own thread pools, allocators and oneDNN, and a crash of
one must not be a crash of the other.
"""

from __future__ import annotations

import sys

# OpenVINO and NNCF report usage over the network when this package can be imported; without it they use their stubs.
# Here, because this runs before any module of ours, in whatever order those import openvino.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
