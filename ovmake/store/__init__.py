"""What is kept in `.ovmake/` between runs, and the disk it is kept on.

All effects on files are in here or in workers. The modules:

    files/         files and folders: the Disk protocol, digests of sources, publishing a folder whole
    cas.py         content-addressable store: digest -> bytes
    database.py    SQLite: traces, action cache, failures, stat cache
    formats.py     the database's file: its format, its owner, and what becomes of one that cannot be used
    sealing.py     which rows this user's ovmake wrote
    trusting.py    taking over a state that another user's ovmake wrote
    observing.py   what earlier runs found out, without a lock and without a write
    lock.py        one ovmake at a time in a repo
    processes.py   memory of the machine and of processes
    toolchain.py   versions of tools and facts of the machine, without importing any tool
"""
