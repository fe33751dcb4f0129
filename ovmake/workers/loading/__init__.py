"""Any source to a frozen TensorFlow graph.

any_source.py      Load a source into TensorFlow as a frozen graph, whatever kind of file
or folder it is
freezing.py        freeze: a source that OpenVINO cannot read as it is, as one frozen graph
that it can
graphs.py          GraphDefs: what a loaded source is, and how one of them becomes small,
tidy and the same every time
half_precision.py  What in a graph rounds more than FP32 does: half precision, and steps of
fake quantization
keras_file.py      Load a Keras model: .keras, or .h5 of any age
pruning.py         Take out of a checkpoint's graph what is for training alone, before
TensorFlow imports it
saved_model.py     Load a SavedModel: any signature, any tags, of TF2 or of TF1
sessions.py        A TF1 session's graph, frozen: what the loaders of SavedModels and of
checkpoints share
shipped.py         A SavedModel as it was shipped: its signature, called as an application
calls it
tf1.py             Load what TF1 left: the .meta file of a checkpoint, and frozen graphs
"""
