"""The Ovfile: from TOML text to a typed `spec.Ovfile`, or to all diagnostics at once. Pure.

`parse.parse` is the entry point.

words.py      words and numbers that several modules need
text/         positions in the text, limits, and help for wrong TOML
problems.py   mistakes at key paths
schema/       one declaration per key; from these the check of the form, the reference and the JSON Schema
spec.py       the typed Ovfile: targets, and the dataclasses of `schema` that they hold
meaning/      a document -> spec.Ovfile, and the checks that need several keys
parse.py      text -> spec.Ovfile, or all diagnostics
"""
