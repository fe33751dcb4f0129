"""The repo: the path of the Ovfile, its content, and the paths that it may name. The state of earlier runs is not read.

read = read_ovfile(where)                    the whole Ovfile
read = read_ovfile(where, known, asked)      only models that the stamp does not know to be fresh
graph = build_graph(read.ovfile, where.root)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ovmake import ledger
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
    """The path of the Ovfile: `folder` and `file` as given by -C and -f."""

    folder: Path
    file: str = "Ovfile"
    allow_outside: bool = False

    @property
    def ovfile(self) -> Path:
        """The path of the Ovfile."""
        return self.folder / self.file

    @property
    def key(self) -> str:
        """The key of the stamp: the Ovfile's name, and whether its paths may leave the repo."""
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
class LoadedOvfile:
    """An Ovfile's text, its parsed form, and the state of the file.

    `known` is the stamp that says that the models missing from `ovfile` are fresh; None if no model is missing.
    """

    text: str
    ovfile: Ovfile
    state: ledger.State
    known: stamp.Stamp | None = None


def read_ovfile(where: Where, known: stamp.Stamp | None = None, asked: Sequence[str] = ()) -> LoadedOvfile:
    """Read the Ovfile: all of it, or only models that `asked` names and that `known` does not know to be fresh.

    Raises:
        OvmakeError: the file does not exist, cannot be read, or has errors.
    """
    try:
        state = ledger.state_of(str(where.ovfile))
        with where.ovfile.open("rb") as file:
            data = file.read(LARGEST_TEXT + 1)
    except FileNotFoundError:
        message = f"there is no {where.ovfile}"
        hint = "`ovmake init` writes one; -f FILE or -C DIR names a different one"
        raise OvmakeError(Diagnostic(code="no-ovfile", message=message, help=hint)) from None
    except OSError as error:
        message = f"cannot read {where.ovfile}: {error.strerror}"
        raise OvmakeError(Diagnostic(code="unreadable-ovfile", message=message)) from None
    text = decode(data, file=where.file)
    some = None if known is None else _read_some(where, text, known, asked)
    if some is not None:
        return LoadedOvfile(text=text, ovfile=some, state=state, known=known)
    return LoadedOvfile(text=text, ovfile=parse(text, file=where.file, inside=_stays_inside(where)), state=state)


def _read_some(where: Where, text: str, known: stamp.Stamp, asked: Sequence[str]) -> Ovfile | None:
    """Return the Ovfile parsed for the models that may be stale; None if all of it must be parsed."""
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
        return None  # an error in these models: `parse` shows all errors


def refuse_user_code(ovfile: Ovfile, text: str, file: str) -> None:
    """Refuse an Ovfile that names functions to run. The error names all of them."""
    if ovfile.user_code:
        raise OvmakeError(
            *(
                Diagnostic(
                    code="user-code",
                    message=f"the Ovfile runs `{function}`, and --no-user-code forbids it",
                    span=span_of(at, text, file),
                    help="use settings that need no code, or run without --no-user-code if you trust it",
                )
                for at, function in ovfile.user_code.items()
            )
        )


def refuse_allowed_ops(ovfile: Ovfile, text: str, file: str) -> None:
    """Refuse an Ovfile with `allow-ops` if the command line does not have --allow-ops: both are needed."""
    if ovfile.allowed_ops:
        raise OvmakeError(
            *(
                Diagnostic(
                    code="allow-ops",
                    message=f"the Ovfile allows a model to run {', '.join(f'`{op}`' for op in ops)}, "
                    "and the command line does not",
                    span=span_of(at, text, file),
                    help="add --allow-ops if you trust the model: these operations do more than compute",
                )
                for at, ops in ovfile.allowed_ops.items()
            )
        )


def _stays_inside(where: Where) -> Callable[[str], bool]:
    """Return whether a path of the Ovfile stays in the repo, judged by its text alone."""
    if where.allow_outside:
        return lambda _: True
    # Normalized like the path, because a root may have dots: `-C ../other`.
    root, repo = os.path.normpath(where.root), os.path.normpath(where.repo)

    def inside(path: str) -> bool:
        joined = os.path.normpath(os.path.join(root, path))  # noqa: PTH118
        return joined == repo or joined.startswith(repo.rstrip(os.sep) + os.sep)

    return inside


def really_inside(where: Where) -> Callable[[str], bool]:
    """Return a check of whether a path stays in the repo after links are followed."""
    if where.allow_outside:
        return lambda _: True
    repo = os.path.realpath(where.repo)

    @cache  # a source has many readers
    def inside(path: str) -> bool:
        real = os.path.realpath(where.root / path)
        return real == repo or real.startswith(repo.rstrip(os.sep) + os.sep)

    return inside


def read_graph(where: Where, tell: Callable[[str], None]) -> Graph:
    """Return the action graph of a build without opening the repo: no state is read or written.

    Raises:
        OvmakeError: the Ovfile has errors.
    """
    ovfile = read_ovfile(where).ovfile
    for found in ovfile.warnings:
        tell(render(found))
    return build_graph(ovfile, where.root)


def build_graph(ovfile: Ovfile, root: Path, rule: Rule = build_target) -> Graph:
    """Return the action graph of all targets: by the rule of `ovmake build`, or by a given one."""
    return lower(ovfile, rule, forms_of(ovfile, root))


def forms_of(ovfile: Ovfile, root: Path) -> dict[str, SourceForm]:
    """Return the form of each source, from its first bytes. A missing or unreadable source is left out."""
    forms: dict[str, SourceForm] = {}
    for path in dict.fromkeys(target.source for target in ovfile.targets):
        try:
            found = recognise(root / path)
        except OSError:
            continue
        beside = tuple(os.path.join(os.path.dirname(path), file.name) for file in found.beside)  # noqa: PTH118, PTH120
        forms[path] = SourceForm(kind=found.kind, beside=beside)
    return forms
