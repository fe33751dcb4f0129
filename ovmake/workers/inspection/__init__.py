"""What `ovmake inspect` and `ovmake init` ask of a model or a file of data.

data.py        inspect-data: what is in a file or folder that may be a dataset, for `ovmake
init`. Neither framework is loaded
openvino.py    inspect, OpenVINO's half: whether it can convert a source, and if not, what it
lacks
spelling.py    Types of tensors as OpenVINO spells them, for both halves that load TensorFlow
tensorflow.py  inspect, TensorFlow's half: what a source takes, gives and is made of
tflite.py      inspect, TensorFlow's half for .tflite files: what the interpreter says of them
"""
