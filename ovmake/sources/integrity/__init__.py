"""Whether a source is whole, and stands alone: nothing left behind, nothing damaged, no state of its own.

damaged.py   Where a framework fails on a source whose checkpoint is damaged or not whole, say
that first, with file and place
fetched.py   Whether all of a source is there: what a checkout or a copy may leave behind
stateful.py  Models that remember: which variables a graph assigns when it is run, and needs for
what it gives
unfrozen.py  Graphs that were never frozen: a .pb whose variables have their values elsewhere
"""
