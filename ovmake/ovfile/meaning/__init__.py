"""What a document means, when its form is right: from tables to a typed `spec.Ovfile`.

settings.py     look settings up in the tables of a document, nearest first
reading.py      the plain keys of a table, as their declarations say
accuracy.py     what a target's gate is: the metric and its options, how far it may drop, which agreement is asked for
candidates.py   what `auto` chooses from, and whether they can be weighed against each other
compression.py  which keys for precisions in integers go together
datasets.py     what a dataset's table means, and which of its keys go together
inputs.py       which keys of a model's inputs and outputs go together
references.py   what an Ovfile refers to: datasets by name, files by path, each checked where it is written
targets.py      the targets, and all else that takes more than one key to see
"""
