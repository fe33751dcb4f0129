"""`ovmake cache verify`: download every result and blob, and check it like a build.

    verified(session, line, asked) -> Verified      the results of the present targets
    verified_all(line) -> Verified                  all listed objects

A result is checked for its form, its signature and its key. A blob is streamed and hashed; nothing is kept. A missing
result is not a fault. A missing blob of an existing result is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ovmake.commands.cache.present import Answer, Look, look_at, results
from ovmake.commands.cache.reaching import all_in, each
from ovmake.contracts.sharing.remote_result import RemoteResult
from ovmake.engine.job import Progress, ignore_progress
from ovmake.graph.digest import Digest
from ovmake.graph.query import select
from ovmake.project.session import Session
from ovmake.remote.layout import BLOBS, RESULTS, nearest_path
from ovmake.remote.line import Line
from ovmake.remote.objects import Objects, RemoteError
from ovmake.remote.results import MOST_BYTES, OTHER_ACTION, from_bytes, outputs_of
from ovmake.remote.signing import RefusedError

MB = 1_000_000
Tell = Callable[[Progress], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """A fault: its path on the remote, the action that it belongs to ("" if unknown), and the reason."""

    path: str
    action: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """The numbers of checked results and blobs, the bytes of good blobs, and the faults. `missing`: see `verified`."""

    results: int
    blobs: int
    size_bytes: int
    missing: int
    wrong: tuple[Wrong, ...]


def verified(session: Session, line: Line, asked: Sequence[str], tell: Tell = ignore_progress) -> Verified:
    """Check the results of the present targets. `missing` counts actions that have none on the remote.

    Raises:
        RemoteError: the remote failed, not only for one object.
        OvmakeError: a target is unknown.
    """
    graph = session.graph(measure=False)
    known = results(session, graph, select(graph, asked), _tolerant(line))
    wrong = [
        Wrong(path=f"{RESULTS}/{one.key}", action=one.action.name, why=one.answer.why)
        for one in known.values()
        if one.answer.why
    ]
    good = [one.answer.result for one in known.values() if one.answer.result is not None]
    there = len(good) + len(wrong)
    return _with_blobs(line, good, wrong, tell, missing=len(known) - there, count=there)


def _tolerant(line: Line) -> Look:
    """Return a function that looks up a result, and reports a failure of one object as a fault."""
    look = look_at(line)

    def tolerant(key: str) -> Answer:
        try:
            return look(key)
        except RemoteError as error:
            _give_up(line, error)
            return Answer(why=_unreadable(error))

    return tolerant


def _give_up(line: Line, error: RemoteError) -> None:
    if line.off or error.trouble == "closed":
        raise error


def _unreadable(error: RemoteError) -> str:
    return f"it cannot be read: {error.message}"


def verified_all(line: Line, tell: Tell = ignore_progress) -> Verified:
    """Check everything that the remote lists. Blobs that no result needs are checked too.

    Raises:
        RemoteError: the remote failed, not only for one object.
        OvmakeError: it cannot list.
    """
    paths = sorted(one.path for one in all_in(line, RESULTS))
    stored = all_in(line, BLOBS)
    look = _tolerant_at(line)
    answers = dict(zip(paths, each(look, paths), strict=True))
    wrong = [Wrong(path=path, action="", why=one.why) for path, one in answers.items() if one.why]
    # Notes for `explain` need no blobs.
    good = [one.result for path, one in answers.items() if one.result and path == f"{RESULTS}/{one.result.key}"]
    named = {digest.sha256 for result in good for digest in outputs_of(result).values()}
    names = {one.path.removeprefix(f"{BLOBS}/"): one.size_bytes for one in stored}
    rest = [Digest(name, size_bytes) for name, size_bytes in names.items() if name not in named]
    return _with_blobs(line, good, wrong, tell, missing=0, count=len(good) + len(wrong), more=rest)


def _tolerant_at(line: Line) -> Look:
    """Return a function that checks the object at a path below `ac/`: a result under its key, or for `explain`."""

    def look(path: str) -> Answer:
        try:
            data = line.read(lambda objects: objects.get(path, MOST_BYTES))
            if data is None:
                return Answer(why="it is missing")
            result = from_bytes(data, line.settings.trusted_keys)
        except RefusedError as error:
            return Answer(why=str(error))
        except RemoteError as error:
            _give_up(line, error)
            return Answer(why=_unreadable(error))
        right = path in {f"{RESULTS}/{result.key}", nearest_path(result.action)}
        return Answer(result=result) if right else Answer(why=OTHER_ACTION)

    return look


def _with_blobs(
    line: Line,
    good: Sequence[RemoteResult],
    wrong: Sequence[Wrong],
    tell: Tell,
    *,
    missing: int,
    count: int,
    more: Iterable[Digest] = (),
) -> Verified:
    """Check the blobs, each once."""
    owners: dict[Digest, str] = {}
    for result in good:
        for digest in outputs_of(result).values():
            owners.setdefault(digest, result.action)
    owners |= dict.fromkeys(more, "")
    all_bytes, done_bytes, whole_bytes, bad = sum(one.size_bytes for one in owners), 0, 0, []
    for one, why in zip(owners, each(lambda digest: _blob(line, digest), list(owners)), strict=True):
        done_bytes += one.size_bytes
        whole_bytes += 0 if why else one.size_bytes
        bad += [Wrong(path=f"{BLOBS}/{one.sha256}", action=owners[one], why=why)] if why else []
        tell(Progress(done=done_bytes // MB, of=all_bytes // MB, unit="MB"))
    return Verified(results=count, blobs=len(owners), size_bytes=whole_bytes, missing=missing, wrong=(*wrong, *bad))


def _blob(line: Line, digest: Digest) -> str:
    """Return the fault of a blob, "" if it is good."""
    try:
        return line.read(lambda objects: check_blob(objects, digest))
    except RemoteError as error:
        _give_up(line, error)
        return _unreadable(error)


def check_blob(objects: Objects, digest: Digest) -> str:
    """Stream a blob and hash it; return its fault, "" if it is good. It raises RemoteError."""
    hashed, left = hashlib.sha256(), digest.size_bytes
    with objects.read(f"{BLOBS}/{digest.sha256}") as chunks:
        if chunks is None:
            return "it is missing, and a result needs it"
        for chunk in chunks:
            left -= len(chunk)
            if left < 0:
                break
            hashed.update(chunk)
    return "its bytes do not match its digest" if left or hashed.hexdigest() != digest.sha256 else ""
