"""Refuse a model that has side effects, before a framework loads it.

allowed_ops.py  The TensorFlow operations that may run: those that only compute, in memory
assets.py       Check that lookup tables are filled only from the model's own assets
bodies.py       Find the nodes with side effects in the main graph and the functions of a GraphDef
hdf5.py         Screen an HDF5 file before it is read: no other files, no plugins, no sizes that would fill the
                memory
keras_file.py   Screen a .keras or .h5 file before Keras loads it: sizes, names, nesting, and references to
                other files
keras_names.py  Check the names in a Keras file: only Keras' own classes and functions without side effects are
                allowed
meta_graph.py   Find what TensorFlow must not run in a MetaGraphDef: a SavedModel has one per set of tags, a
                .meta file has one
runs.py         Which nodes of a MetaGraphDef's main graph TensorFlow runs, and when: nodes by the op that
                depends on them
screen.py       Refuse a model with side effects, before TensorFlow loads it
tflite.py       Find TensorFlow's own operations in a .tflite file: the interpreter's flex delegate has kernels
                for all of them
"""
