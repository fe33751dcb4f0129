"""What `ovmake init` tells git: `.gitignore` and `.gitattributes` beside an Ovfile.

    ignore_outputs(folder, "build")            -> "wrote .gitignore", "added /build/ to .gitignore", or ""
    declare_lock(folder, "Ovfile.lock")        -> "wrote .gitattributes", ..., or ""

`.gitignore` gets the build folder and the state folder. `.gitattributes` names the merge driver of the lock; where git
has no driver of that name, it merges the lock as any text. Its lines end with a line feed on every system.

An existing file keeps all its lines. If the file cannot be written, the message says so; the command goes on.
"""

from __future__ import annotations

from collections.abc import Collection

from ovmake.names import STATE
from ovmake.store.files.handles import ForeignEntryError
from ovmake.store.files.own_folders import OwnFolders

IGNORE = ".gitignore"
ATTRIBUTES = ".gitattributes"
DRIVER = "ovmake"


def ignore_outputs(folder: str, build_dir: str) -> str:
    """Make git ignore the build folder, which is relative to `folder`, and the state; return a message about it."""
    about = "# What `ovmake build` makes. Ovfile.lock and Ovfile.report.json are to be committed."
    wanted = {f"/{name}/": _spellings(name) for name in (STATE, build_dir)}
    return _add(folder, IGNORE, wanted, about)


def declare_lock(folder: str, name: str) -> str:
    """Name the merge driver of the lock `name` in `folder`; return a message about the change."""
    pattern = f"/{name}"
    if any(character in name for character in ' \t"*?[]\\!#'):
        return f"{ATTRIBUTES} was left as it is: add a pattern for `{name}`, with `merge={DRIVER} text eol=lf`"
    about = "# How git merges the lock; `ovmake help sharing` sets the driver up. Without it, git merges it as a text."
    wanted = {f"{pattern} merge={DRIVER} text eol=lf": {pattern, name, f"**/{name}"}}
    return _add(folder, ATTRIBUTES, wanted, about)


def _spellings(name: str) -> set[str]:
    """Return the usual lines that ignore a folder."""
    return {f"{start}{name}{end}" for start in ("", "/", "**/") for end in ("", "/", "/*", "/**")}


def _add(folder: str, file: str, wanted: dict[str, set[str]], about: str) -> str:
    """Add lines to a file, unless it has a line that begins with one of the words given for it."""
    ours = OwnFolders(folder)
    missing = list(wanted)
    try:
        before = ours.read(file).decode(errors="surrogateescape") if ours.stat(file) is not None else ""
        missing = [line for line, words in wanted.items() if not _has(before, words)]
        if not missing:
            return ""
        end = "\n" if before and not before.endswith("\n") else ""
        added = "".join(f"{line}\n" for line in (about, *missing))
        ours.replace(file, f"{before}{end}{added}".encode(errors="surrogateescape"))
    except (OSError, ForeignEntryError) as error:
        why = getattr(error, "strerror", None) or str(error)
        return f"{file} was left as it is: {why}; add {_named(missing)} to it"
    return f"added {' and '.join(missing)} to {file}" if before else f"wrote {file}"


def _has(text: str, words: Collection[str]) -> bool:
    return any(line.split(maxsplit=1)[0] in words for line in text.splitlines() if line.strip())


def _named(lines: list[str]) -> str:
    return " and ".join(f"`{line}`" for line in lines)
