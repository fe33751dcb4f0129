"""What a report speaks of, typed: gathered from records, evaluations and measurements of this build or an earlier one.

earlier.py      where an earlier report is: in a file, or in a revision of the repo
history.py      this report beside an earlier one: what got faster, slower, less accurate, and what came between. Pure
measurement.py  what a benchmark measured, typed: TensorFlow and one IR, taking turns on this machine
records.py      one `TargetReport` per target, gathered from the files that actions made
"""
