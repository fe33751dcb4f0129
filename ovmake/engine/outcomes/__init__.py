"""What came of a build: of a target, in figures, and what is told of a failure.

target_outcome.py  the outcome of a target, from those of its actions. Pure
scores.py          the two scores of a gate's metric: from facts, and in words. Pure
status.py          one line per target, from a dry run
telling.py         failures of actions as diagnostics
"""
