"""Write the stamp of a build: the files that its decisions depended on, model by model.

    stamping = Stamping(session, graph, targets)    before the build: removes the old stamp
    stamping.finish(executor, outcome)              after it: stores which targets are fresh
    stamping.look_again()                           the same without a build

The build's ledger has the files of targets that it found fresh. Files that it made are looked at again, because they
could change within the same clock tick.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ovmake.engine.executor import Executor, Outcome
from ovmake.engine.world import Options
from ovmake.graph.action import Graph
from ovmake.graph.query import closure
from ovmake.ledger import Files, after_a_tick, is_racy, state_if_any
from ovmake.names import STAMP
from ovmake.project import stamp
from ovmake.store.cas import FOLDER

if TYPE_CHECKING:
    from ovmake.project.session import Session


class Stamping:
    """Records the files that a build looks at."""

    def __init__(self, session: Session, graph: Graph, targets: Sequence[str]) -> None:
        """Remove the stamp: until `finish`, no target is known to be fresh."""
        self._session = session
        self._root = str(session.where.root)
        self._graph = graph
        self._actions = {name: closure(graph, [graph.targets[name]]) for name in targets}
        session.disk.remove(STAMP)
        self._around = stamp.around()
        self._looked_ns = time.time_ns()

    def finish(self, executor: Executor, outcome: Outcome) -> None:
        """Store which targets are fresh now."""
        files = self._fresh(list(outcome.targets), executor, outcome)
        built = [name for name, status in outcome.targets.items() if status in {"built", "fresh"}]
        self._keep(files | self._look_again([name for name in built if name not in files]))

    def look_again(self) -> None:
        """Look at all targets in place of a build, whatever happened before."""
        self._keep(self._look_again(list(self._actions)))

    def _keep(self, files: dict[str, Files]) -> None:
        try:
            self._write(files)
        except OSError as error:  # an error while writing names no file
            raise OSError(error.errno, error.strerror, error.filename or f"{self._root}/{STAMP}") from error

    def _look_again(self, targets: Sequence[str]) -> dict[str, Files]:
        """Return the files that the fresh targets depend on."""
        if not targets:
            return {}
        self._looked_ns = after_a_tick()
        executor = self._session.executor(self._graph, Options(dry_run=True, keep_going=True), lambda _: None)
        outcome = executor.build(targets)
        return self._fresh(targets, executor, outcome)

    def _fresh(self, targets: Sequence[str], executor: Executor, outcome: Outcome) -> dict[str, Files]:
        """Return the files that targets without any work depend on."""
        # All actions must be fresh, because advisory ones that failed run again next time.
        fresh = [
            name for name in targets if all(outcome.actions[a.name].status == "fresh" for a in self._actions[name])
        ]
        files = {name: self._ledger(name, executor) for name in fresh}
        return {name: found for name, found in files.items() if not is_racy(found.values(), self._looked_ns)}

    def _ledger(self, target: str, executor: Executor) -> Files:
        """Return all files in the repo that the target depends on."""
        return {path: state for one in self._actions[target] for path, state in executor.looked_at(one).items()}

    def _write(self, files: Mapping[str, Files]) -> None:
        """Write the stamp: these targets if fresh, and the other models of the last stamp."""
        known = self._session.known
        before = {} if known is None else known.models()
        of_model: dict[str, list[str]] = {}
        for target in self._session.ovfile.targets:
            of_model.setdefault(target.model, []).append(target.name)
        models: dict[str, tuple[list[str], Files | None]] = {}
        for model in self._session.ovfile.models:
            if model not in of_model:
                models[model] = before[model]
                continue
            names = of_model[model]
            whole = all(name in files for name in names)
            models[model] = (names, {p: s for name in names for p, s in files[name].items()} if whole else None)
        shared = {} if known is None else known.shared()
        shared |= _take_shared(models)
        for files_of_one in (shared, *(files for _, files in models.values() if files is not None)):
            self._look_at_store(files_of_one)
        where = self._session.where
        data = stamp.encoded(
            key=where.key,
            secret=self._session.database.key,
            ovfile=(where.ovfile.name, self._session.ovfile_state, self._session.text, self._ovfile_seen_ns()),
            shared=shared,
            models=models,
            looked_ns=self._looked_ns,
            around=self._around,
        )
        if data is not None:
            self._session.disk.ours.replace(STAMP, data, durable=False)

    def _look_at_store(self, files: Files) -> None:
        """Update the states of the store's folders: this build has written to them since the look."""
        files |= {
            path: state_if_any(self._session.disk.absolute(path)) for path in files if path.startswith(f"{FOLDER}/")
        }

    def _ovfile_seen_ns(self) -> int:
        """Return when the Ovfile last had the session's text; a file edited a moment ago is read again."""
        if not is_racy([self._session.ovfile_state], self._looked_ns):
            return self._looked_ns
        now_ns = after_a_tick()
        same = self._session.where.ovfile.read_bytes() == self._session.text.encode()
        return now_ns if same else self._looked_ns


def _take_shared(models: dict[str, tuple[list[str], Files | None]]) -> Files:
    """Move shared paths out of the models' files, so that a dataset is not looked at a thousand times."""
    counted = Counter(path for _, files in models.values() for path in files or ())
    shared: Files = {}
    for _, files in models.values():
        for path in [path for path in files or () if counted[path] > 1]:
            if files is not None:
                shared[path] = files.pop(path)
    return shared
