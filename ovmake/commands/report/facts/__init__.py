"""The facts of a report, typed: gathered from records, evaluations and measurements of this build or an earlier one.

earlier.py      reads an earlier report from a file, or from a revision of the repo
history.py      compares this report with an earlier one: speed, accuracy, size, gate, versions, options, files. Pure
measurement.py  the measurement of TensorFlow and one IR, with its machine
records.py      one `TargetReport` per target, gathered from the outputs of actions
"""
