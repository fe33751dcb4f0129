"""An IR beside what TensorFlow gave for the same samples.

by_default.py   An IR as most applications compile it: without a property
checking.py     check-samples: find out that a dataset will not do before anything long is
done with it
comparison.py   An IR beside TensorFlow, a feed at a time: differences of outputs, and the
metric of both
differences.py  How far two arrays are apart
evaluating.py   evaluate: run an IR on the samples that the reference saw; figures against
TensorFlow's
metrics/        Metrics: how good a model's answers are, counted feed by feed, and how sure a
drop is
neighbours.py   Whether an IR's answer for a sample depends on its neighbours, that is on what
else is in its batch
outputs.py      What a model gives: split into samples, written as it comes, read as it is
needed
"""
