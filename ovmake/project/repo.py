"""The repo: which Ovfile, what it says, and what of the disk it may name. Nothing of earlier runs is needed.

read = read_ovfile(where)                    all of it
read = read_ovfile(where, known, asked)      what a stamp does not vouch for
graph = build_graph(read.ovfile, where.root)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ovmake.diagnostics import Diagnostic, OvmakeError, render
from ovmake.graph.action import Graph
from ovmake.graph.lower import Rule, SourceForm, lower
from ovmake.ovfile.parse import decode, parse, parse_some, span_of
from ovmake.ovfile.spec import Ovfile
from ovmake.ovfile.text.edits import edited_models
from ovmake.ovfile.text.limits import LARGEST_TEXT
from ovmake.project import stamp
from ovmake.rules import build_target
from ovmake.sources.recognise import recognise


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Which Ovfile: `folder` and `file` as given by -C and -f."""

    folder: Path
    file: str = "Ovfile"
    allow_outside: bool = False

    @property
    def ovfile(self) -> Path:
        """The Ovfile itself."""
        return self.folder / self.file

    @property
    def key(self) -> str:
        """What the stamp is about: which Ovfile of the folder, and whether its paths may leave the repo."""
        return f"{self.ovfile.name} {self.allow_outside}"

    @property
    def root(self) -> Path:
        """The folder that every path of the Ovfile is relative to."""
        return self.ovfile.parent.absolute()

    @property
    def repo(self) -> Path:
        """The repo that paths must not leave: the nearest folder with `.git`, else the Ovfile's own."""
        folders = [self.root, *self.root.parents]
        return next((folder for folder in folders if (folder / ".git").exists()), self.root)


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """An Ovfile's text, what it means, and the state of the file that was read.

    `known` is the stamp that answers for the models that `ovfile` leaves out; None where it leaves out none.
    """

    text: str
    ovfile: Ovfile
    state: stamp.State
    known: stamp.Stamp | None = None


def read_ovfile(where: Where, known: stamp.Stamp | None = None, asked: Sequence[str] = ()) -> Read:
    """Read the Ovfile: all of it, or what `known` says nothing of and the words mean.

    Raises:
        OvmakeError: it is not there, cannot be read, or is wrong.
    """
    try:
        state = stamp.state_of(str(where.ovfile))
        with where.ovfile.open("rb") as file:
            data = file.read(LARGEST_TEXT + 1)
    except FileNotFoundError:
        message = f"there is no {where.ovfile}"
        hint = "write one: `ovmake init` does; or name one with -f FILE or -C DIR"
        raise OvmakeError(Diagnostic(code="no-ovfile", message=message, help=hint)) from None
    except OSError as error:
        message = f"cannot read {where.ovfile}: {error.strerror}"
        raise OvmakeError(Diagnostic(code="unreadable-ovfile", message=message)) from None
    text = decode(data, file=where.file)
    some = None if known is None else _read_some(where, text, known, asked)
    if some is not None:
        return Read(text=text, ovfile=some, state=state, known=known)
    return Read(text=text, ovfile=parse(text, file=where.file, inside=_stays_inside(where)), state=state)


def _read_some(where: Where, text: str, known: stamp.Stamp, asked: Sequence[str]) -> Ovfile | None:
    """Return what the Ovfile means for the models that may be stale; None where all of it must be looked at."""
    edited = edited_models(known.text, text) if text != known.text else frozenset()
    named = known.named(asked)
    if edited is None or named is None:
        return None
    stale = known.stale | edited
    if asked:
        stale &= named.keys()
    try:
        return parse_some(text, stale, file=where.file, inside=_stays_inside(where))
    except OvmakeError:
        return None  # a mistake in these models: `parse` shows it with all others


def refuse_user_code(ovfile: Ovfile, text: str, file: str) -> None:
    """Refuse an Ovfile that names functions to run, all of them at once."""
    if ovfile.user_code:
        raise OvmakeError(
            *(
                Diagnostic(
                    code="user-code",
                    message=f"`{function}` would be run, and --no-user-code forbids it",
                    span=span_of(at, text, file),
                    help="use what needs no code of yours, or leave --no-user-code out if you trust it",
                )
                for at, function in ovfile.user_code.items()
            )
        )


def refuse_allowed_ops(ovfile: Ovfile, text: str, file: str) -> None:
    """Refuse an Ovfile that allows its models operations, where the command line does not: both are needed."""
    if ovfile.allowed_ops:
        raise OvmakeError(
            *(
                Diagnostic(
                    code="allow-ops",
                    message=f"the Ovfile allows a model to run {', '.join(f'`{op}`' for op in ops)}, "
                    "and the command line does not",
                    span=span_of(at, text, file),
                    help="give --allow-ops if you trust the model: the operations do more than compute",
                )
                for at, ops in ovfile.allowed_ops.items()
            )
        )


def _stays_inside(where: Where) -> Callable[[str], bool]:
    """Return whether a path of the Ovfile stays in the repo, judged by its words alone."""
    if where.allow_outside:
        return lambda _: True
    # Normalized as the path is, for a root may have dots: `-C ../other`.
    root, repo = os.path.normpath(where.root), os.path.normpath(where.repo)

    def inside(path: str) -> bool:
        joined = os.path.normpath(os.path.join(root, path))  # noqa: PTH118
        return joined == repo or joined.startswith(repo.rstrip(os.sep) + os.sep)

    return inside


def really_inside(where: Where) -> Callable[[str], bool]:
    """Return whether a path stays in the repo after links are followed."""
    if where.allow_outside:
        return lambda _: True
    repo = os.path.realpath(where.repo)

    @cache  # a source has many readers
    def inside(path: str) -> bool:
        real = os.path.realpath(where.root / path)
        return real == repo or real.startswith(repo.rstrip(os.sep) + os.sep)

    return inside


def read_graph(where: Where, tell: Callable[[str], None]) -> Graph:
    """Return the action graph of a build without opening the repo: nothing of earlier runs is needed, or made.

    Raises:
        OvmakeError: the Ovfile is wrong.
    """
    ovfile = read_ovfile(where).ovfile
    for found in ovfile.warnings:
        tell(render(found))
    return build_graph(ovfile, where.root)


def build_graph(ovfile: Ovfile, root: Path, rule: Rule = build_target) -> Graph:
    """Return the action graph of all targets: of `ovmake build`, or by another rule."""
    return lower(ovfile, rule, forms_of(ovfile, root))


def forms_of(ovfile: Ovfile, root: Path) -> dict[str, SourceForm]:
    """Return what each source is, by a look at its first bytes. One that is not there or unreadable is left out."""
    forms: dict[str, SourceForm] = {}
    for path in dict.fromkeys(target.source for target in ovfile.targets):
        try:
            found = recognise(root / path)
        except OSError:
            continue
        beside = tuple(os.path.join(os.path.dirname(path), file.name) for file in found.beside)  # noqa: PTH118, PTH120
        forms[path] = SourceForm(kind=found.kind, beside=beside)
    return forms
