"""Accuracy control: an INT8 IR with as few layers given back to floating point as its promise takes.

pair.py        the INT8 model beside its float one: which layers are quantized, and models with some given back
noise.py       how much each layer's own quantization disturbs its output, for all layers in one pass
naming.py      how the source calls the layers that were found
"""
