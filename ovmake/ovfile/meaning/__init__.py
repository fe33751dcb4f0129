"""What a document means, when its form is right: from tables to a typed `spec.Ovfile`.

accuracy.py     What a target's gate is: the metric and its options, how far it may drop, and
which agreement is asked for
candidates.py   What `auto` chooses from: the precisions, and whether they can be weighed
against each other
compression.py  What the keys for precisions in integers mean, and which of them go together
datasets.py     What a table of a dataset means, and which of its keys go together
inputs.py       What the tables of a model's inputs and outputs mean, and which of their keys
go together
references.py   Check what an Ovfile refers to: datasets by name, files by path. Everything is
checked where it is written
requiring.py    What an IR must reach beside its accuracy: the `require` table
settings.py     Look settings up in the tables of a document, nearest first
targets.py      What a document means: the targets of an Ovfile, and everything that takes
more than one key to see
"""
