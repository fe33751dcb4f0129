"""`ovmake cache trust --state`: import results from a copied `.ovmake` of a different user, or of an older ovmake.

    trust(database, path, holds) -> Trusted       None if there is no state to import
    is_aside(path) -> bool                        whether there is one

It reads the state that was set aside as foreign. A result is imported if all of its outputs are in the store and match
their digests, checked now. Whether an action really makes these outputs from its inputs cannot be checked: there the
user trusts.

Digests of sources and fingerprints are not imported. They are computed again from the present files.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ovmake.graph.digest import Digest
from ovmake.graph.trace import Trace
from ovmake.store.database import Database, decoded
from ovmake.store.files.own_folders import OwnFolders
from ovmake.store.formats import FOREIGN, connect
from ovmake.store.sealing import Sealer


@dataclass(frozen=True, slots=True, kw_only=True)
class Trusted:
    """How many results were imported, how many were refused, and how many bytes were read to check them."""

    taken: int
    refused: int
    checked_bytes: int


def trust(database: Database, path: Path, holds: Callable[[Digest], bool]) -> Trusted | None:
    """Import the state that was set aside beside the database at `path`; None if there is none.

    `holds` says whether the store has the bytes of a digest; it reads them.

    Raises:
        sqlite3.DatabaseError: that database is corrupt.
    """
    aside = path.with_name(f"{path.name}.{FOREIGN}")
    ours = OwnFolders(str(path.parent))
    if ours.stat(aside.name) is None:
        return None
    ours.check("")
    with closing(connect(aside, Sealer(database.key), any_owner=True)) as connection:
        traces = {action: decoded(body) for action, body in connection.execute("SELECT action, body FROM traces")}
        results = [decoded(body) for (body,) in connection.execute("SELECT body FROM results ORDER BY used_s")]
    whole = _Whole(holds)
    good = [trace for trace in results if whole.has(trace)]
    database.adopt({action: trace for action, trace in traces.items() if whole.has(trace)}, good)
    for part in ("", "-wal", "-shm"):
        ours.remove(f"{aside.name}{part}")
    return Trusted(taken=len(good), refused=len(results) - len(good), checked_bytes=whole.checked_bytes)


def is_aside(path: Path) -> bool:
    """Whether a state was set aside beside the database at `path`."""
    return OwnFolders(str(path.parent)).stat(f"{path.name}.{FOREIGN}") is not None


class _Whole:
    """Checks each digest once."""

    def __init__(self, holds: Callable[[Digest], bool]) -> None:
        self._holds = holds
        self._asked: dict[Digest, bool] = {}

    def has(self, trace: Trace) -> bool:
        """Whether all outputs of a result are stored with the right bytes."""
        for digest in trace.outputs.values():
            if digest not in self._asked:
                self._asked[digest] = self._holds(digest)
        return all(self._asked[digest] for digest in trace.outputs.values())

    @property
    def checked_bytes(self) -> int:
        return sum(digest.size_bytes for digest, there in self._asked.items() if there)
