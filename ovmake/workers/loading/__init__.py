"""Load any source as a frozen TensorFlow graph.

any_source.py      Load a source of any kind into TensorFlow as a frozen graph
freezing.py        freeze: turn a source that OpenVINO cannot read into a frozen graph that it can read
graphs.py          GraphDefs: the result of loading a source, and its reduction to a small, reproducible graph
half_precision.py  Find the parts of a graph that round more than FP32: half precision and fake quantization
keras_file.py      Load a Keras model: a .keras or .h5 file of any Keras version
pruning.py         Remove the training part of a checkpoint's graph, before TensorFlow imports it
saved_model.py     Load a SavedModel: any signature, any tags, of TF2 or of TF1
sessions.py        Freeze a TF1 session's graph: the common part of the loaders of SavedModels and checkpoints
shipped.py         A SavedModel as shipped: its signature, called as an application calls it
tf1.py             Load TF1 models: the .meta file of a checkpoint, and frozen graphs
"""
