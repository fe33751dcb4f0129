"""The helper workers that a worker keeps for its forks: OpenVINO's worker sometimes needs TensorFlow's.

    helpers = Helpers(); helpers.serve(request); helpers.answer(line); helpers.end()

A fork ends with its action, and TensorFlow takes seconds to import, so the worker itself keeps the helper. A fork may
request only the kinds below. The request runs in the cage of the fork's own action and writes to its log, so a
malicious fork gains nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from ovmake.workers.ipc.helper_worker import HelperWorker
from ovmake.workers.ipc.protocol import Request

# Kind of request -> the worker that does it.
KINDS = {"freeze": "tensorflow", "layers": "tensorflow", "sever": "tensorflow"}
NOTHING = b"\n"


class Helpers:
    """See `forking.Help`."""

    def __init__(self) -> None:
        self._request: Request | None = None
        self._siblings: dict[str, HelperWorker] = {}

    def serve(self, request: Request) -> None:
        """Help the fork of this request from now on."""
        self._request = request

    @property
    def pids(self) -> Collection[int]:
        """The ids of the helpers' processes."""
        return [pid for sibling in self._siblings.values() if (pid := sibling.pid) is not None]

    def answer(self, line: bytes) -> bytes:
        """Do a fork's request."""
        try:
            asked = Request.from_line(line)
            name = KINDS[asked.kind]
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return NOTHING
        if self._request is None:
            return NOTHING
        inside = replace(asked, log=self._request.log, scratch=self._request.scratch, cage=self._request.cage)
        sibling = self._siblings.setdefault(name, HelperWorker(name))
        response = sibling.ask(inside)
        return NOTHING if response is None else response.to_line()

    def end(self) -> None:
        """End all helpers."""
        for sibling in self._siblings.values():
            sibling.end()
