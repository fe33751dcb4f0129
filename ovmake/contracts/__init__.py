"""What passes between actions, and between processes: types that both sides import, and one codec.

params/          the settings of each kind of action, nested and typed
forms.py         the forms of dataset, and which one a path names
values.py        values that JSON and the digest of an action both hold
codec.py         from dataclasses to JSON and back, strictly
schema.py        the JSON Schema of a dataclass
problem.py       what is wrong with an action, or with what it made

One module per file that an action writes and another one reads:

calibration.py   what is odd about samples that calibrate
executed.py      layers as a runtime executes them
evaluation.py    an IR beside TensorFlow
machine.py       what is known of a machine
measurement.py   TensorFlow and one IR taking turns
interface.py     inputs and outputs of an IR
record.py        what a published IR is, and what it was made of
reference.py     what is known of TensorFlow's own outputs
report.py        what `ovmake report` found
requirements.py  what became of what the Ovfile asks for beside accuracy
search.py        a search for layers to give back to floating point
speed.py         IRs of one model beside each other: the speed check, and the choice of `auto`
timing.py        what a process that times a model answers
verdict.py       what a gate says of an IR
"""
