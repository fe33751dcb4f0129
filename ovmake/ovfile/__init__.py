"""The Ovfile: TOML text in, a typed `spec.Ovfile` or every diagnostic at once out. Pure.

`parse.parse` is the way in; the modules, each of which imports only those above it:

    spec.py         what an Ovfile means: frozen dataclasses
    locate.py       key path -> place in the text, for carets
    problems.py     mistakes at key paths
    kinds.py        the kinds of value a key can have, and how a wrong one is described
    tables.py       tables of known keys and tables of named things, and how a wrong key is described
    datasets.py, compression.py    the keys of a dataset, and of precisions in integers
    schema.py       which keys there are, of which kind, and what each is for
    form.py         checks a document against the schema
    settings.py     looks a setting up in the tables that can hold it
    accuracy.py     what a target's gate is
    inputs.py       what is done to a model's inputs, and how its outputs are called
    compression.py  how INT8 and weights in 8 or 4 bits are made
    candidates.py   what `auto` chooses from
    datasets.py     a dataset's table -> spec.Dataset
    references.py   checks what is referred to: datasets, paths
    meaning.py      a document -> spec.Ovfile
    pointing.py     mistakes at key paths -> diagnostics with carets
    parse.py        text -> spec.Ovfile, or every diagnostic
    reference.py    the schema -> the key reference in ovmake/docs/ovfile.md
"""
