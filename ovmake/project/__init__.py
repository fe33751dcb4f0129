"""A repo and its Ovfile, opened for one command; and the stamp, a quick check before any of that.

repo.py          the repo: the path of the Ovfile, its content, and the paths that it may name. No state is read
opening.py       open a repo: for commands that write, for commands that only read, for `clean`
remote.py        the remote cache of a repo, opened when a build first needs it
session.py       a repo with its Ovfile and state while a command has it open
state_folder.py  the folder `.ovmake`: its lock, its `.gitignore`, and the refusal of one that git tracks
stamp.py         the stamp of the last clean build: per model, the files it checked. Read before other modules load
stamping.py      write the stamp of a build
"""
