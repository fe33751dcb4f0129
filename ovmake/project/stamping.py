"""Write the stamp of a build: which files its decisions rested on, model by model.

    stamping = Stamping(session, graph, targets)    before the build: the old stamp is forgotten
    stamping.finish(executor, outcome)              after it: what is fresh now is written down
    stamping.look_again()                           the same without a build

What the build found fresh is in its ledger. What it made is looked at once more, for files that it wrote just now could
change again within the same tick of the clock.
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
    """Notes what a build looks at."""

    def __init__(self, session: Session, graph: Graph, targets: Sequence[str]) -> None:
        """Forget the stamp: from now on until `finish`, nothing is known to be fresh."""
        self._session = session
        self._root = str(session.where.root)
        self._graph = graph
        self._actions = {name: closure(graph, [graph.targets[name]]) for name in targets}
        session.disk.remove(STAMP)
        self._around = stamp.around()
        self._looked_ns = time.time_ns()

    def finish(self, executor: Executor, outcome: Outcome) -> None:
        """Write down what is known to be fresh now."""
        files = self._fresh(list(outcome.targets), executor, outcome)
        built = [name for name, status in outcome.targets.items() if status in {"built", "fresh"}]
        self._keep(files | self._look_again([name for name in built if name not in files]))

    def look_again(self) -> None:
        """Look at all targets in place of a build: whatever happened before, happened."""
        self._keep(self._look_again(list(self._actions)))

    def _keep(self, files: dict[str, Files]) -> None:
        try:
            self._write(files)
        except OSError as error:  # what goes wrong in the midst of writing says of no file
            raise OSError(error.errno, error.strerror, error.filename or f"{self._root}/{STAMP}") from error

    def _look_again(self, targets: Sequence[str]) -> dict[str, Files]:
        """Return what those of the targets rest on that are fresh."""
        if not targets:
            return {}
        self._looked_ns = after_a_tick()
        executor = self._session.executor(self._graph, Options(dry_run=True, keep_going=True), lambda _: None)
        outcome = executor.build(targets)
        return self._fresh(targets, executor, outcome)

    def _fresh(self, targets: Sequence[str], executor: Executor, outcome: Outcome) -> dict[str, Files]:
        """Return what those of the targets rest on for which nothing had to be done."""
        # Of all actions, for advice that could not be had is tried again next time.
        fresh = [
            name for name in targets if all(outcome.actions[a.name].status == "fresh" for a in self._actions[name])
        ]
        files = {name: self._ledger(name, executor) for name in fresh}
        return {name: found for name, found in files.items() if not is_racy(found.values(), self._looked_ns)}

    def _ledger(self, target: str, executor: Executor) -> Files:
        """Return everything in the repo that it takes for the target to be fresh."""
        return {path: state for one in self._actions[target] for path, state in executor.looked_at(one).items()}

    def _write(self, files: Mapping[str, Files]) -> None:
        """Write the stamp: what of these targets is fresh, and what is known of other models from the last stamp."""
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
        """Put in the states that the store's folders have now: since a look, this build has written to them."""
        files |= {
            path: state_if_any(self._session.disk.absolute(path)) for path in files if path.startswith(f"{FOLDER}/")
        }

    def _ovfile_seen_ns(self) -> int:
        """Return when the Ovfile last had the text that the session read: one edited a moment ago is read again."""
        if not is_racy([self._session.ovfile_state], self._looked_ns):
            return self._looked_ns
        now_ns = after_a_tick()
        same = self._session.where.ovfile.read_bytes() == self._session.text.encode()
        return now_ns if same else self._looked_ns


def _take_shared(models: dict[str, tuple[list[str], Files | None]]) -> Files:
    """Move what several models rest on out of their files: a dataset need not be looked at a thousand times."""
    counted = Counter(path for _, files in models.values() for path in files or ())
    shared: Files = {}
    for _, files in models.values():
        for path in [path for path in files or () if counted[path] > 1]:
            if files is not None:
                shared[path] = files.pop(path)
    return shared
