"""A module that is imported when a test first uses it: each process of a run collects all tests, and runs some.

sk = Lazy("sklearn.metrics")
sk.f1_score(...)
"""

from __future__ import annotations

import importlib
from typing import Any


class Lazy:
    """Stands for a module."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self._name), name)
