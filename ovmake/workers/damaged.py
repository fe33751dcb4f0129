"""Where a framework fails on a source whose checkpoint is damaged, say that first, with the file and the place.

    @explained
    def convert(request): ...      a handler whose errors do so

The frameworks' own words are "Detected at node save/RestoreV2", "Wrong restarts value", or of another variable. They
stay, as a note. Standard library only, but for the checksums; the files are read again only after a failure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from ovmake.workers.protocol import ActionError, Request

Handler = Callable[[Request], Mapping[str, object]]

FAILURES = ("cannot-convert", "tensorflow-cannot-load")
HINT = "copy the files again, or export the model again"


def explained(handler: Handler) -> Handler:
    """Return the handler, with errors about a source that name a damaged file of it."""

    def handle(request: Request) -> Mapping[str, object]:
        try:
            return handler(request)
        except ActionError as error:
            found = damage(Path(request.inputs["source"])) if _is_about_source(error, request) else ""
            if not found:
                raise
            message = f"`{Path(request.inputs['source']).name}` is damaged: {found}"
            notes = (error.message, *error.notes)
            raise ActionError(error.code, message, setting="source", notes=notes, help=HINT) from error

    return handle


def _is_about_source(error: ActionError, request: Request) -> bool:
    return error.code in FAILURES and "source" in request.inputs


def damage(source: Path) -> str:
    """Return what is damaged in the checkpoint of a SavedModel or a .meta, "" if nothing is, or it has none."""
    # Here, because every worker imports this module, and few have a failure to explain.
    from ovmake.workers.checkpoint import Checkpoint, CheckpointError, DamagedError
    from ovmake.workers.wire import WireError

    prefix = source / "variables/variables" if source.is_dir() else source.with_suffix("")
    if not Path(f"{prefix}.index").is_file():
        return ""
    try:
        Checkpoint(prefix)
    except DamagedError as error:
        return str(error)
    except (CheckpointError, WireError):  # sound as far as is known: slices, strings in another form
        return ""
    return ""
