"""Tests: one folder per package of ovmake; `fakes.py` is the disk and the runner they share."""
