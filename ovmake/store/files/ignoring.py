"""The `.gitignore` beside an Ovfile: it gets the build folder, so that outputs are not committed.

    ignore_outputs(folder, "build") -> "wrote .gitignore", "added /build/ to .gitignore", or "" if no change is needed

An existing file keeps all its lines. If the file cannot be written, the message says so; the command goes on.
"""

from __future__ import annotations

from ovmake.store.files.handles import ForeignEntryError
from ovmake.store.files.own_folders import OwnFolders

FILE = ".gitignore"


def ignore_outputs(folder: str, build_dir: str) -> str:
    """Make git ignore the build folder, which is relative to `folder`; return a message about the change."""
    ours = OwnFolders(folder)
    line = f"/{build_dir}/"
    try:
        before = ours.read(FILE).decode(errors="surrogateescape") if ours.stat(FILE) is not None else ""
        if _ignores(before, build_dir):
            return ""
        end = "\n" if before and not before.endswith("\n") else ""
        about = "# What `ovmake build` makes. Ovfile.report.json, which `ovmake report` writes, is to be committed.\n"
        ours.replace(FILE, f"{before}{end}{about}{line}\n".encode(errors="surrogateescape"))
    except (OSError, ForeignEntryError) as error:
        why = getattr(error, "strerror", None) or str(error)
        return f"{FILE} was left as it is: {why}; add `{line}` to it"
    return f"added {line} to {FILE}" if before else f"wrote {FILE}"


def _ignores(text: str, build_dir: str) -> bool:
    """Whether a line ignores the build folder, in any of the usual spellings."""
    meant = {f"{start}{build_dir}{end}" for start in ("", "/", "**/") for end in ("", "/", "/*", "/**")}
    return any(line.strip() in meant for line in text.splitlines())
