"""`ovmake build --watch`: build, and build again after every change of a file that the build depends on.

    watch(where, targets, build, tell) -> never returns; Ctrl-C raises KeyboardInterrupt as usual

One round: find the paths to watch, start to watch them, build, wait for a change, wait until changes stop.

Rule 1: no change is missed. The build comes after the start of the watch. So the build sees all changes before that,
        and the watch all changes after it, also those during the build. Each round starts a new watch: a replaced
        folder or an edited Ovfile needs no special handling.
Rule 2: each build is an ordinary one. It takes the lock and releases it; between builds ovmake holds no lock.
Rule 3: a false change costs one build in which all targets are fresh. A missed change costs an outdated IR. So in
        doubt, assume a change.

Changes come from inotify (through watchfiles) where the system has it; else ovmake polls all files every second.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import NoReturn, Protocol

from watchfiles import _rust_notify as notify

from ovmake.commands.watch.watch_paths import State, WatchPaths, watch_paths_of
from ovmake.diagnostics import Diagnostic, OvmakeError
from ovmake.engine.events import Event, Watching
from ovmake.graph.query import closure, select
from ovmake.names import STATE
from ovmake.project.repo import Where, build_graph, read_ovfile, really_inside
from ovmake.store.own_code import OwnCode

# Seconds without a change before a build: an editor writes, syncs and renames; an export writes several files.
QUIET_S = 0.2
# The longest wait for that: a training may write a line every second.
LONGEST_S = 3.0
# Seconds between two polls.
POLL_S = 1.0
STEP_MS = 50

# A variable of watchfiles, for folders without notifications: network drives, some containers.
POLLING_WANTED = "WATCHFILES_FORCE_POLLING"

# Errors that end the command in the first round. In later rounds, after an edit, it waits for the next edit.
WRONG_FROM_THE_START = {"no-ovfile", "unknown-target"}


def watch(where: Where, targets: Sequence[str], build: Callable[[], None], emit: Callable[[Event], None]) -> NoReturn:
    """Call `build` now and after every change that affects `targets`; `emit` gets an event when the wait begins.

    Raises:
        OvmakeError: at the start, there is no Ovfile or no such target; or ovmake itself changed.
        KeyboardInterrupt: the user ended it.
    """
    code = OwnCode().whole()
    watcher = Watcher(where, targets)
    watcher.check()
    while True:
        watcher.begin()
        _check_same(code)
        build()
        emit(Watching(files=watcher.files, warning=watcher.warning))
        watcher.wait()


def _check_same(code: str) -> None:
    """Refuse to build if the installed ovmake changed: the old code would store results under the new version."""
    if OwnCode().whole() != code:
        message, hint = "ovmake itself changed while it was watching", "start ovmake again"
        raise OvmakeError(Diagnostic(code="ovmake-changed", message=message, help=hint), exit_status=1)


class Watcher:
    """The watch of one round: paths and method. `warning`: why it polls."""

    def __init__(self, where: Where, targets: Sequence[str]) -> None:
        self._where = where
        self._targets = targets
        self.warning: Diagnostic | None = None
        self._polls = bool(os.environ.get(POLLING_WANTED))
        self._eyes: WatchMethod = Polling(WatchPaths(names={}, stems={}, trees=frozenset(), ignored=frozenset()))

    @property
    def files(self) -> int:
        """The number of watched files."""
        return sum(state is not None and len(state) > 1 for state in self._eyes.before.values())

    def check(self) -> None:
        """Raise errors that no change of a watched file can resolve."""
        try:
            _sources(self._where, self._targets)
        except OvmakeError as error:
            if error.diagnostics[0].code in WRONG_FROM_THE_START:
                raise

    def begin(self) -> None:
        """Start to watch all paths in their present state."""
        end = time.monotonic() + LONGEST_S
        while True:
            self._eyes.close()
            watched = find_watch_paths(self._where, self._targets)
            self._eyes = self._open(watched)
            # A folder that appears before the watch starts would not be watched inside, so the watch starts again. If
            # new folders appear all the time, the next one counts as a change.
            if find_watch_paths(self._where, self._targets) == watched or time.monotonic() > end:
                return

    def wait(self) -> None:
        """Wait for a change, and then until changes stop."""
        while not self._look(None):
            pass
        end = time.monotonic() + LONGEST_S
        quiet = time.monotonic() + QUIET_S
        while (left := min(quiet, end) - time.monotonic()) > 0:
            if self._look(left):
                quiet = time.monotonic() + QUIET_S
                if find_watch_paths(self._where, self._targets) != self._eyes.watched:
                    self.begin()  # a new folder, for example: changes inside it count too

    def _look(self, seconds: float | None) -> bool:
        try:
            return self._eyes.look(seconds)
        except notify.WatchfilesRustInternalError as error:
            # Seen with a name that is not UTF-8: from then on watchfiles only raises.
            self._poll(f"the system no longer reports changes: {error}", "")
            return True

    def _open(self, watched: WatchPaths) -> WatchMethod:
        if not self._polls:
            try:
                return Notifications(watched)
            except (OSError, notify.WatchfilesRustInternalError, UnicodeEncodeError) as error:
                if isinstance(error, FileNotFoundError):  # just removed; the second comparison shows that
                    return Polling(watched)
                self._poll(*_why(error, len(watched.folders())))
        return Polling(watched)

    def _poll(self, message: str, hint: str) -> None:
        """Poll from now on."""
        self._polls = True
        note = f"ovmake checks every file each {POLL_S:g} s instead"
        self.warning = Diagnostic(code="watch-limit", message=message, notes=(note,), help=hint, severity="warning")


def _why(error: Exception, folders: int) -> tuple[str, str]:
    """Return the message and the help of the warning."""
    raise_it = "raise the limit: `sudo sysctl fs.inotify.{}={}`; a file in /etc/sysctl.d makes it permanent"
    if "limit reached" in str(error):
        message = f"{folders} folders cannot be watched: this user's limit of inotify watches is reached"
        return message, raise_it.format("max_user_watches", 524288)
    if "os error 24" in str(error):
        message = "no file can be watched: this user's limit of inotify instances is reached"
        return message, raise_it.format("max_user_instances", 1024)
    return f"{folders} folders cannot be watched: {error}", ""


# what to watch


def find_watch_paths(where: Where, targets: Sequence[str]) -> WatchPaths:
    """Return the paths to watch: the Ovfile and, if it can be read, the sources of the targets."""
    try:
        build_dir, sources = _sources(where, targets)
    except (OvmakeError, OSError):
        build_dir, sources = "", ()  # the build reports the error
    inside = really_inside(where)
    outside = {path for path in sources if not inside(path)}
    ignored = [STATE, *([build_dir] if build_dir else [])]
    return watch_paths_of(str(where.root), [where.ovfile.name, *sources], ignored=ignored, shallow=outside)


def _sources(where: Where, targets: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Return the build folder, and the sources of the targets."""
    ovfile = read_ovfile(where).ovfile
    graph = build_graph(ovfile, where.root)
    actions = closure(graph, [graph.targets[name] for name in select(graph, targets)])
    return ovfile.build_dir, tuple(dict.fromkeys(path for action in actions for path in action.source_paths))


