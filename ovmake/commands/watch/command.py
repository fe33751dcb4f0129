"""Build, and build again on every change of what the build depends on: `ovmake build --watch`.

    watch(where, targets, build, tell) -> never returns; Ctrl-C is a KeyboardInterrupt as anywhere

A round: look up what to watch, begin to watch it, build, wait for a change, wait until it is quiet, and round again.

Rule 1: nothing is missed. What changed before the watch began is seen by the build, which looks after that; what
        changes from then on is seen by the watch, also while the build runs. So each round watches anew, and no round
        needs to know what a folder that was replaced, or an edited Ovfile, means for the watch of the one before.
Rule 2: each build is an ordinary one. It takes the lock and gives it back; between builds nothing is held.
Rule 3: a change too many costs a look that finds everything fresh. A change that is missed costs an IR that is not what
        its owner thinks. In doubt there was a change.

The system tells of changes (inotify, through watchfiles) where it can; else everything is looked at every second.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import NoReturn, Protocol

from watchfiles import _rust_notify as notify

from ovmake.commands.watch.watch_paths import State, WatchPaths, spots_of
from ovmake.contracts.places import STATE
from ovmake.diagnostics import Diagnostic, OvmakeError
from ovmake.engine.events import Event, Watching
from ovmake.graph.query import closure, select
from ovmake.project.repo import Where, build_graph, read_ovfile, really_inside
from ovmake.store.toolchain import Toolchain

# How long nothing must change before a build: an editor writes, syncs and renames; an export writes several files.
QUIET_S = 0.2
# How long to wait for that at most: a training that writes a line a second would otherwise never be quiet.
LONGEST_S = 3.0
# How often to look where nobody tells.
POLL_S = 1.0
STEP_MS = 50

# Known to users of watchfiles, and meant for folders of whose changes nobody is told: network drives, some containers.
POLLING_WANTED = "WATCHFILES_FORCE_POLLING"

# A command that names what there is not is wrong from the start. The same after an edit waits for the next one.
WRONG_FROM_THE_START = {"no-ovfile", "unknown-target"}


def watch(where: Where, targets: Sequence[str], build: Callable[[], None], emit: Callable[[Event], None]) -> NoReturn:
    """Call `build` now and after every change that concerns `targets`; `emit` hears when the wait begins.

    Raises:
        OvmakeError: there is no Ovfile or no such target to begin with; or ovmake itself was changed meanwhile.
        KeyboardInterrupt: it was asked to end.
    """
    version = Toolchain().version("ovmake")
    watcher = Watcher(where, targets)
    watcher.check()
    while True:
        watcher.begin()
        _check_same(version)
        build()
        emit(Watching(files=watcher.files, warning=watcher.warning))
        watcher.wait()


def _check_same(version: str) -> None:
    """Refuse to build with code that is not what is installed: its results would be kept under the new code's name."""
    if Toolchain().version("ovmake") != version:
        message, hint = "ovmake itself was changed while it was watching", "start it again"
        raise OvmakeError(Diagnostic(code="ovmake-changed", message=message, help=hint), exit_status=1)


class Watcher:
    """What is watched in this round, and by what means. `warning`: why not by the best."""

    def __init__(self, where: Where, targets: Sequence[str]) -> None:
        self._where = where
        self._targets = targets
        self.warning: Diagnostic | None = None
        self._polls = bool(os.environ.get(POLLING_WANTED))
        self._eyes: Eyes = Polling(WatchPaths(names={}, stems={}, trees=frozenset(), ignored=frozenset()))

    @property
    def files(self) -> int:
        """How many files are watched."""
        return sum(state is not None and len(state) > 1 for state in self._eyes.before.values())

    def check(self) -> None:
        """Raise what makes no sense to wait for."""
        try:
            _sources(self._where, self._targets)
        except OvmakeError as error:
            if error.diagnostics[0].code in WRONG_FROM_THE_START:
                raise

    def begin(self) -> None:
        """Watch everything as it is now."""
        end = time.monotonic() + LONGEST_S
        while True:
            self._eyes.close()
            spots = find_spots(self._where, self._targets)
            self._eyes = self._open(spots)
            # A folder that appeared before it was watched is one whose inside nobody watches. Where folders never cease
            # to appear, the next one is a change.
            if find_spots(self._where, self._targets) == spots or time.monotonic() > end:
                return

    def wait(self) -> None:
        """Return after a change, once nothing has changed for a while."""
        while not self._look(None):
            pass
        end = time.monotonic() + LONGEST_S
        quiet = time.monotonic() + QUIET_S
        while (left := min(quiet, end) - time.monotonic()) > 0:
            if self._look(left):
                quiet = time.monotonic() + QUIET_S
                if find_spots(self._where, self._targets) != self._eyes.spots:
                    self.begin()  # say a new folder: what is being written in it is not quiet either

    def _look(self, seconds: float | None) -> bool:
        try:
            return self._eyes.look(seconds)
        except notify.WatchfilesRustInternalError as error:
            # Seen with a name that is no UTF-8: from then on it says nothing else.
            self._poll(f"changes can no longer be told: {error}", "")
            return True

    def _open(self, spots: WatchPaths) -> Eyes:
        if not self._polls:
            try:
                return Notified(spots)
            except (OSError, notify.WatchfilesRustInternalError, UnicodeEncodeError) as error:
                if isinstance(error, FileNotFoundError):  # it went away just now, which the second look shows
                    return Polling(spots)
                self._poll(*_why(error, len(spots.folders())))
        return Polling(spots)

    def _poll(self, message: str, hint: str) -> None:
        """Look every second from now on."""
        self._polls = True
        note = f"every file is looked at every {POLL_S:g} s instead"
        self.warning = Diagnostic(code="watch-limit", message=message, notes=(note,), help=hint, severity="warning")


