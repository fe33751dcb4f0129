"""The few actions that run in the ovmake process: they compare a few numbers, or put files where they belong.

Each kind has a module of its own, so that an edit of one makes no other stale.

gate.py          an evaluation against the promise; what misses it fails
judge.py         the same for a candidate of `auto`: what misses it is not chosen
check_speed.py   an IR compared with the FP32 one; a warning if it is slower
weigh.py         which candidate `auto` chooses
choose.py        the chosen IR
publish.py       the record
check_size.py    the size that the Ovfile requires
require.py       the speed and the like that the Ovfile requires
run.py           the function of each kind
files.py         the JSON files that a job reads and writes
"""
