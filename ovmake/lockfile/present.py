"""The present inputs of targets, from the files of the repo. Needs no framework and no state of builds.

    present_inputs(graph, targets, PresentFiles(disk=..., database=..., inside=...)) -> {target: TargetInputs}

The database is only a cache of digests; an empty one in memory is enough.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ovmake.diagnostics import Diagnostic, OvmakeError
from ovmake.graph.action import Graph
from ovmake.graph.digest import Digest
from ovmake.lockfile.inputs import TargetInputs, inputs_of
from ovmake.store.database import Database
from ovmake.store.files.disk import Disk, LinkOutsideError
from ovmake.store.files.sources import Sources


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentFiles:
    """The files of a repo. `inside` says whether a path stays in the repo after links are followed."""

    disk: Disk
    database: Database
    inside: Callable[[str], bool] = lambda _: True


def present_inputs(graph: Graph, targets: Iterable[str], files: PresentFiles) -> dict[str, TargetInputs]:
    """Return the inputs of targets as they are now. A source that does not exist has no digest.

    Raises:
        OvmakeError: a source cannot be read, or is a link that leaves the repo.
    """
    return inputs_of(graph, targets, source_digests(files))


def source_digests(files: PresentFiles) -> Callable[[str], Digest | None]:
    """Return the function that returns the digest of a source's bytes. It reads each source once."""
    sources = Sources(files.disk, files.database)

    def digest(path: str) -> Digest | None:
        try:
            if not files.inside(path):
                raise LinkOutsideError(path)
            state = sources.state(path)
        except LinkOutsideError as error:
            message = f"`{error.path}` is a link that leaves the repo"
            hint = "run ovmake with --allow-outside if you trust it"
            raise OvmakeError(Diagnostic(code="path-outside", message=message, help=hint)) from None
        except OSError as error:
            message = f"cannot read `{path}`: {error.strerror}"
            raise OvmakeError(Diagnostic(code="source-unreadable", message=message)) from None
        return None if state is None else state.digest

    return digest
