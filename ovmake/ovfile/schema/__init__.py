"""The keys of an Ovfile: one declaration per key states its kind, its default and its purpose.

How a key is declared, and what is derived from it:

kinds.py        kinds of value: how to read and check one, how to describe a wrong one, its JSON Schema
arrays.py       kinds for tensors and images: shapes, layouts, values per channel
functions.py    the user's functions, as an Ovfile names them: `metrics.py:f1_of_plants`
declaring.py    a field of a dataclass declares a key
reach.py        groups of action kinds that depend on a key
tables.py       tables with known keys, and tables whose keys are names that the user chose

The keys:

datasets.py     of a dataset's table
inputs.py       of a model's input, and of its cut
accuracy.py     of the gate
compression.py  of integer precisions: NNCF's own options under kebab-case names
measuring.py    of measurements, requirements and limits
sharing.py      of the cache that a team shares
keys.py         of the top level, of a model and of `auto`; and the assembled tables

What is generated from them:

form.py         the check of a document's form, and a walk over all keys
reference.py    the key reference
json_schema.py  the JSON Schema
"""
