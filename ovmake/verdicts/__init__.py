"""What the Ovfile promises of an IR's accuracy, and whether it is kept. Pure, and known to no framework.

It imports none of its modules: an import of one depends on that one alone.

verdict.py       an evaluation beside the promise: passed, missed, not measured
agreement.py     how far an IR is from TensorFlow's outputs, and how far it may be
dropping.py      the drop of a metric, and whether the samples are enough to tell
neighbours.py    the same samples in batches of two sizes
by_default.py    the same promise, of an IR that is compiled without properties
sanity.py        whether the two scores are believable at all
figures.py       figures, and how they are written
judging.py       what gates and publications say beside their verdict
searching.py     what accuracy control found, in words
choosing.py      which candidate `auto` chooses
speed.py         whether an IR of reduced precision is slower than the FP32 one
requirements.py  what an IR must reach beside its accuracy
intervals.py     how sure a median of ratios is
record.py        the record beside a published IR
"""
