"""Explain a framework's failure by a damaged or missing file of the source's checkpoint.

    @explained
    def convert(request): ...      a handler whose errors name the damaged file

The frameworks' own messages are "Detected at node save/RestoreV2" or "Wrong restarts value", or name an unrelated
variable. They are kept as a note. Standard library only, except the checksums. Files are read again only after a
failure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol, TypeVar

from ovmake.contracts.values import JsonObject
from ovmake.errors import ActionError
from ovmake.sources.integrity.fetched import lacking


class Asked(Protocol):
    """What a handler is asked: `inputs` are paths by role, and "source" is the model's."""

    @property
    def inputs(self) -> Mapping[str, str]:
        """Paths by role."""


Request = TypeVar("Request", bound=Asked)

FAILURES = ("cannot-convert", "tensorflow-cannot-load")
WHOLE = "copy all files of the model; those of the variables are `….index` and `….data-…`"
HINT = "copy the files again, or export the model again"


def explained(handler: Callable[[Request], JsonObject]) -> Callable[[Request], JsonObject]:
    """Return the handler; its errors about a source name the damaged file."""

    def handle(request: Request) -> JsonObject:
        try:
            return handler(request)
        except ActionError as error:
            if not _is_about_source(error, request):
                raise
            source = Path(request.inputs["source"])
            if missing := lacking(source):
                said, hint = f"incomplete: {missing}", WHOLE
            elif found := damage(source):
                said, hint = f"damaged: {found}", HINT
            else:
                raise
            message = f"`{source.name}` is {said}"
            notes = (error.message, *error.notes)
            raise ActionError(error.code, message, setting="source", notes=notes, help=hint) from error

    return handle


def _is_about_source(error: ActionError, request: Asked) -> bool:
    return error.code in FAILURES and "source" in request.inputs


def damage(source: Path) -> str:
    """Return the damage of the checkpoint of a SavedModel or a .meta; "" if it is intact, or there is no checkpoint."""
    # Imported here: every worker imports this module, and few have a failure to explain.
    from ovmake.sources.checkpoint import Checkpoint, CheckpointError, DamagedError
    from ovmake.sources.protobuf import ProtobufError

    prefix = source / "variables/variables" if source.is_dir() else source.with_suffix("")
    if not Path(f"{prefix}.index").is_file():
        return ""
    try:
        Checkpoint(prefix)
    except DamagedError as error:
        return str(error)
    except (CheckpointError, ProtobufError):  # sound as far as this reader can tell: slices, strings in another form
        return ""
    return ""
