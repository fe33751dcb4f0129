"""The `.gitignore` beside an Ovfile: what is built is not committed.

    ignore_outputs(folder, "build") -> "wrote .gitignore", "added /build/ to .gitignore", or "" where nothing was to do

A file that is there keeps all its lines. What cannot be written is said, and is no failure: git is the user's.
"""

from __future__ import annotations

from ovmake.store.files.beneath import Beneath
from ovmake.store.files.handles import ForeignEntryError

FILE = ".gitignore"


def ignore_outputs(folder: str, build_dir: str) -> str:
    """Have git ignore the build folder, which is relative to `folder`; return what was done, in words."""
    ours = Beneath(folder)
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
    """Whether a line means the build folder, as people write it."""
    meant = {f"{start}{build_dir}{end}" for start in ("", "/", "**/") for end in ("", "/", "/*", "/**")}
    return any(line.strip() in meant for line in text.splitlines())
