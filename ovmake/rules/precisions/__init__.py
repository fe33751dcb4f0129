"""Precisions: rules that add the actions from the canonical FP32 IR to an IR of a different precision. Pure.

compress.py          fp16 and bf16                   -> FP16 weights
quantize.py          int8                            -> INT8 by nncf.quantize
compress_weights.py  int8-weights, int4-weights      -> weights in 8 or 4 bits by nncf.compress_weights
control.py           INT8 that misses its gate       -> INT8 with as few layers as possible reverted to float
name_layers.py       the reverted layers             -> the same with the names of the source's layers
auto.py              candidates                      -> the fastest that passes its gate

A new precision needs a module here, a name in `ovfile.words`, and a handler of its action's kind in a worker.
"""
