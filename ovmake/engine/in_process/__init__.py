"""The actions that run in the ovmake process: they compare a few numbers, or publish files.

Each kind has a module of its own, so that an edit of one makes no other stale.

gate.py          an evaluation against the promise; a miss fails the target
judge.py         the same for a candidate of `auto`; a miss excludes the candidate
check_speed.py   an IR compared with the FP32 one; a warning if it is slower
weigh.py         which candidate `auto` chooses
choose.py        the chosen IR
publish.py       the record
check_size.py    the required size
require.py       the required speed, throughput and memory
run.py           the function of each kind
files.py         the JSON files that a job reads and writes
"""