def _why(error: Exception, folders: int) -> tuple[str, str]:
    """Return what is wrong, and what to do about it."""
    raise_it = "raise it: `sudo sysctl fs.inotify.{}={}`; in /etc/sysctl.d it stays so"
    if "limit reached" in str(error):
        message = f"{folders} folders cannot be watched: this user's limit of inotify watches is reached"
        return message, raise_it.format("max_user_watches", 524288)
    if "os error 24" in str(error):
        message = "nothing can be watched: this user's limit of inotify instances is reached"
        return message, raise_it.format("max_user_instances", 1024)
    return f"{folders} folders cannot be watched: {error}", ""


# what to watch


def find_spots(where: Where, targets: Sequence[str]) -> WatchPaths:
    """Return where to look: at the Ovfile, and if it says what the targets are built of, at that."""
    try:
        build_dir, sources = _sources(where, targets)
    except (OvmakeError, OSError):
        build_dir, sources = "", ()  # the build says what is wrong with it
    inside = really_inside(where)
    outside = {path for path in sources if not inside(path)}
    ignored = [STATE, *([build_dir] if build_dir else [])]
    return spots_of(str(where.root), [where.ovfile.name, *sources], ignored=ignored, shallow=outside)


def _sources(where: Where, targets: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Return the build folder, and the files and folders that the targets are built of."""
    ovfile = read_ovfile(where).ovfile
    graph = build_graph(ovfile, where.root)
    actions = closure(graph, [graph.targets[name] for name in select(graph, targets)])
    return ovfile.build_dir, tuple(dict.fromkeys(path for action in actions for path in action.source_paths))


# by what means


class Eyes(Protocol):
    """Watches spots from when it is made. `before` is their state then."""

    spots: WatchPaths
    before: dict[str, State]

    def look(self, seconds: float | None) -> bool:
        """Return whether something that counts changed since the last look, within so many seconds; None: no limit."""

    def close(self) -> None:
        """Watch no more."""


class Polling:
    """Compares states."""

    def __init__(self, spots: WatchPaths) -> None:
        self.spots = spots
        self.before = spots.state()

    def look(self, seconds: float | None) -> bool:
        """See `Eyes`."""
        time.sleep(POLL_S if seconds is None else min(seconds, POLL_S))
        was, self.before = self.before, self.spots.state()
        return self.before != was

    def close(self) -> None:
        """See `Eyes`."""


class Notified:
    """Is told by the system, and looks for itself where it may not have been told.

    Two things are not told: what did not fit in the system's queue, and what watchfiles drops, which empties its list a
    moment after it has copied it. After either, the last thing told was something else. So whenever only changes that
    do not count were told, states are compared too.
    """

    def __init__(self, spots: WatchPaths) -> None:
        self.spots = spots
        # Not recursive, for a folder's subfolders are spots of their own. With `ignore_permission_denied` it would hide
        # every error, also that there are too many watches.
        self._told = notify.RustNotify(spots.folders(), False, False, 300, False, False)
        self.before = spots.state()
        self._compared_s = time.monotonic()
        self._doubt = False

    def look(self, seconds: float | None) -> bool:
        """See `Eyes`. Without a limit, it returns also when there is nothing, after a while of doubt."""
        limit_s = POLL_S if seconds is None and self._doubt else seconds
        limit_ms = 0 if limit_s is None else max(1, int(limit_s * 1000))  # 0 is no limit
        # It may group news for a step, no longer: quiet is of what counts, whatever else is written beside it.
        told = self._told.watch(STEP_MS, STEP_MS, limit_ms, None)
        if told == "signal":
            raise KeyboardInterrupt
        if not isinstance(told, str) and any(self.spots.counts(path) for _, path in told):
            return True
        self._doubt = self._doubt or told != "timeout"
        return self._doubt and time.monotonic() - self._compared_s >= POLL_S and self._differs()

    def _differs(self) -> bool:
        was, self.before = self.before, self.spots.state()
        self._compared_s = time.monotonic()
        self._doubt = False
        return self.before != was

    def close(self) -> None:
        """See `Eyes`."""
        self._told.close()
