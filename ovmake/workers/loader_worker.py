"""The process that runs a user's loader: `python -m ovmake.workers.loader_worker`."""

from __future__ import annotations

from ovmake.workers.protocol import Request, serve


def _spool(request: Request) -> dict[str, object]:
    from ovmake.workers.datasets.spooling import spool

    return spool(request)


if __name__ == "__main__":
    serve({"spool": _spool})
