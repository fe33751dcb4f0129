"""What the Ovfile promises of an IR's accuracy, and whether it is kept. Pure, and known to no framework.

It imports none of its modules: whoever imports one, and runs again when that changes, depends on no other.

verdict.py     an evaluation beside the promise: passed, missed, not measured
dropping.py    the drop of a metric, and whether the samples are enough to tell
neighbours.py  the same samples in batches of two sizes
by_default.py  the same promise, of an IR that is compiled without properties
sanity.py      whether the two scores are believable at all
figures.py     figures, and how they are written
"""
