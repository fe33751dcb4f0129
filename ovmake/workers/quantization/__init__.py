"""Integers in place of floats: INT8, and weights in 8 or 4 bits.

control/       Accuracy control: an INT8 IR with as few layers given back to floating point as
its promise takes
options.py     What an Ovfile says about quantization, in NNCF's words
quantizing.py  quantize: an FP32 IR to INT8 by `nncf.quantize` on a calibration set; compress-
weights: to 8- or 4-bit weights
"""
