"""Ask the remote cache for the result of each stale action, once, before it runs.

fetching.ask(action, seen) -> bool     True: the cache was asked; `Runner.wait` returns the answer
fetching.take(action, found)           record the result, which is stored and published; None after a miss
fetching.why(action) -> str            why the result was not usable, "" if the cache does not have it
fetching.offer(action, trace)          upload a result
fetching.quiet()                       wait for uploads, before a measurement
fetching.traffic() -> Traffic | None   wait for uploads, at the end of the build
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from ovmake.engine.events import Uploading
from ovmake.engine.job import Progress
from ovmake.engine.remote import Answer, Fetched, Missed, Traffic
from ovmake.engine.results import ResultStore, variants
from ovmake.engine.world import World
from ovmake.graph.action import Action
from ovmake.graph.trace import Seen, Trace

UNFIT = "its outputs are not those of the action"


class Fetching:
    """Knows which actions the cache was asked for. Without a remote cache it does nothing."""

    def __init__(self, world: World, results: ResultStore) -> None:
        self._world = world
        self._results = results
        self._asked: dict[str, list[str]] = {}  # name of an action -> action digests
        self._asking: dict[str, Seen] = {}  # name of an action -> the work whose result may come
        self._why: dict[str, str] = {}
        self._raised: dict[str, Exception] = {}  # name of an action -> what storing its result raised
        self._unfit: list[str] = []  # results that came whole and were not used: why

    def ask(self, action: Action, seen: Seen) -> bool:
        """Ask for the result of an action, once; returns whether an answer will come.

        Raises:
            OSError: the folder for the download cannot be made.
        """
        remote, name = self._world.remote, action.name
        asked = self._asked.setdefault(name, [])
        work = next((one for one in variants(action, seen) if one.digest not in asked), None)
        if remote is None or work is None:
            return False
        asked.append(work.digest)
        self._asking[name] = work

        def answer(found: Fetched | Missed | Progress) -> None:
            if isinstance(found, Fetched):
                found = self._placed(action, work, found)
            self._world.runner.post(Answer(action=name, found=found))

        remote.fetch(replace(self._results.wanted(action, work), tell=answer), answer)
        return True

    def take(self, action: Action, found: Fetched | Missed) -> Trace | None:
        """Record the result, which is already stored and published; None after a miss.

        Raises whatever storing it raised in its thread: a link in our own folders, say.
        """
        self._results.let_go(action)
        if (raised := self._raised.pop(action.name, None)) is not None:
            raise raised
        if isinstance(found, Missed):
            self._why[action.name] = found.why
            return None
        try:
            return self._results.note(action, self._asking[action.name], found)
        except OSError as error:  # running the action reports it
            self._why[action.name] = _not_written(error)
            return None

    def _placed(self, action: Action, work: Seen, found: Fetched) -> Fetched | Missed:
        """Store and publish a result, in the thread that downloaded it. It always returns: the build waits for it."""
        try:
            placed = self._results.place(action, work, found)
            self._results.let_go(action)  # here, beside other downloads
        except OSError as error:
            self._unfit.append(why := _not_written(error))
            return Missed(key=found.key, why=why)
        except Exception as error:  # noqa: BLE001 - `take` raises it
            self._raised[action.name] = error
            return Missed(key=found.key)
        if placed:
            return found
        self._unfit.append(UNFIT)
        return Missed(key=found.key, why=UNFIT)

    def why(self, action: Action) -> str:
        """Return why the result of an action was not usable, "" if the cache does not have it."""
        return self._why.get(action.name, "")

    def offer(self, action: Action, trace: Trace) -> None:
        """Upload a result that was made here."""
        if self._world.remote is not None:
            self._world.remote.push(self._results.made(action, trace))

    def quiet(self) -> None:
        """Wait for uploads: they would disturb a measurement."""
        if self._world.remote is not None:
            self._world.remote.settle()

    def traffic(self) -> Traffic | None:
        """Wait for uploads, and return the counts; None without a remote cache."""
        if self._world.remote is None:
            return None
        told = self._world.remote.settle(self._tell)
        # The cache counts what it sent. What could not be used here was not restored.
        refused = Counter(told.refused) + Counter(self._unfit)
        return replace(told, restored=max(0, told.restored - len(self._unfit)), refused=dict(refused))

    def _tell(self, progress: Progress) -> None:
        self._world.emit(Uploading(progress=progress))


def _not_written(error: OSError) -> str:
    return f"not written here: {error.strerror or error}"
