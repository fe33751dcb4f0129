"""What a report speaks of, typed: read from records, evaluations and measurements of this build or an earlier one.

control.py      What accuracy control did: which layers of an INT8 IR are in floating point,
and how that was found. Typed
earlier.py      Where an earlier report is: in a file, or in a revision of the repo
history.py      This report beside an earlier one: what got faster, slower, less accurate, and
what came between. Pure
measurement.py  What a benchmark measured, typed: TensorFlow and one IR, taking turns on this
machine
records.py      What a report speaks of, typed: one `TargetReport` per target, gathered from
records, evaluations and measurements
weighing.py     What was timed beside the FP32 IR: the candidates of `auto`, and an INT8 IR in
the speed check. Typed, and in words
"""
