"""Workers: separate processes, and the only places where tensorflow, openvino and nncf are imported.

    protocol.py           requests and responses, the worker's loop (stdlib)
    client.py             the other end: start a worker, talk to it, end it (stdlib)
    openvino_worker.py    convert, compress, quantize, evaluate, and timing an IR
    tensorflow_worker.py  reference, and timing TensorFlow
    bench_worker.py       lets one of each take turns, and does the statistics (stdlib)
    samples.py            samples from files or from a seed, the same on both sides (numpy)
    fingerprint.py        what a source computes, as a digest that survives re-export

TensorFlow and OpenVINO never share a process: they bring their own thread pools, allocators and oneDNN, and a crash of
one must not be a crash of the other.
"""
