"""A process that pushes results, or fetches one: `python -m tests.remote.pusher WHAT SETTINGS`, to be killed or not.

SETTINGS is JSON: url, endpoint, folder, texts (of results), size_bytes (of each blob).
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

from ovmake.remote.cache import SharedCache
from tests.remote.results import PUBLIC, Team, made, wanted


def blobs(text: str, size_bytes: int) -> dict[str, bytes]:
    """Return the outputs of a result: one of its own, and one that all results have."""
    return {"own": (text * size_bytes).encode()[:size_bytes], "shared": b"s" * 100_000}


def push(given: dict[str, object], cache: SharedCache) -> int:
    """Push all results; return how many arrived."""
    folder, size_bytes = Path(str(given["folder"])), int(str(given["size_bytes"]))
    texts = given["texts"]
    assert isinstance(texts, list)
    for text in texts:
        cache.push(made(folder / text, text, blobs(text, size_bytes), action=f"convert {text}"))
        if text == texts[0]:
            print("begun", flush=True)
    traffic = cache.settle()
    print(json.dumps([traffic.uploaded, dict(traffic.errors), traffic.off]), flush=True)
    return 0


def fetch(given: dict[str, object], cache: SharedCache) -> int:
    """Begin a fetch and a push, and end without waiting or closing."""
    texts = given["texts"]
    assert isinstance(texts, list)
    folder = Path(str(given["folder"]))
    for text in texts:
        cache.fetch(wanted(folder / text, text, "own"), lambda _: None)
        cache.push(made(folder / f"made{text}", f"new{text}", {"own": text.encode()}))
    print("begun", flush=True)
    threading.Event().wait(float(str(given["wait_s"])))
    if given["close"]:
        cache.close()
    return 0


def main() -> int:
    """Do what the command line says."""
    given = json.loads(sys.argv[2])
    team = Team(given["url"], endpoint=given["endpoint"], trusted=(PUBLIC,), timeout_s=10.0)
    return {"push": push, "fetch": fetch}[sys.argv[1]](given, SharedCache(team.pusher()))


if __name__ == "__main__":
    sys.exit(main())
