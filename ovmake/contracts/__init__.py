"""What passes between actions, and between processes: types that both sides import, and one codec.

values.py         values that JSON and the digest of an action both hold
codec.py          from dataclasses to JSON and back, strictly
schema.py         the JSON Schema of a dataclass
problem.py        what is wrong with an action, or with what it made
metrics.py        the metrics, and what holds for each
source_kinds.py   the kinds of source
dataset_forms.py  the forms of a dataset
"""
