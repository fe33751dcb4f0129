"""The process that fingerprints sources while OpenVINO converts them. Standard library only."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from ovmake.workers.fingerprint import fingerprint
from ovmake.workers.protocol import Request, serve


def _fingerprint(request: Request) -> dict[str, object]:
    return asdict(fingerprint(Path(request.inputs["source"])))


if __name__ == "__main__":
    serve({"fingerprint": _fingerprint})
