"""The Ovfile: TOML text in, a typed `spec.Ovfile` or every diagnostic at once out. Pure.

`parse.parse` is the way in; the modules, each of which imports only those above it:

    spec.py      what an Ovfile means: frozen dataclasses
    problems.py  mistakes at key paths
    text/        where keys stand in the text, how large it may be, and what is said where it is not TOML
    schema/      which keys there are, of which kind, and what each is for
    meaning/     from tables of the right form to a spec.Ovfile
    parse.py     text -> spec.Ovfile, or every diagnostic
"""
