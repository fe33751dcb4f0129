"""`ovmake build --frozen`: publish the files that Ovfile.lock names; run nothing.

    frozen(session, graph, targets) -> Frozen

It needs neither frameworks nor sources. The settings must match the lock, and so must each source that exists. Files
come from the local store or the remote cache, by digest, and are checked. A target is published when all its files are
here. Signatures of results do not matter: the lock has the digest of each file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ovmake.commands.locked.absent import only_absent
from ovmake.commands.locked.promise import lock_of, refuse_other_files, refuse_other_inputs
from ovmake.contracts.sharing.lock import Lock, LockedTarget
from ovmake.diagnostics import Diagnostic, OvmakeError
from ovmake.engine.results import SCRATCH
from ovmake.graph.action import Graph
from ovmake.graph.digest import Digest
from ovmake.lockfile.checking import check
from ovmake.lockfile.present import PresentFiles, present_inputs
from ovmake.names import STATE
from ovmake.project.session import Session
from ovmake.store.cas import Cas
from ovmake.store.files.disk import DigestMismatchError

DOWNLOADS = f"{STATE}/{SCRATCH}/frozen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """What was done. `published` and `fresh` are targets; `downloaded` counts files."""

    published: tuple[str, ...]
    fresh: tuple[str, ...]
    downloaded: int
    downloaded_bytes: int


def frozen(session: Session, graph: Graph, targets: Sequence[str]) -> Frozen:
    """Publish the locked files of targets.

    Raises:
        OvmakeError: the lock does not exist; inputs differ; or no cache has a file. Other targets are published.
    """
    lock = lock_of(session.where)
    _check_inputs(session, graph, targets, lock)
    work = _Work(session, Cas(session.disk))
    missing: list[Diagnostic] = []
    published, fresh = [], []
    try:
        for target in targets:
            files = _files(session, lock.targets[target])
            if all(work.is_published(place, digest) for place, digest in files.items()):
                fresh.append(target)
            elif (why := work.publish(files)) is None:
                published.append(target)
            else:
                missing.append(_missing(target, *why))
    finally:
        session.disk.remove(DOWNLOADS)
    if missing:
        raise OvmakeError(*missing, exit_status=1)
    return Frozen(
        published=tuple(published),
        fresh=tuple(fresh),
        downloaded=work.downloaded,
        downloaded_bytes=work.downloaded_bytes,
    )


def _check_inputs(session: Session, graph: Graph, targets: Sequence[str], lock: Lock) -> None:
    """Check the settings, the sources that exist, and the files that the lock names.

    Raises:
        OvmakeError: they differ from the lock; or a block names other files than its target publishes.
    """
    files = PresentFiles(disk=session.disk, database=session.database, inside=session.inside)
    present = present_inputs(graph, targets, files)
    findings = check(lock, present, whole=False)
    wrong = [one for one in findings if not only_absent(session, one, lock.targets.get(one.target), files)]
    refuse_other_inputs(session.where, wrong)
    refuse_other_files(session, graph, targets, lock)


def _files(session: Session, block: LockedTarget) -> dict[str, Digest]:
    """Return the digests of a target's files, by their paths."""
    return {f"{session.ovfile.build_dir}/{path}": Digest.decode(digest) for path, digest in block.outputs.items()}


def _missing(target: str, file: str, why: str) -> Diagnostic:
    return Diagnostic(
        code="not-cached",
        message=f"{target}: no cache has the locked {file}",
        notes=(why,) if why else (),
        help="run `ovmake build --push` on a machine that may push, or build here without --frozen",
    )


class _Work:
    """Gets files and publishes them."""

    def __init__(self, session: Session, cas: Cas) -> None:
        self._session = session
        self._cas = cas
        self.downloaded = 0
        self.downloaded_bytes = 0

    def is_published(self, place: str, digest: Digest) -> bool:
        """Whether a file is published with these bytes."""
        disk = self._session.disk
        try:
            return disk.stat(place) is not None and disk.digest(place) == digest
        except OSError:
            return False

    def publish(self, files: Mapping[str, Digest]) -> tuple[str, str] | None:
        """Publish the files of a target; else return the file that no cache has, and why.

        Raises:
            OvmakeError: they cannot be written.
        """
        for place, digest in files.items():
            if not self._cas.holds(digest):
                self._cas.drop(self._cas.path(digest))
                if why := self._download(digest):
                    return place, why
        folders: dict[str, dict[str, tuple[str, Digest]]] = {}
        for place, digest in files.items():
            folder, _, name = place.rpartition("/")
            folders.setdefault(folder, {})[name] = (self._cas.path(digest), digest)
        try:
            for folder, copies in folders.items():
                self._session.disk.publish(folder, copies)
        except (OSError, DigestMismatchError) as error:
            message = f"cannot publish {next(iter(files))}: {getattr(error, 'strerror', '') or error}"
            raise OvmakeError(Diagnostic(code="cannot-write", message=message), exit_status=1) from None
        return None

    def _download(self, digest: Digest) -> str:
        """Get a file from the remote cache into the store; return "", or why it failed."""
        remote, disk = self._session.remote, self._session.disk
        if remote is None:
            return "no remote cache is used: the Ovfile has no `[cache] remote`, or --no-remote was given"
        scratch = f"{DOWNLOADS}/{digest.sha256}"
        try:
            disk.make_folder(DOWNLOADS)
            if why := remote.blob(digest, disk.absolute(scratch)):
                return why
            self._cas.adopt(scratch)
        except OSError as error:
            return f"cannot write {scratch}: {error.strerror}"
        self.downloaded += 1
        self.downloaded_bytes += digest.size_bytes
        return ""
