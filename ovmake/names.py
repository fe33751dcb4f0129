"""The names by which a user may call a target. The stamp uses them too, so this imports nothing."""

from __future__ import annotations


def words_for(target: str) -> tuple[str, str, str]:
    """Return what a user may call a target: itself, its variant, its model: `m@thumb:fp32`, `m@thumb`, `m`."""
    family = target.partition(":")[0]
    return target, family, family.partition("@")[0]
