"""Which keys an Ovfile has, of which kind, and what each is for: one declaration per key.

How a key is declared, and what follows from it:

kinds.py        kinds of value: how a right one is read, how a wrong one is described, what JSON Schema says of it
arrays.py       kinds that speak of tensors and images: shapes, layouts, values per channel
functions.py    functions of the user's, as an Ovfile names them: `metrics.py:f1_of_plants`
declaring.py    a field of a dataclass declares a key
reach.py        which kinds of action see a key: groups of them
tables.py       tables with known keys, and tables whose keys are names that the user chose

The keys:

datasets.py     of a dataset's table
inputs.py       of a model's input, and of what is cut off
accuracy.py     of the gate
compression.py  of precisions in integers: NNCF's own options under kebab-case names
measuring.py    of measurements, requirements and limits
sharing.py      of the cache that a team shares
keys.py         of the top, of a model and of `auto`; and all tables, put together

What is made of them:

form.py         the check of a document's form, and a walk over all keys
reference.py    the key reference
json_schema.py  the JSON Schema
"""
