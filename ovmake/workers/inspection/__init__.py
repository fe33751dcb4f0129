"""Facts about a model or a data file, for `ovmake inspect` and `ovmake init`.

data.py        inspect-data: describe a file or folder that may be a dataset, for `ovmake init`. Neither
               framework is loaded
openvino.py    inspect, OpenVINO's half: whether OpenVINO can convert a source, and if not, which operations it
               lacks
spelling.py    OpenVINO's names of tensor types, for the modules that load TensorFlow
tensorflow.py  inspect, TensorFlow's half: the inputs, outputs, operations and layers of a source
tflite.py      inspect, TensorFlow's half for .tflite files: facts from the interpreter
"""
