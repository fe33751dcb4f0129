"""Which tensor of one model is which of another.

compare_layers.py  compare-layers: every layer of a source in TensorFlow and in an IR, on a
few samples
graph_matching.py  Which tensor of one model computes what a tensor of another one does.
Pure
layer_map.py       Which operations of an IR compute which layer of its source
locate_layers.py   Where in an IR the layers of its source are
probe_runs.py      Run models with inner tensors as outputs, a group of tensors at a time
probes.py          Where the layers of a source are in an IR: convert the source once more,
with every layer's output marked
"""
