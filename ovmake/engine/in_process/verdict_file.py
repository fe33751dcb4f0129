"""The content of a verdict's file, the same for *gate* and *judge*."""

from __future__ import annotations

from ovmake.verdicts.by_default import Default
from ovmake.verdicts.verdict import Verdict


def content_of(verdict: Verdict, default: Default | None) -> dict[str, object]:
    """Return the content of the verdict's file."""
    return verdict.to_json() | ({"default": default.to_json()} if default else {})
