"""Which keys an Ovfile has, of which kind, and what each is for.

compression.py  The keys for precisions in integers: NNCF's own options under kebab-case names
datasets.py     The keys of a dataset's table; see `schema.py`. Which of them go together is
in `datasets.py`
form.py         Check the form of a document against the schema, and walk the schema
functions.py    Functions of the user's, as an Ovfile names them: `metrics.py:f1_of_plants`
keys.py         Which keys an Ovfile has, of which kind, and what each is for
kinds.py        The kinds of value an Ovfile's key can have, and how a wrong value is
described
measuring.py    Keys about measurements: how `ovmake report` takes them, and what figures an
IR must reach
reference.py    The reference of all keys, ovmake/docs/ovfile.md, made from the schema
tables.py       Tables of an Ovfile: those with known keys, and those whose keys are names
that the user chose
"""
