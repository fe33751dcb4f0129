"""Run TensorFlow and TFLite as the reference of an IR.

check_source.py     check-source: load the source with TensorFlow, and record its outputs for two seeded inputs
frozen.py           A TensorFlow source as one callable graph, with the IR's cut, shapes and constants, called
                    in the fastest plain way
kept_model.py       Keep the model that an action loaded for the next action of this process, if it has the same
                    source
layer_values.py     layers: TensorFlow's values of inner tensors of a source. OpenVINO's worker requests it for
                    *compare-layers*
reference.py        reference: run TensorFlow on the samples, and store its outputs for the comparison with
                    every precision
reference_model.py  The source as run by TensorFlow itself: the reference for comparison and timing
tflite.py           A .tflite model run by TFLite's own interpreter, as the reference of its IR
tflite_cut.py       sever: write the part of a .tflite file between two sets of tensors to a file of its own,
                    for OpenVINO
tflite_file.py      A .tflite file as flatbuffers: its tensors by name, their quantization, and the part
                    between two sets of them
tflite_probe.py     Run a .tflite model once, on zeros, in a separate process, because it may crash
tflite_truth.py     Convert the integer weights of a "dynamic range" .tflite, which otherwise computes in
                    floating point, to FP32
"""
