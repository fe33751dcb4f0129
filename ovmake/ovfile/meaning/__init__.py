"""Interpret a document of the right form: from tables to a typed `spec.Ovfile`.

settings.py     look settings up in the tables of a document, nearest first
reading.py      read the plain keys of a table into the dataclass that declares them
accuracy.py     the gate of a target: the metric and its options, the allowed drop, the agreement
candidates.py   the candidates of `auto`, and whether their speeds can be compared
compression.py  the settings of integer precisions, and which of them go together
datasets.py     the datasets, and which of their keys go together
inputs.py       the inputs and outputs of a model, and which of their keys go together
references.py   check the datasets and files that an Ovfile names, at each place that names one
targets.py      the targets, and all other checks that need several keys
"""
