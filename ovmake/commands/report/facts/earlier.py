"""Read an earlier report from a file, or from a revision of the repo.

    earlier(against, folder=..., reports=...) -> EarlierReport

`git:REV` reads the first of this report's paths that the revision has. `git:REV:path` reads a path relative to the
repo's root.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from ovmake.commands.report.facts.history import EarlierReport, read
from ovmake.diagnostics import Diagnostic, OvmakeError

GIT = "git:"


def earlier(against: str, *, folder: Path, reports: Sequence[str]) -> EarlierReport:
    """Return an earlier report. `reports` are the paths of this report, relative to `folder`, which holds the Ovfile.

    Raises:
        OvmakeError: no such report exists, or it cannot be read.
    """
    if against.startswith(GIT):
        return read(_of_revision(against.removeprefix(GIT), folder, reports), against)
    try:
        return read(Path(against).read_text(), against)
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not text"
        _fail(f"cannot read {against}: {why}", "name a report.json, or a revision of this repo: `--against git:main`")


def _of_revision(words: str, folder: Path, reports: Sequence[str]) -> str:
    revision, _, path = words.partition(":")
    if not revision or revision.startswith("-"):
        _fail(f"`{GIT}{words}` names no revision", "write for example `--against git:main`")
    # `./` is relative to the folder that git runs in, which may be below the repo's root.
    places = [path] if path else [f"./{report}" for report in reports]
    shown = [_git(folder, "show", f"{revision}:{place}") for place in places]
    found = next((done for done in shown if not done.returncode), None)
    if found is None:
        said = shown[0].stderr.decode(errors="replace").strip().removeprefix("fatal: ")
        hint = f"commit `{reports[0]}`, which `ovmake report` writes, or name another path: `git:REV:path`"
        _fail(f"git has no {places[0]} in `{revision}`", hint, note=said)
    return found.stdout.decode(errors="replace")


def _git(folder: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["git", "-C", str(folder), *words], capture_output=True, check=False)  # noqa: S603, S607
    except OSError as error:
        _fail(f"cannot run git: {error.strerror}", "install git, or name a file: `--against FILE`")


def _fail(message: str, help_text: str, note: str = "") -> NoReturn:
    notes = (note,) if note else ()
    raise OvmakeError(Diagnostic(code="no-earlier-report", message=message, notes=notes, help=help_text), exit_status=2)
