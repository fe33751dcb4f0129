"""Builds that keep to a lock: `ovmake build --locked`, `--frozen` and `--upgrade-check`.

promise.py  --locked: check the inputs, and allow only the lock's IRs
absent.py   --frozen without source models
frozen.py   --frozen: publish the lock's files from the caches; run nothing
upgrade.py  --upgrade-check: build the locked inputs with today's tools, and compare
"""
