"""What is kept in `.ovmake/` between runs, and the disk it is kept on.

All effects on files are in here or in workers. The modules:

    disk.py       the Disk protocol and the real one: stat, digest, atomic writes, publishing a folder whole
    cas.py        content-addressable store: digest -> bytes
    database.py   SQLite: traces, action cache, failures, stat cache
    sources.py    digests of sources through the stat cache
    toolchain.py  versions of tools and facts of the machine, without importing any tool
    lock.py       one ovmake at a time in a repo
"""
