"""Stream an object to a web server by PUT.

obstore's HTTP store takes a body as a whole only, so a model of 2 GB would take 2 GB of memory. Python's own client
streams it, and its time limit is one for each part that is sent.
"""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping

from ovmake.remote.transport.failures import TOO_SLOW, RemoteError, of_status


def put(
    url: str, chunks: Iterator[bytes], *, size_bytes: int, timeout_s: float, headers: Mapping[str, str] | None = None
) -> None:
    """Send chunks as the body of one request. If the iterator raises, so does this, and the request is cut.

    `timeout_s` is the longest time in which the server takes nothing or does not answer. The iterator must raise no
    OSError: it would look like a failure of the connection.

    Raises:
        RemoteError: the server does not take it.
    """
    said = {"Content-Length": str(size_bytes), "Content-Type": "application/octet-stream", **(headers or {})}
    request = urllib.request.Request(url, data=chunks, headers=said, method="PUT")  # noqa: S310 - http(s): settings
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:  # noqa: S310 - the same
            answer.read(1)
    except urllib.error.HTTPError as error:
        error.close()
        raise of_status(error.code) from None
    except (OSError, http.client.HTTPException) as error:  # a URLError is an OSError
        reason = getattr(error, "reason", error)
        if isinstance(reason, TimeoutError):
            raise RemoteError("timeout", TOO_SLOW) from None
        raise RemoteError("connection", "the connection failed") from None
