"""Readers of model files, standard library only: what kind a source is, what it contains and what it computes.

archives.py      Check the members of an untrusted zip archive: their names, and the size that they unpack to
checkpoint.py    Read a TensorFlow checkpoint (a "tensor bundle") without TensorFlow
cutting.py       Resolve the Ovfile's `cut` in one graph: to tensors, and to names for the IR's inputs and
                 outputs
dataflow.py      The dataflow of a frozen TensorFlow graph: which op consumes which tensor, and which tensors
                 carry data
fingerprint.py   Fingerprint the computation of a TensorFlow model, independent of how its files spell it
graphdef.py      Follow a TensorFlow GraphDef and its function library, without TensorFlow
integrity/       Check that a source is complete: no file is missing or damaged, and the model keeps no state of
                 its own
layers.py        Resolve layer names in a frozen TensorFlow graph: the meaning of `cut.inputs` and `cut.outputs`
                 of an Ovfile
leveldb.py       Read a LevelDB table, the index of a TensorFlow checkpoint, and verify it as TensorFlow does
ops.py           Side effects of TensorFlow's ops: which ops do nothing but compute their outputs from their
                 inputs
protobuf.py      Read protobuf messages without their descriptors
recognise.py     Recognise the kind of a model by the content of its file or folder
scopes.py        The scopes of a frozen graph as a tree, and the layers among them
screening/       Refuse a model that has side effects, before a framework loads it
tflite_graph.py  Read the dataflow of a .tflite file as that of a TensorFlow graph, so that the same code finds
                 layers in both
"""
