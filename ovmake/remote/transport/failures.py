"""Failures of a remote: RemoteError, and how an error of obstore becomes one.

obstore has few types of errors. Their texts contain the rest: an HTTP status, a code of S3, an errno. The messages here
quote nothing from the server: its text is long and not trusted.
"""

from __future__ import annotations

import errno
import os
import re
from typing import Literal

# timeout, connection, server (5xx), denied (401, 403): the remote has a problem. full (507, a quota): it has no space.
# large: an object exceeds the limit. refused: another answer. closed: `close` was called. settings: the
# remote cannot be used as it is configured.
Trouble = Literal["timeout", "connection", "server", "denied", "full", "large", "refused", "closed", "settings"]

TOO_SLOW = "the server is too slow"

_STATUS = re.compile(r"non-2xx status code: (\d{3})")
_SYSTEM = re.compile(r"\(os error (\d+)\)")
_BUCKET = re.compile(r"NoSuchBucket|ContainerNotFound|The specified bucket does not exist")
_FULL = re.compile(r"QuotaExceeded|InsufficientStorage|StorageFull|EntityTooLarge|XMinioStorageFull|AccountIsFull")
_FULL_STATUS = 507
_SERVER_STATUS = 500
_BUSY_STATUS = 429
_DENIED = {401, 403}


class RemoteError(Exception):
    """A request failed. The message is a phrase without credentials: "the server answers 503"."""

    def __init__(self, trouble: Trouble, message: str) -> None:
        super().__init__(message)
        self.trouble = trouble
        self.message = message


class MissingError(RemoteError):
    """A path has no object."""

    def __init__(self) -> None:
        super().__init__("refused", "there is no such object")


def of_status(status: int) -> RemoteError:
    """Return the failure that an HTTP status means."""
    if status in _DENIED:
        return RemoteError("denied", f"access is denied ({status})")
    if status == _FULL_STATUS:
        return RemoteError("full", "the remote is full (507)")
    if status >= _SERVER_STATUS or status == _BUSY_STATUS:
        return RemoteError("server", f"the server answers {status}")
    return RemoteError("refused", f"the server answers {status}")


def of_system(number: int) -> RemoteError:
    """Return the failure that a system error means; `number` is an errno."""
    words = os.strerror(number)
    if number in {errno.ENOSPC, errno.EDQUOT}:
        return RemoteError("full", f"the remote is full ({words})")
    if number in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return RemoteError("denied", f"access is denied ({words})")
    return RemoteError("connection", words)


# In a text of obstore's, in this order.
_WORDS: tuple[tuple[re.Pattern[str], Trouble, str], ...] = (
    (re.compile("TimedOut|timed out"), "timeout", TOO_SLOW),
    (re.compile("lacked .*(privileges|credentials)"), "denied", "access is denied"),
    (re.compile("HTTP error|HttpError|reqwest"), "connection", "the connection failed"),
)


def of_obstore(error: Exception) -> RemoteError:
    """Return the failure that an exception of obstore means."""
    text = str(error)
    if _BUCKET.search(text):
        return RemoteError("settings", "there is no such bucket")
    if isinstance(error, FileNotFoundError):
        return MissingError()
    if _FULL.search(text):
        return RemoteError("full", "the remote is full")
    return _of_number(text) or _of_words(text, type(error).__name__)


def _of_number(text: str) -> RemoteError | None:
    if found := _STATUS.search(text):
        return of_status(int(found[1]))
    found = _SYSTEM.search(text)
    return of_system(int(found[1])) if found else None


def _of_words(text: str, kind: str) -> RemoteError:
    for pattern, trouble, words in _WORDS:
        if pattern.search(text):
            return RemoteError(trouble, words)
    return RemoteError("refused", f"the answer cannot be used ({kind})")
