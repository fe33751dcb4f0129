"""Convert any source to the canonical IR, with OpenVINO.

converting.py       convert and compress: from a TensorFlow source to canonical IRs
executed.py         The precision in which the runtime executes each layer of an IR, which can differ from the
                    requested one
frontend.py         Call OpenVINO's frontend directly: convert a file to an `ov.Model`, whole or between two
                    sets of tensors
inner_inputs.py     Make inner tensors the inputs of a converted model, for a reader that cannot do it itself
ir.py               OpenVINO IRs: read, make canonical, write, count. Every OpenVINO action uses this module
naming.py           Give a model's inputs and outputs the names that users of the source know
preprocessing.py    Build the Ovfile's preprocessing of inputs into the IR: type, layout, resizing, channel
                    order, mean and scale
reading.py          Read a source of any kind with OpenVINO, cut as in the Ovfile, as an `ov.Model` with the
                    user's names
reading_tflite.py   Read a .tflite file with OpenVINO's TFLite reader, cut as in the Ovfile
refusing_tflite.py  The errors for a .tflite file that OpenVINO, or ovmake's own reader, refuses
shaping.py          Apply the Ovfile's shapes and constants to a model's inputs
"""
