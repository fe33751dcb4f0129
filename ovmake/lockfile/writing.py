"""The text of a block, and its digest. Pure.

block_text(name, target) -> str      without the blank line before it
block_digest(name, target) -> str    covers all lines above it
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping

from ovmake.contracts.sharing.lock import LockedTarget


def block_text(name: str, target: LockedTarget) -> str:
    """Return the text of a block."""
    facts = _facts(name, target)
    return f'{facts}digest = "{_sha256(facts)}"\nend = {_quoted(name)}\n'


def block_digest(name: str, target: LockedTarget) -> str:
    """Return the digest in the text of a block."""
    return _sha256(_facts(name, target))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _facts(name: str, target: LockedTarget) -> str:
    return "".join(f"{line}\n" for line in _lines(name, target))


def _lines(name: str, target: LockedTarget) -> Iterator[str]:
    yield f"[{_quoted(name)}]"
    yield f"inputs = {_quoted(target.inputs)}"
    yield f"settings = {_quoted(target.settings)}"
    yield from _table("sources", target.sources)
    yield from _table("outputs", target.outputs)
    yield from _table("versions", target.versions)
    for key, text in (("isa", target.isa), ("metric", target.metric)):
        if text:
            yield f"{key} = {_quoted(text)}"
    figures = {
        "tensorflow": target.tensorflow,
        "openvino": target.openvino,
        "drop": target.drop,
        "drop-low": target.drop_low,
        "drop-high": target.drop_high,
    }
    for key, value in figures.items():
        if value is not None:
            yield f"{key} = {float(value)!r}"
    if target.reverted:
        yield "reverted = ["
        yield from (f"  {_quoted(layer)}," for layer in target.reverted)
        yield "]"


def _table(key: str, values: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(values):
        yield f"{key}.{_quoted(name)} = {_quoted(values[name])}"


def _quoted(text: str) -> str:
    # TOML wants U+007F escaped, JSON does not.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
