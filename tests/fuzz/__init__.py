"""Damaged models, built beside the sound ones that they were made of: what is published, TensorFlow loads and computes.

python -m tests.fuzz 1000 --seed 7 --folder /tmp/fuzz      the counts; what went wrong stays in the folder

sound.py        a small model of every kind (TensorFlow)
damage.py       what happens to their files
harness.py      builds, and asks
published.py    runs what was published (OpenVINO)
oracle.py       loads a source without ovmake, and runs it on the same inputs (TensorFlow)
"""
