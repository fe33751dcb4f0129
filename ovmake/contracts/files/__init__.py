"""The JSON files that an action writes and another one reads, and the answers of workers: one module each.

calibration.py   what is odd about samples that calibrate
executed.py      layers as a runtime executes them
evaluation.py    an IR beside TensorFlow
machine.py       what is known of a machine
measurement.py   TensorFlow and one IR taking turns
inspected.py     what workers tell of models and of data
compared.py      what *compare-layers* writes
interface.py     inputs and outputs of an IR
record.py        what a published IR is, and what it was made of
reference.py     what is known of TensorFlow's own outputs
report.py        what `ovmake report` found
requirements.py  what became of what the Ovfile asks for beside accuracy
search.py        accuracy control's search for layers to revert to float
speed.py         IRs of one model beside each other: the speed check, and the choice of `auto`
timing.py        what a process that times a model answers
verdict.py       what a gate says of an IR
"""
