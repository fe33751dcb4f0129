"""TensorFlow and TFLite as what an IR is compared with.

check_source.py     check-source: TensorFlow loads the source, and what it answers to two
seeded inputs is noted
frozen.py           A TensorFlow source as one callable graph, with the IR's cut, shapes
and constants, called the fastest plain way
kept_model.py       The model that the last action of this process has loaded, for an
action of the same source right after it
layer_values.py     layers: what TensorFlow computes inside a source. Part of *compare-
layers*, asked for by OpenVINO's worker
reference.py        reference: TensorFlow's own outputs for the samples, kept for all
precisions to be compared with
reference_model.py  The source as TensorFlow itself runs it: what an IR is compared with
and timed against
tflite.py           A .tflite model, run by TFLite's own interpreter: the reference for
what OpenVINO makes of it
tflite_cut.py       sever: the part of a .tflite file between two sets of tensors, as a
file of its own, for OpenVINO to read
tflite_file.py      A .tflite file as flatbuffers: its tensors by name, their quantization, and
the part between two sets of them
tflite_probe.py     Run a .tflite model once, on zeros, in a process that may die of it
tflite_truth.py     A .tflite with weights in integers and all else in floating point
("dynamic range"), with its weights in FP32
"""
