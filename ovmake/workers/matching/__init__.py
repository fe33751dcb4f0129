"""Match the tensors of one model with those of another.

compare_layers.py  compare-layers: compare every layer of a source in TensorFlow and in an IR, on a few samples
graph_matching.py  Match tensors of two models that compute the same values. Pure
layer_map.py       Map the layers of a source to the operations of an IR that compute them
locate_layers.py   Locate the layers of a source in its IR
probe_runs.py      Run models with inner tensors as additional outputs, a group of tensors at a time
probes.py          Mark the layers of a source: convert it again, with a mark on every layer's output
"""
