"""`ovmake inspect` and `ovmake init`: look at models before anything is built.

describing.py   ask a TensorFlow and an OpenVINO worker about a model     (effects)
description.py  what they found, as data and as `--json`                  PURE
tables.py       the same as text                                          PURE
finding.py      which files and folders are models, or data; names         (reads the disk)
data.py         which data fits a model, and for what                     PURE
settling.py     what of an Ovfile to begin with was tried, and builds     PURE
starter.py      an Ovfile that begins with what was found                 PURE
trial.py        the gates of an Ovfile to begin with, tried before it is written
command.py      the two commands
"""
