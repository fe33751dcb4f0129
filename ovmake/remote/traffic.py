"""Counters of a build's use of a remote. Several threads update them."""

from __future__ import annotations

import threading
from collections import Counter

from ovmake.engine.remote import Traffic


class Counts:
    """See `Traffic`. Each refused result and each failure is counted once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._figures: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._errors: Counter[str] = Counter()

    def restored(self, size_bytes: int) -> None:
        """Count a result that was restored; `size_bytes` were downloaded for it."""
        with self._lock:
            self._figures["restored"] += 1
            self._figures["restored_bytes"] += size_bytes

    def uploaded(self, size_bytes: int) -> None:
        """Count a result that was uploaded; `size_bytes` were sent for it."""
        with self._lock:
            self._figures["uploaded"] += 1
            self._figures["uploaded_bytes"] += size_bytes

    def missed(self) -> None:
        """Count a result that the remote does not have, or whose blobs are incomplete."""
        with self._lock:
            self._figures["misses"] += 1

    def refused(self, why: str) -> None:
        """Count a result that failed a check."""
        with self._lock:
            self._refused[why] += 1

    def failed(self, why: str) -> None:
        """Count a failure."""
        with self._lock:
            self._errors[why] += 1

    def so_far(self, off: str) -> Traffic:
        """Return the counts."""
        with self._lock:
            return Traffic(**self._figures, refused=dict(self._refused), errors=dict(self._errors), off=off)
