"""The path of each object on a remote, relative to its URL.

    cas/<sha256>                                   a blob
    ac/<action digest>                             a signed result
    ac/<sha256 of "ovmake nearest " + action>      the latest result of an action of that name, for `explain`

Nothing else is there. bazel-remote, nginx with WebDAV, and the servers of ccache know these paths.
"""

from __future__ import annotations

import hashlib
import re

from ovmake.graph.digest import Digest

BLOBS = "cas"
RESULTS = "ac"
NEAREST = "ovmake nearest "

_SHA256 = re.compile(r"[0-9a-f]{64}")


def is_sha256(text: str) -> bool:
    """Whether a text is a sha-256 in the form of paths: 64 lowercase hex digits."""
    return _SHA256.fullmatch(text) is not None


def blob_path(digest: Digest) -> str:
    """Return the path of a blob."""
    return f"{BLOBS}/{digest.sha256}"


def result_path(key: str) -> str:
    """Return the path of a result; `key` is the action digest."""
    return f"{RESULTS}/{key}"


def nearest_path(action: str) -> str:
    """Return the path of the latest result of an action of this name."""
    return f"{RESULTS}/{hashlib.sha256((NEAREST + action).encode('utf-8', 'surrogateescape')).hexdigest()}"
