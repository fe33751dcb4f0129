"""Check the digests, names, paths and numbers of a lock. It comes with a clone, so it is not trusted. Pure.

    wrong_target(name) -> str               why a name cannot be a target's, "" if it can
    wrong_digest(text), wrong_sha256(text), wrong_output(path, target), wrong_source(path), wrong_words(text)

Rule: An output is in its target's own folder, `<model>/<precision>/<file>`. No path of a lock can lead elsewhere.
"""

from __future__ import annotations

import math
import re

# The names of models and variants in an Ovfile begin with a letter or digit.
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
_TARGET = re.compile(rf"{_NAME}(?:@{_NAME})?:[a-z0-9][a-z0-9-]{{0,39}}")
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,254}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_DIGEST = re.compile(r"[0-9a-f]{64}:(?:0|[1-9][0-9]{0,18})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
LONGEST = 4096


def wrong_target(name: str) -> str:
    """Return why a name cannot be that of a target."""
    return "" if _TARGET.fullmatch(name) else "is not the name of a target, such as `digits:int8`"


def wrong_sha256(text: str) -> str:
    """Return why a text is no sha-256."""
    return "" if _SHA256.fullmatch(text) else "is not 64 hexadecimal digits"


def wrong_digest(text: str) -> str:
    """Return why a text is no digest with a size, as `Digest.encoded` writes it."""
    return "" if _DIGEST.fullmatch(text) else "is not a digest: 64 hexadecimal digits, `:`, and a size in bytes"


def wrong_output(path: str, target: str) -> str:
    """Return why a path cannot be that of a target's output, relative to the build folder."""
    family, _, precision = target.partition(":")
    folder, _, file = path.rpartition("/")
    inside = folder == f"{family}/{precision}" and _FILE.fullmatch(file)
    return "" if inside else f"is not a file in `{family}/{precision}/`"


def wrong_words(text: str) -> str:
    """Return why a text cannot be a source's path, a version or the name of a layer. The Ovfile says which path."""
    if not text or len(text) > LONGEST:
        return f"is not a text of 1 to {LONGEST} characters"
    return "has control characters" if _CONTROL.search(text) else ""


def wrong_number(value: float) -> str:
    """Return why a number cannot be a figure."""
    return "" if math.isfinite(value) else "is not a finite number"
