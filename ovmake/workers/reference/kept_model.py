"""Keep the model that an action loaded for the next action of this process, if it has the same source.

    keep(request, source, model)      *check-source* calls it
    take(request, source) -> model    *reference* calls it; None if a different source or function was kept, or none
    forget()                          every other action calls it, to free the memory of an unneeded model

Rule: a model is taken once, and only if the source's files are unchanged since it was loaded.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ovmake.contracts.params.source import SourceParams
from ovmake.workers.ipc.protocol import Request

if TYPE_CHECKING:
    from ovmake.workers.reference.reference_model import ReferenceModel


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    key: object
    model: ReferenceModel


_kept: list[_Kept] = []  # one at most


def keep(request: Request, source: SourceParams, model: ReferenceModel) -> None:
    """Keep the model of this request, instead of the previous one."""
    _kept[:] = [_Kept(key=_key(request, source), model=model)]


def take(request: Request, source: SourceParams) -> ReferenceModel | None:
    """Return the kept model if it is that of this request. Afterwards nothing is kept."""
    found = _kept.pop() if _kept else None
    return found.model if found is not None and found.key == _key(request, source) else None


def forget() -> None:
    """Drop the kept model."""
    _kept.clear()


def _key(request: Request, asked: SourceParams) -> object:
    if "source" not in request.inputs:
        return None, os.urandom(16)  # a graph of *freeze* is never kept
    source = Path(request.inputs["source"])
    # What else than its files says which function a source is.
    settings = asked.kind, asked.signature, asked.tags, asked.more
    return str(source), settings, Path(request.inputs["interface"]).read_bytes(), sorted(_states(source))


def _states(source: Path) -> Iterator[tuple[object, ...]]:
    """Yield the files of a source with the state by which the engine detects changes."""
    paths = [Path(folder, name) for folder, _, names in os.walk(source) for name in names] or [source]
    for path in paths:
        state = path.stat()
        yield str(path), state.st_size, state.st_ino, state.st_mtime_ns, state.st_ctime_ns
