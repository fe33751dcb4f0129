"""What passes between actions, and between processes: types that both sides import, and one codec.

values.py     values that JSON and the digest of an action both hold
codec.py      from dataclasses to JSON and back, strictly
schema.py     the JSON Schema of a dataclass
problem.py    what is wrong with an action, or with what it made
inspected.py  what workers tell of models and of data
compared.py   what *compare-layers* writes
executed.py   the layers of a compiled model, and how long each takes
"""
