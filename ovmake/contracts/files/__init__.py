"""The JSON files that one action writes and another reads, and the answers of workers: one module each.

calibration.py   doubts about calibration samples
executed.py      layers as a runtime executes them
evaluation.py    an IR compared with TensorFlow
machine.py       facts of a machine
measurement.py   TensorFlow and one IR, timed in turns
inspected.py     facts of models and of data, for `inspect` and `init`
compared.py      layers compared by *compare-layers*
interface.py     inputs and outputs of an IR
record.py        a published IR: its settings, tools and results
reference.py     facts of TensorFlow's outputs
report.py        the results of `ovmake report`
requirements.py  the results of `require`: size, speed and memory
search.py        accuracy control's search for layers to revert to float
speed.py         IRs of one model timed in turns: the speed check, and the choice of `auto`
timing.py        answers of a process that times a model
verdict.py       the verdict of a gate
"""
