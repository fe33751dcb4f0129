"""Where an earlier report is: in a file, or in a revision of the repo.

    earlier(against, folder=..., report=...) -> dict       the content of that report.json

`git:REV` is this report's own place at a revision; `git:REV:path` another one, relative to the repo's root.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any, NoReturn

from ovmake.diagnostics import Diagnostic, OvmakeError
from ovmake.report.history import read

GIT = "git:"


def earlier(against: str, *, folder: Path, report: str) -> dict[str, Any]:
    """Return an earlier report. `report` is the place of this one, relative to `folder`, the Ovfile's.

    Raises:
        OvmakeError: there is none, or it cannot be read.
    """
    if against.startswith(GIT):
        return read(_of_revision(against.removeprefix(GIT), folder, report), against)
    try:
        return read(Path(against).read_text(), against)
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        _fail(f"cannot read {against}: {why}", "name a report.json, or a revision of this repo: `--against git:main`")


def _of_revision(words: str, folder: Path, report: str) -> str:
    revision, _, path = words.partition(":")
    # `./` is relative to the folder that git runs in, which may be below the repo's root.
    place = path or f"./{report}"
    command = ["git", "-C", str(folder), "show", f"{revision}:{place}"]
    if not revision or revision.startswith("-"):
        _fail(f"`{GIT}{words}` names no revision", "write for example `--against git:main`")
    try:
        done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603
    except OSError as error:
        _fail(f"cannot run git: {error.strerror}", "install git, or name a file: `--against FILE`")
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().removeprefix("fatal: ")
        hint = "commit `report.json` where the report is to be compared, or name its path: `git:REV:path`"
        _fail(f"git has no {place} in `{revision}`", hint, note=said)
    return done.stdout.decode(errors="replace")


def _fail(message: str, help_text: str, note: str = "") -> NoReturn:
    notes = (note,) if note else ()
    raise OvmakeError(Diagnostic(code="no-earlier-report", message=message, notes=notes, help=help_text), exit_status=2)
