"""Import each module in a fork of its own, where nothing of ovmake was imported: `python import_each.py NAME...`.

After `--block` a framework is refused: which one a module asks for first, and whether telemetry is blocked by then.
Prints a JSON object: per module {"asked": the framework refused, "telemetry": whether it could be imported, "error"}.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import json
import os
import sys
from collections.abc import Sequence

FRAMEWORKS = {"tensorflow", "keras", "openvino", "nncf"}
TELEMETRY = "openvino_telemetry"


class RefusedError(ImportError):
    """A framework was asked for."""


class Refusing:
    """Stands before Python's own finders, and refuses frameworks."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Refuse a framework; leave everything else to others."""
        del path, target
        if name.partition(".")[0] in FRAMEWORKS:
            raise RefusedError(name)
        return None


def imported(name: str) -> dict[str, object]:
    """Import a module; return what happened."""
    asked, error = "", ""
    try:
        importlib.import_module(name)
    except RefusedError as refused:
        asked = str(refused).partition(".")[0]
    except Exception as failed:  # noqa: BLE001 - told as it is
        error = f"{type(failed).__name__}: {failed}"
    try:
        importlib.import_module(TELEMETRY)
    except ImportError:
        return {"asked": asked, "telemetry": False, "error": error}
    return {"asked": asked, "telemetry": True, "error": error}


def in_a_fork(name: str) -> dict[str, object]:
    """The same in a child of this process."""
    there, here = os.pipe()
    if not (child := os.fork()):
        os.write(here, json.dumps(imported(name)).encode())
        os._exit(0)
    os.close(here)
    with os.fdopen(there, "rb") as answer:
        found = answer.read()
    os.waitpid(child, 0)
    return dict(json.loads(found)) if found else {"asked": "", "telemetry": True, "error": "it died"}


if __name__ == "__main__":
    names = sys.argv[1:]
    if names[0] == "--block":
        names.pop(0)
        sys.meta_path.insert(0, Refusing())
    print(json.dumps({name: in_a_fork(name) for name in names}))
