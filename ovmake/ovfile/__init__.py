"""The Ovfile: TOML text in, a typed `spec.Ovfile` or every diagnostic at once out. Pure.

`parse.parse` is the way in.

words.py      words and numbers that more than one module needs
text/         where in the text things stand, its limits, and cures for wrong TOML
problems.py   mistakes at key paths
schema/       which keys there are: one declaration each; the form's check, the reference and the JSON Schema from them
spec.py       what an Ovfile means: targets, and the dataclasses of `schema` that they hold
meaning/      a document -> spec.Ovfile, and what takes more than one key to see
parse.py      text -> spec.Ovfile, or every diagnostic
"""
