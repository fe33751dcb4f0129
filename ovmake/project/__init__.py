"""The repo and its Ovfile, opened for one command; and the quick look that can do without.

repo.py      The repo: which Ovfile, what it says, and what of the disk it may name. Nothing of
earlier runs is needed
session.py   A repo with its Ovfile, opened for one command
stamp.py     The stamp: what the last look saw of each model when nothing of it was stale.
Checked before anything else is loaded
stamping.py  Write the stamp of a build: which files its decisions rested on, model by model
"""
