"""The Ovfile: TOML text in, a typed `spec.Ovfile` or every diagnostic at once out. Pure.

spec.py     what an Ovfile means: frozen dataclasses
schema.py   which keys there are, of which kind, and what each is for
kinds.py    the kinds of value a key can have, and how a wrong one is described
parse.py    text -> spec.Ovfile
locate.py   key path -> place in the text, for carets
"""
