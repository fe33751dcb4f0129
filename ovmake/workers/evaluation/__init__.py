"""Compare an IR's outputs with TensorFlow's for the same samples.

by_default.py   An IR as most applications compile it: without properties
checking.py     check-samples: check a dataset before any long action uses it
comparison.py   Compare an IR with TensorFlow, one feed at a time: differences of the outputs, and the metric of
                both
differences.py  Measure the difference of two arrays
evaluating.py   evaluate: run an IR on the reference's samples, and compare its outputs with TensorFlow's
metrics/        Metrics: the quality of a model's answers, counted feed by feed, and the confidence interval of
                a drop
neighbours.py   Check whether an IR's answer for a sample depends on its neighbours: the other samples in its
                batch
outputs.py      A model's outputs: split into samples, written feed by feed, and read back on request
"""
