"""Promises as an Ovfile names them, for tests of what comes of them.

promise({"accuracy.max-drop": "1%", "accuracy.promised": True}) -> PromiseParams
decide(evaluation, {"accuracy.agreement.cosine": 0.99}) -> Verdict
"""

from __future__ import annotations

from collections.abc import Mapping

from ovmake.contracts.codec import decode, encode
from ovmake.contracts.files.evaluation import Evaluation
from ovmake.contracts.files.verdict import Verdict
from ovmake.contracts.params.promise import MaxDrop, PromiseParams
from ovmake.verdicts import verdict


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


def decide(evaluation: Evaluation, asked: Mapping[str, object]) -> Verdict:
    """Return the verdict over an evaluation under the promise of these settings."""
    return verdict.decide(evaluation, promise(asked))
