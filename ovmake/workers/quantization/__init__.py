"""Quantize IRs: to INT8, or only the weights to 8 or 4 bits.

control/       Accuracy control: find an INT8 IR that meets its accuracy requirement with as few float layers as
               possible
options.py     Translate an Ovfile's quantization settings to NNCF's arguments
quantizing.py  quantize: an FP32 IR to INT8 with `nncf.quantize` and a calibration set; compress-weights: to 8-
               or 4-bit weights
"""
