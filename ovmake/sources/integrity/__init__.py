"""Check that a source is complete: no file is missing or damaged, and the model keeps no state of its own.

damaged.py   Explain a framework's failure by the damaged or missing file of the source's checkpoint, where
             there is one
fetched.py   Check that every file of a source is present: a checkout or a copy may leave some behind
stateful.py  Find stateful models: the variables that a graph assigns when it runs and that its outputs depend
             on
unfrozen.py  Detect graphs that were never frozen: a .pb whose variables have their values in another file
"""
