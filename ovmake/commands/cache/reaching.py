"""Open the remote of a repo for one command.

with reaching(settings_for(session, environment)) as line: line.read(...)
each(work, items)       results, several at once, in the order of the items
all_in(line, "ac")      the objects of a folder
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from ovmake.diagnostics import Diagnostic, OvmakeError, harmless
from ovmake.engine.remote import Traffic
from ovmake.project.session import Session
from ovmake.remote.acceptance import Unaccepted, accepted_settings, as_error, remote_of
from ovmake.remote.layout import is_sha256
from ovmake.remote.line import Line
from ovmake.remote.objects import Listed, RemoteError, Trouble, open_objects
from ovmake.remote.settings import RemoteSettings
from ovmake.remote.transport.failures import MissingError

AT_ONCE = 8
# A server may list endlessly. This many objects take about 500 MB of memory.
MOST_OBJECTS = 2_000_000
PACKAGES = {"obstore", "cryptography"}
T = TypeVar("T")
R = TypeVar("R")

_HELP: dict[Trouble, str] = {
    "timeout": "check the network, or give it more time: OVMAKE_CACHE_TIMEOUT=60",
    "connection": "check the network, and the remote and endpoint in the Ovfile",
    "denied": "check the credentials in the environment: `ovmake help sharing` lists them",
    "settings": "check the remote, endpoint and region in the Ovfile, and the credentials in the environment",
    "full": "`ovmake cache gc --max-size SIZE` makes room",
}


def settings_for(session: Session, environment: Mapping[str, str], *, push: bool = False) -> RemoteSettings:
    """Return the settings of the repo's remote.

    Raises:
        OvmakeError: no remote is named, it is not accepted, or a variable of the environment is wrong.
    """
    cache = session.ovfile.cache
    if not remote_of(cache, environment):
        message = "no remote cache is configured"
        hint = "set `remote` in [cache] of the Ovfile: `ovmake help sharing`"
        raise OvmakeError(Diagnostic(code="no-remote", message=message, help=hint), exit_status=1)
    found = accepted_settings(cache, session.where.root, environment, push)
    if isinstance(found, Unaccepted):
        raise as_error(found)
    return found


@contextlib.contextmanager
def reaching(settings: RemoteSettings) -> Iterator[Line]:
    """Yield a line to the remote. Its failures become errors.

    Raises:
        OvmakeError: the remote failed, or a package is not installed.
    """
    line = Line(settings, open_objects)
    try:
        yield line
    except RemoteError as error:
        raise failed(settings, error) from None
    except ModuleNotFoundError as error:
        if error.name not in PACKAGES:
            raise
        raise not_installed(error.name or "") from None
    finally:
        line.close()


def failed(settings: RemoteSettings, error: RemoteError) -> OvmakeError:
    """Return the error of a command whose remote failed."""
    message = f"the remote cache {harmless(settings.url)} cannot be used: {error.message}"
    is_folder = error.trouble == "settings" and settings.url.startswith("file:")
    hint = "make the folder, or correct the remote" if is_folder else _HELP.get(error.trouble, "")
    return OvmakeError(Diagnostic(code="remote-failed", message=message, help=hint), exit_status=1)


def not_installed(package: str) -> OvmakeError:
    """Return the error of a command that lacks a package."""
    message = f"a remote cache needs the package `{package}`, which is not installed"
    diagnostic = Diagnostic(code="sharing-not-installed", message=message, help=f"run `pip install {package}`")
    return OvmakeError(diagnostic, exit_status=1)


def not_uploaded(traffic: Traffic) -> OvmakeError:
    """Return the error of uploads that failed."""
    notes = [f"{why} ({number} times)" if number > 1 else why for why, number in sorted(traffic.errors.items())]
    message = "not everything was uploaded" + (f": {harmless(traffic.off)}" if traffic.off else "")
    hint = "run it again: it sends only what is missing"
    diagnostic = Diagnostic(code="remote-failed", message=message, notes=tuple(map(harmless, notes)), help=hint)
    return OvmakeError(diagnostic, exit_status=1)


def each(work: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """Yield what `work` returns for each item, in order. The first failure ends the rest."""
    pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="ovmake-cache")
    try:
        yield from pool.map(work, items)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def all_in(line: Line, folder: str) -> list[Listed]:
    """Return the objects in a folder of the remote that have ovmake's names; others are ignored.

    Raises:
        RemoteError: the remote failed.
        OvmakeError: it cannot list, or lists endlessly.
    """
    try:
        found = line.read(lambda objects: list(islice(objects.list(folder), MOST_OBJECTS + 1)))
    except MissingError:  # a folder on disk before the first push
        return []
    except RemoteError as error:
        # Web servers that cannot list answer 405, 501 or other statuses.
        if error.trouble != "refused" and not (error.trouble == "server" and line.settings.url.startswith("http")):
            raise
        raise _cannot_list(line, error.message) from None
    if len(found) > MOST_OBJECTS:
        raise _cannot_list(line, f"it lists more than {MOST_OBJECTS:,} objects")
    return [one for one in found if one.path == f"{folder}/{(name := one.path[len(folder) + 1 :])}" and is_sha256(name)]


def _cannot_list(line: Line, why: str) -> OvmakeError:
    message = f"the remote cache {harmless(line.settings.url)} cannot be listed: {why}"
    hint = "plain web servers cannot list; use their own clean-up, or the URL of the store behind them"
    return OvmakeError(Diagnostic(code="remote-cannot-list", message=message, help=hint), exit_status=1)
