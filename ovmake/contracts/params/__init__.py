"""The params of actions: what a rule writes, a reason names, a digest covers and a worker reads.

source.py        which function of a source is meant, and what it may run: *freeze*
model.py         what the IR computes of it: *convert*, *check-source*, *name-layers*
data.py          where samples come from
evaluation.py    what runs over samples: *reference*, *evaluate*, *check-samples*, *check-calibration*, *compare-layers*
quantization.py  reduced precision: *quantize*, *compress-weights*, *control*
measurement.py   *benchmark*, *time-candidates*, *compare-speed*
promise.py       MaxDrop, and what a gate asks of an IR: *gate*, *judge*
judging.py       what the other judges ask: *check-speed*, *weigh*, *check-size*, *require*
declared.py      Declared: the base of params that an Ovfile's keys fill
helping.py       what workers ask each other, and `ovmake inspect` asks them
publication.py   what the record repeats: *publish*
"""
