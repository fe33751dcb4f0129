"""Readers of model files, with nothing but the standard library: what a source is, holds and computes.

archives.py      Members of a zip archive of a stranger: what they may be called, and how
much they may unpack to
checkpoint.py    Read a TensorFlow checkpoint (a "tensor bundle") without TensorFlow
cutting.py       What the Ovfile's `cut` means for one graph: tensors, and the names that the
IR's inputs and outputs get
dataflow.py      The wires of a frozen TensorFlow graph: which op takes which tensor, and
which of them carry data
fingerprint.py   Fingerprint what a TensorFlow model computes, not how its files spell it
graphdef.py      Follow a TensorFlow GraphDef and its function library, without TensorFlow
integrity/       Whether a source is whole, and stands alone: nothing left behind, nothing
damaged, no state of its own
layers.py        Names of layers in a frozen TensorFlow graph: what `cut.inputs` and
`cut.outputs` of an Ovfile mean
leveldb.py       Read a LevelDB table, the index of a TensorFlow checkpoint, and verify it as
TensorFlow does
ops.py           What TensorFlow's ops may do beside computing their outputs from their
inputs
protobuf.py      Read protobuf messages without their descriptors
recognise.py     Recognise what kind of model a file or folder is, by its content
scopes.py        The scopes of a frozen graph as a tree, and which of them are layers
screening/       Refuse a model that would do more than compute, before a framework sees it
tflite_graph.py  The wires of a .tflite file, in the words of a TensorFlow graph: so that one
code finds layers in both
"""
