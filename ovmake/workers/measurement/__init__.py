"""How fast, how large in memory, and how sure: TensorFlow and IRs taking turns on this machine.

core_latency.py       How far apart the cores are: the time that a value takes from one
to another, and how to bring them together again
cpu_load.py           How much of the processor others use while something is timed
energy.py             Energy per inference, from the counters of Intel's and AMD's
processors (RAPL, as Linux shows them in powercap)
figures.py            What a measurement says: figures from the times that the bench
worker took. Pure
import_cost.py        What a framework costs before it does anything: its import, in a
process that did nothing yet
interleaving.py       Sides of a comparison that take turns in short blocks, so that
whatever else the machine does hits all of them
ir_timing.py          IRs of one model taking turns on this machine, in one process:
which is faster, and by how much
spread.py             How sure a ratio is that was measured in windows: its typical
value, and the range that holds the true one. Pure
timing.py             The timed side of a measurement, the same for both frameworks: one
process, models by name, one loop
timing_openvino.py    An IR to be timed: the latency hint for blocks, the throughput
hint with the runtime's queue for a flood
timing_tensorflow.py  TensorFlow to be timed, at its best: with oneDNN on, in each of
its two plain ways of being called
timing_tflite.py      A .tflite model to be timed, at its best: TFLite's interpreter
with XNNPACK, on as many threads as the IR gets
windows.py            Time TensorFlow and an IR in pairs of blocks, until it is known
how fast one is beside the other, or time is up
"""
