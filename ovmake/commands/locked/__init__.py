"""Builds that a lock decides: `ovmake build --locked`, `--frozen` and `--upgrade-check`.

promise.py  what the lock promises: present inputs are its inputs, and the IRs that may be published
absent.py   what a frozen build makes of sources that are not there
frozen.py   publish what the lock names, from the caches; run nothing
upgrade.py  what today's tools make of the locked inputs, compared with the lock
"""
