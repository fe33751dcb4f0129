"""The params of actions. Rules write them, workers read them, digests cover them and reasons name them.

source.py        the signature of a source, and the operations that it may run: *freeze*
model.py         the part and the form of the source to convert: *convert*, *check-source*, *name-layers*
data.py          the samples
evaluation.py    runs over samples: *reference*, *evaluate*, *check-samples*, *check-calibration*, *compare-layers*
quantization.py  reduced precision: *quantize*, *compress-weights*, *control*
measurement.py   *benchmark*, *time-candidates*, *compare-speed*
promise.py       MaxDrop, and the accuracy that a gate requires: *gate*, *judge*
judging.py       the other requirements: *check-speed*, *weigh*, *check-size*, *require*
declared.py      Declared: the base of params that an Ovfile's keys fill
helping.py       requests between workers, and from `ovmake inspect` to workers
publication.py   the settings that the record repeats: *publish*
"""
