"""Promises as an Ovfile names them, for tests of what comes of them.

promise({"accuracy.max-drop": "1%", "accuracy.promised": True}) -> PromiseParams
decide(evaluation, {"accuracy.agreement.cosine": 0.99}) -> Verdict; default_verdict alike
"""

from __future__ import annotations

from collections.abc import Mapping

from ovmake.contracts.codec import decode, encode
from ovmake.contracts.params.promise import MaxDrop, PromiseParams
from ovmake.verdicts import by_default, verdict
from ovmake.verdicts.by_default import Default
from ovmake.verdicts.verdict import Verdict


def promise(asked: Mapping[str, object]) -> PromiseParams:
    """Return the promise of these settings, by their dotted names."""
    nested: dict[str, dict[str, object]] = {}
    plain: dict[str, object] = {}
    for name, value in asked.items():
        key, _, inner = name.removeprefix("accuracy.").partition(".")
        if inner:
            nested.setdefault(key, {})[inner] = value
        elif key == "max-drop" and isinstance(value, int | float | str):
            plain[key] = encode(MaxDrop.read(value))
        else:
            plain[key] = value
    return decode(PromiseParams, {**plain, **nested}, "promise")


def decide(evaluation: Mapping[str, object], asked: Mapping[str, object]) -> Verdict:
    """Return the verdict over an evaluation under the promise of these settings."""
    return verdict.decide(evaluation, promise(asked))


def default_verdict(evaluation: Mapping[str, object], asked: Mapping[str, object]) -> Default | None:
    """Return the verdict over an IR compiled without properties under the promise of these settings."""
    return by_default.default_verdict(evaluation, promise(asked))
