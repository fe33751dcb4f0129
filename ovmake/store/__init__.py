"""The state in `.ovmake/` that outlives a run, and the file system below it.

Only this package and the workers read or change files. The modules:

    cas.py        the content-addressable store: digest -> bytes
    database.py   SQLite: traces, action cache, failures, stat cache
    formats.py    the format and the owner of the database file, and migrations
    lock.py       the lock of a repo: one ovmake at a time
    observing.py  the database, opened read-only and without a lock
    processes.py  memory and parents of processes, from /proc and control groups
    sealing.py    a MAC on each row: which rows this user's ovmake wrote
    own_code.py   the code of ovmake that an action runs, as a digest for each room
    toolchain.py  versions of tools and facts of the machine, without importing any tool
    trusting.py   `ovmake cache trust`: import the state of a copied `.ovmake`
    files/        files and folders: the Disk protocol, our own folders, publishing, digests of sources
"""
