"""`ovmake inspect` and `ovmake init`: describe models before a build, and write a starter Ovfile.

describing.py   a TensorFlow and an OpenVINO worker describe a model      (effects)
description.py  the description of a model, as data and as `--json`       (pure)
tables.py       the description as text                                   (pure)
finding.py      models and datasets below a folder, and names for them    (reads the disk)
data.py         the datasets that fit a model, and their use              (pure)
settling.py     the settings of a starter Ovfile that were tried and work (pure)
starter.py      the text of a starter Ovfile                              (pure)
trial.py        builds of a starter Ovfile in a scratch folder            (effects)
command.py      the two commands
"""
