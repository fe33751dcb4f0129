"""Accuracy control: find an INT8 IR that meets its accuracy requirement with as few float layers as possible.

controlling.py  the action: from plain INT8 to the best set of layers, with a report of the search
search.py       the sets of layers to try. Pure
trials.py       one trial: validate a set of layers like the published IR, ended once it cannot pass
pair.py         the INT8 model and its float model: their layers, and models with some layers reverted to float
effects.py      measure each layer's quantization error at the outputs
probing.py      ... of all layers in one inference
ranking.py      the order in which to revert layers. Pure
journal.py      the results of the search, stored line by line
naming.py       the source's names of the layers in the report
"""
