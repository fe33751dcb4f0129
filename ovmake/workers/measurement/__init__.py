"""Measure time, memory and energy of TensorFlow and IRs, interleaved on this machine, with their uncertainty.

benchmark.py          Interleave TensorFlow and an IR on this machine, each in a fresh process of its own
core_latency.py       Measure the inter-core latency, and try to lower it: the time that a value takes from one
                      core to another
cpu_load.py           Measure the CPU use of other processes during a measurement
energy.py             Energy per inference, from the RAPL counters of Intel and AMD processors in Linux's
                      powercap
figures.py            Compute a measurement's figures from the times of the bench worker. Pure
import_cost.py        The cost of importing a framework, in a fresh process
interleaving.py       Interleave the sides of a comparison in short blocks, so that any other load on the
                      machine hits all of them
ir_timing.py          Time several IRs of one model, interleaved in one process: which is faster, and by how
                      much
spread.py             The typical value of a ratio that was measured in windows, and the range of its true
                      value. Pure
timed_openvino.py     Answers of the OpenVINO worker to a measurement
timed_tensorflow.py   Answers of the TensorFlow worker to a measurement
timing.py             The timed process of a measurement, the same for both frameworks: models by name, one loop
timing_openvino.py    Time an IR: the latency hint for blocks, the throughput hint with the runtime's queue for
                      throughput
timing_tensorflow.py  Time TensorFlow at its best: with oneDNN on, in each of the two plain ways to call it
timing_tflite.py      Time a .tflite model at its best: TFLite's interpreter with XNNPACK, on as many threads as
                      the IR
windows.py            Time TensorFlow and an IR in pairs of blocks, until their speed ratio is precise or the
                      time is up
"""
