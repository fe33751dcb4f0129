"""Write the stamp of a build: which files its decisions rested on, model by model.

    stamping = Stamping(session, graph, targets)    before the build: the old stamp is forgotten
    stamping.finish(executor, outcome)              after it: what is fresh now is written down
    stamping.look_again()                           the same without a build

What the build found fresh it has looked at already. What it made is looked at once more, for files that it wrote just
now could change again within the same tick of the clock.

Rule: a folder is noted before the files in it are, so that a file that appears meanwhile shows in one or the other.
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
        session.disk.remove(stamp.PLACE)
        self._around = stamp.around()
        self._looked_ns = time.time_ns()
        self._folders = self._note_folders(targets)
        self._store = self._states_of(stamp.folders_of(self._root, FOLDER))

    def finish(self, executor: Executor, outcome: Outcome) -> None:
        """Write down what is known to be fresh now."""
        files = self._fresh(list(outcome.targets), executor, outcome)
        built = [name for name, status in outcome.targets.items() if status in {"built", "fresh"}]
        self._keep(files | self._look_again([name for name in built if name not in files]))

    def look_again(self) -> None:
        """Look at all targets in place of a build: whatever happened before, happened."""
        self._keep(self._look_again(list(self._actions)))

    def _keep(self, files: dict[str, stamp.Files]) -> None:
        try:
            self._write(files)
        except OSError as error:  # what goes wrong in the midst of writing says of no file
            raise OSError(error.errno, error.strerror, error.filename or f"{self._root}/{stamp.PLACE}") from error

    def _look_again(self, targets: Sequence[str]) -> dict[str, stamp.Files]:
        """Return what those of the targets rest on that are fresh."""
        if not targets:
            return {}
        self._looked_ns = stamp.after_a_tick()
        self._folders |= self._note_folders(targets)
        self._store = self._states_of(stamp.folders_of(self._root, FOLDER))
        executor = self._session.executor(self._graph, Options(dry_run=True, keep_going=True), lambda _: None)
        outcome = executor.build(targets)
        return self._fresh(targets, executor, outcome)

    def _fresh(self, targets: Sequence[str], executor: Executor, outcome: Outcome) -> dict[str, stamp.Files]:
        """Return what those of the targets rest on for which nothing had to be done."""
        # Of all actions, for advice that could not be had is tried again next time.
        fresh = [
            name for name in targets if all(outcome.actions[a.name].status == "fresh" for a in self._actions[name])
        ]
        files = {name: self._files(name, executor) for name in fresh}
        return {
            name: found
            for name, found in files.items()
            if found is not None and not stamp.is_racy(found.values(), self._looked_ns)
        }

    def _note_folders(self, targets: Sequence[str]) -> dict[str, stamp.Files]:
        """Return the folders of each source: it, and those below it."""
        paths = {path for name in targets for action in self._actions[name] for path in action.source_paths}
        return {path: self._states_of(stamp.folders_of(self._root, path)) for path in sorted(paths)}

    def _states_of(self, folders: Sequence[str]) -> stamp.Files:
        return {folder: stamp.state_of(self._session.disk.absolute(folder)) for folder in folders}

    def _files(self, target: str, executor: Executor) -> stamp.Files | None:
        """Return everything in the repo that it takes for the target to be fresh; None if it has changed since."""
        found: stamp.Files = {}
        for action in self._actions[target]:
            for path in action.source_paths:
                found |= self._folders[path]
            for path, seen in executor.looked_at(action).items():
                size_bytes, *times_ns, inode = found[path] = self._state(path)
                if (seen.size_bytes, seen.mtime_ns, seen.inode) != (size_bytes, max(times_ns), inode):
                    return None
        return found

    def _state(self, path: str) -> stamp.State:
        try:
            return stamp.state_of(self._session.disk.absolute(path))
        except OSError:
            return stamp.ABSENT

    def _write(self, files: Mapping[str, stamp.Files]) -> None:
        """Write the stamp: what of these targets is fresh, and what is known of other models from the last stamp."""
        known = self._session.known
        before = {} if known is None else known.models()
        of_model: dict[str, list[str]] = {}
        for target in self._session.ovfile.targets:
            of_model.setdefault(target.model, []).append(target.name)
        models: dict[str, tuple[list[str], stamp.Files | None]] = {}
        for model in self._session.ovfile.models:
            if model not in of_model:
                models[model] = before[model]
                continue
            names = of_model[model]
            whole = all(name in files for name in names)
            models[model] = (names, {p: s for name in names for p, s in files[name].items()} if whole else None)
        shared = {} if known is None else {path: state for path, state in known.shared().items() if not _stored(path)}
        shared |= self._store | _take_shared(models)
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
            self._session.disk.ours.replace(stamp.PLACE, data, durable=False)

    def _ovfile_seen_ns(self) -> int:
        """Return when the Ovfile last had the text that the session read: one edited a moment ago is read again."""
        if not stamp.is_racy([self._session.ovfile_state], self._looked_ns):
            return self._looked_ns
        now_ns = stamp.after_a_tick()
        same = self._session.where.ovfile.read_bytes() == self._session.text.encode()
        return now_ns if same else self._looked_ns


def _stored(path: str) -> bool:
    return path == FOLDER or path.startswith(f"{FOLDER}/")


def _take_shared(models: dict[str, tuple[list[str], stamp.Files | None]]) -> stamp.Files:
    """Move what several models rest on out of their files: a dataset need not be looked at a thousand times."""
    counted = Counter(path for _, files in models.values() for path in files or ())
    shared: stamp.Files = {}
    for _, files in models.values():
        for path in [path for path in files or () if counted[path] > 1]:
            if files is not None:
                shared[path] = files.pop(path)
    return shared
