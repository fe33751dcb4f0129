"""What passes between actions, and between processes: types that both sides import, and one codec.

entry_points.py  what each kind of action runs
params/          the settings of each kind of action, nested and typed
metrics.py       the metrics: directions, units, options, libraries
source_kinds.py  the kinds of source: words, suffixes, how OpenVINO gets them
forms.py         the forms of dataset, and which one a path names
values.py        values that JSON and the digest of an action both hold
codec.py         from dataclasses to JSON and back, strictly
schema.py        the JSON Schema of a dataclass
problem.py       what is wrong with an action, or with what it made
files/           the JSON files that an action writes and another one reads
sharing/         what leaves a machine: the lock, and results in a remote cache
"""
