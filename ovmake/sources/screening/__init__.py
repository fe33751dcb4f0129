"""Refuse a model that would do more than compute, before a framework sees it.

allowed_ops.py  Which operations of TensorFlow may run: those that compute, and keep what they
compute in memory
assets.py       Which files tables are filled from: the model's own assets, and no others
bodies.py       What the main graph and the functions of a GraphDef hold that may do more than
compute
hdf5.py         Look through an HDF5 file before anybody reads it: what it takes from
elsewhere, and what could take all memory
keras_file.py   Look through a .keras or .h5 file before Keras sees it: sizes, names, depth,
and what is elsewhere
keras_names.py  What a Keras file may name: Keras' own classes and functions, less those that
do more than compute
meta_graph.py   What in a MetaGraphDef TensorFlow must not get to run: a SavedModel holds one
for each set of tags, a .meta file one
runs.py         What of a MetaGraphDef's main graph TensorFlow runs, and when: nodes by what
leads to them
screen.py       Refuse a model that would do more than compute, before TensorFlow sees it
tflite.py       Which of TensorFlow's own operations a .tflite file runs: the interpreter's
flex delegate has all of their kernels
"""
