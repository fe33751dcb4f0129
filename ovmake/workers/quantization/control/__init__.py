"""Accuracy control: an INT8 IR with as few layers given back to floating point as its promise takes.

controlling.py  the action: from plain INT8 to the best set of layers, and what was found on the way
search.py       which sets to try. Pure
trials.py       one set tried: validated as the published IR will be, noted, ended once it cannot pass
pair.py         the INT8 model beside its float one: its layers, and models with some of them given back
effects.py      the ranking: what each layer's quantization does to the outputs
probing.py      ... of all layers in one inference
ranking.py      ... and the order that follows. Pure
journal.py      what was found, kept line by line
naming.py       the source's names of the layers that were found
"""
