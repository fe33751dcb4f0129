"""A remote cache in memory, for tests of the engine: `engine.remote.RemoteCache`.

remote = FakeRemote()
remote.at(repo)                      the repo that asks it next
remote.answers = lambda wanted, found: ...     what it says in place of the truth
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ovmake.engine.job import Progress, ignore_progress
from ovmake.engine.remote import Fetched, Made, Missed, Traffic, Wanted
from ovmake.graph.digest import Digest
from tests.fakes import FakeRepo

Lie = Callable[[Wanted, Fetched | Missed], Fetched | Missed]


def honest(_: Wanted, found: Fetched | Missed) -> Fetched | Missed:
    """Return what it found."""
    return found


@dataclass(slots=True, kw_only=True)
class FakeRemote:
    """Answers at once. `asked` are names of actions in order, `pushed` those of results that it got."""

    answers: Lie = honest
    off: bool = False
    asked: list[str] = field(default_factory=list)
    pushed: list[str] = field(default_factory=list)
    settled: int = 0
    results: dict[str, Made] = field(default_factory=dict)
    blobs: dict[Digest, bytes] = field(default_factory=dict)
    _repo: FakeRepo | None = None

    def at(self, repo: FakeRepo) -> FakeRemote:
        """The repo that asks next."""
        self._repo = repo
        return self

    @property
    def _asking(self) -> FakeRepo:
        assert self._repo is not None
        return self._repo

    def fetch(self, wanted: Wanted, done: Callable[[Fetched | Missed], None]) -> None:
        """See `RemoteCache`."""
        self.asked.append(wanted.action)
        done(self.answers(wanted, self._found(wanted)))

    def _found(self, wanted: Wanted) -> Fetched | Missed:
        made = self.results.get(wanted.key)
        if made is None or self.off:
            return Missed(key=wanted.key, why="it is off" if self.off else "")
        repo, files = self._asking, {}
        for role, path in wanted.roles.items():
            digest = made.outputs[role]
            if not wanted.holds(digest):
                if digest not in self.blobs:
                    return Missed(key=wanted.key, why="a blob is gone")
                repo.disk.put(repo.relative(path), self.blobs[digest])
                files[role] = path
        return Fetched(
            key=wanted.key,
            outputs=made.outputs,
            files=files,
            facts=made.facts,
            seconds=made.seconds,
            peak_bytes=made.peak_bytes,
        )

    def push(self, made: Made) -> None:
        """See `RemoteCache`."""
        repo = self._asking
        self.pushed.append(made.action)
        for role, path in made.files.items():
            self.blobs[made.outputs[role]] = repo.disk.files[repo.relative(path)].data
        self.results[made.seen.digest] = made

    def blob(self, digest: Digest, path: str) -> str:
        """See `RemoteCache`."""
        if digest not in self.blobs:
            return "it has none"
        self._asking.disk.put(self._asking.relative(path), self.blobs[digest])
        return ""

    def settle(self, tell: Callable[[Progress], None] = ignore_progress) -> Traffic:
        """See `RemoteCache`."""
        self.settled += 1
        tell(Progress(done=1, of=1, unit="MB"))
        return Traffic(uploaded=len(self.pushed), off="it is off" if self.off else "")

    def close(self) -> None:
        """See `RemoteCache`."""
