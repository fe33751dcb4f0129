"""Digests: sha-256 in lowercase hex, with the size in bytes.

    of_bytes(data), of_tree(files)     the digest of a file or a folder
    of_json(value)                     an action digest: sha-256 of canonical JSON

A tree's digest depends on relative paths and contents only, not on times, modes or the tree's own path.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Digest:
    """The identity of some bytes: files with the same digest count as equal."""

    sha256: str
    size_bytes: int

    def __str__(self) -> str:
        return self.sha256[:12]

    def encoded(self) -> str:
        """Return the digest as one word, for `decode`."""
        return f"{self.sha256}:{self.size_bytes}"

    @classmethod
    def decode(cls, text: str) -> Digest:
        """Parse the word from `encoded`."""
        sha256, _, size = text.partition(":")
        return cls(sha256, int(size))


def of_bytes(data: bytes) -> Digest:
    """Return the digest of bytes in memory."""
    return Digest(hashlib.sha256(data).hexdigest(), len(data))


def of_tree(files: Mapping[str, Digest]) -> Digest:
    """Return the digest of a folder; keys are relative paths with `/`, in any order."""
    # JSON escapes line breaks in names, and names that are not UTF-8.
    listing = "".join(f"{digest.encoded()} {json.dumps(path)}\n" for path, digest in sorted(files.items()))
    return Digest(hashlib.sha256(listing.encode()).hexdigest(), sum(digest.size_bytes for digest in files.values()))


def of_json(value: object) -> str:
    """Return the sha-256 of a JSON value; the order of keys does not matter."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
