"""A repo and its Ovfile, opened for one command; and the stamp, a quick check before any of that.

repo.py      the repo: the path of the Ovfile, its content, and the paths that it may name. No state is read
session.py   a repo with its Ovfile and state, opened for one command
stamp.py     the stamp of the last clean build: per model, the files it checked. Read before other modules load
stamping.py  write the stamp of a build
"""
