"""The types that pass between actions and between processes, and one codec for all of them.

entry_points.py  the function that each kind of action runs
params/          the settings of each kind of action, nested and typed
metrics.py       the metrics: directions, units, options, libraries
source_kinds.py  the kinds of source: words, suffixes, how OpenVINO reads them
forms.py         the forms of dataset, and which one a path names
values.py        values that JSON and action digests can hold
codec.py         dataclasses to JSON and back, strictly
schema.py        the JSON Schema of a dataclass
problem.py       an error of an action, or a warning about its result
files/           the JSON files that one action writes and another reads
sharing/         what leaves a machine: the lock, and results in a remote cache
"""
