"""Any source to the canonical IR, through OpenVINO.

converting.py       convert and compress: from a TensorFlow source to canonical IRs
executed.py         What the runtime makes of an IR: which layer is computed in which
precision, which is not always what was asked for
frontend.py         OpenVINO's frontend, driven directly: a file to an `ov.Model`, whole
or between two sets of tensors
inner_inputs.py     Let a converted model begin at inner tensors: for a reader that cannot
ir.py               OpenVINO IRs: read, make canonical, write, count. The module every
OpenVINO action shares
naming.py           Names of a model's inputs and outputs, as a user of the source knows
them
preprocessing.py    Make what the Ovfile says of an input part of the IR: type, layout,
resizing, channel order, mean and scale
reading.py          Read a source with OpenVINO, cut where the Ovfile says: any kind of
source to an `ov.Model` with the user's names
reading_tflite.py   Read a .tflite file with OpenVINO's reader for TFLite, cut where the
Ovfile says
refusing_tflite.py  What to say where OpenVINO, or our own reader, refuses a .tflite file
shaping.py          Shapes and constants of a model's inputs, as the Ovfile has them
"""
