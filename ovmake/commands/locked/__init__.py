"""Builds that a lock decides: `ovmake build --locked` and `--frozen`.

promise.py  what the lock promises: present inputs are its inputs, and the IRs that may be published
frozen.py   publish what the lock names, from the caches; run nothing
"""