# notification and polling


class WatchMethod(Protocol):
    """A method of watching; it starts with its construction. `before` is the state of the paths at that time."""

    watched: WatchPaths
    before: dict[str, State]

    def look(self, seconds: float | None) -> bool:
        """Return whether a watched entry changed since the last call; wait up to so many seconds, None: no limit."""

    def close(self) -> None:
        """Stop watching."""


class Polling:
    """Polls: compares the states of all paths."""

    def __init__(self, watched: WatchPaths) -> None:
        self.watched = watched
        self.before = watched.state()

    def look(self, seconds: float | None) -> bool:
        """See `WatchMethod`."""
        time.sleep(POLL_S if seconds is None else min(seconds, POLL_S))
        was, self.before = self.before, self.watched.state()
        return self.before != was

    def close(self) -> None:
        """See `WatchMethod`."""


class Notifications:
    """Uses notifications of the system, and compares states if a notification may be lost.

    Two kinds can be lost: those that overflow the system's queue, and those that arrive between watchfiles' copy of its
    list and its clearing of it. In both cases the last notification received was a different one. So if all
    notifications are about entries that do not count, states are compared too.
    """

    def __init__(self, watched: WatchPaths) -> None:
        self.watched = watched
        # Not recursive: `folders()` contains subfolders. `ignore_permission_denied` would hide all errors, also the one
        # about too many watches.
        self._told = notify.RustNotify(watched.folders(), False, False, 300, False, False)
        self.before = watched.state()
        self._compared_s = time.monotonic()
        self._doubt = False

    def look(self, seconds: float | None) -> bool:
        """See `WatchMethod`. Without a limit it may also return False after a while, if notifications may be lost."""
        limit_s = POLL_S if seconds is None and self._doubt else seconds
        limit_ms = 0 if limit_s is None else max(1, int(limit_s * 1000))  # 0 is no limit
        # watchfiles groups changes for one step at most: only entries that count may delay the end of the wait.
        told = self._told.watch(STEP_MS, STEP_MS, limit_ms, None)
        if told == "signal":
            raise KeyboardInterrupt
        if not isinstance(told, str) and any(self.watched.counts(path) for _, path in told):
            return True
        self._doubt = self._doubt or told != "timeout"
        return self._doubt and time.monotonic() - self._compared_s >= POLL_S and self._differs()

    def _differs(self) -> bool:
        was, self.before = self.before, self.watched.state()
        self._compared_s = time.monotonic()
        self._doubt = False
        return self.before != was

    def close(self) -> None:
        """See `WatchMethod`."""
        self._told.close()
