"""Decide whether an IR meets the Ovfile's requirements: accuracy, speed, size. Pure; uses no framework.

The requirement on accuracy is called the *promise*. This file imports nothing, so each module can be imported alone.

verdict.py       figures against the promise: passed, missed, not measured
agreement.py     the distance from TensorFlow's outputs, and the tolerance for it
dropping.py      the drop of a metric, and whether there are enough samples to decide
neighbours.py    the same samples in batches of two sizes
by_default.py    the same promise for the IR compiled without properties
sanity.py        whether the two scores are plausible
figures.py       figures and their formats
judging.py       warnings and advice of gates and publications
searching.py     the result of accuracy control, in words
choosing.py      which candidate `auto` chooses
speed.py         whether an IR of reduced precision is slower than the FP32 one
requirements.py  requirements besides accuracy
intervals.py     confidence intervals for medians of ratios
record.py        the record of a published IR
"""
