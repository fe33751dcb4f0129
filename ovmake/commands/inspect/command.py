"""The commands `ovmake inspect` and `ovmake init`, without printing.

    description = inspect(where, "digits" or "models/digits", tell)
    written = init(where, paths, busy, tell, attempting)

`inspect` opens no session: it neither reads nor writes `.ovmake`. `init` builds its trials through `attempting`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from ovmake.commands.inspect.data import Found as FoundData
from ovmake.commands.inspect.data import plan_data
from ovmake.commands.inspect.describing import Describer, Subject
from ovmake.commands.inspect.description import Description
from ovmake.commands.inspect.finding import Found, find, find_data, name_all
from ovmake.commands.inspect.settling import Attempt, settle
from ovmake.commands.inspect.starter import NO_DATA, Entry, starter
from ovmake.diagnostics import Diagnostic, OvmakeError, did_you_mean, what_to_do
from ovmake.errors import ActionError
from ovmake.names import BUILD
from ovmake.ovfile.spec import Ovfile
from ovmake.project.repo import Where, read_ovfile
from ovmake.sources.recognise import recognise, unknown
from ovmake.store.files.ignoring import declare_lock, ignore_outputs
from ovmake.store.files.nearby import nearby

Tell = Callable[[Diagnostic], None]
Attempting = Callable[[], AbstractContextManager[Attempt | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The result of `init`: the Ovfile, the number of models that it builds, and the number in comments.

    `told_git` are messages about `.gitignore` and `.gitattributes`, where a change was needed.
    """

    path: Path
    models: int
    left_out: int
    told_git: tuple[str, ...] = ()


def inspect(where: Where, model: str, busy: Callable[[str], None], allowed: tuple[str, ...] = ()) -> Description:
    """Describe a model of the Ovfile, or a path. `busy` gets progress messages.

    `allowed` are operations that the model may run though they do more than compute. The Ovfile's `allow-ops` is
    ignored here: it counts only together with the command line.

    Raises:
        OvmakeError: there is no such model (exit 2), or it cannot be loaded (exit 1).
    """
    subject = _subject_of_ovfile(where, model) or _subject_of_path(Path(model), model)
    busy(f"loading {subject.shown} …")
    with Describer() as describer:
        return describer.describe(replace(subject, allowed=allowed))


def _subject_of_ovfile(where: Where, model: str) -> Subject | None:
    """Return the model of the Ovfile. None if the path exists, and the Ovfile is missing, invalid or lacks it."""
    there = Path(model).exists()
    if there and not where.ovfile.exists():
        return None
    try:
        ovfile = read_ovfile(where).ovfile
    except OvmakeError as error:
        if there:
            return None
        if error.diagnostics and error.diagnostics[0].code == "no-ovfile":
            raise OvmakeError(_nothing(model, [])) from None
        raise
    found = _in_ovfile(where, ovfile, model)
    if found is None and not there:
        raise OvmakeError(_nothing(model, list(dict.fromkeys(target.model for target in ovfile.targets))))
    return found


def _in_ovfile(where: Where, ovfile: Ovfile, model: str) -> Subject | None:
    for target in ovfile.targets:
        if model in {target.model, target.family, target.name}:
            path = where.root / target.source
            kind = target.kind or _kind_of(path)
            return Subject(
                shown=target.source, path=path, kind=kind, signature=target.signature, tags=tuple(target.tags)
            )
    return None


def _nothing(model: str, known: list[str]) -> Diagnostic:
    listed = ", ".join(f"`{name}`" for name in known)
    message = f"there is no `{model}`: " + (f"no such file, and the Ovfile has {listed}" if known else "no such file")
    hint = did_you_mean(model, known) or nearby(".", model, lambda _: True)
    return Diagnostic(code="no-such-model", message=message, help=hint)


def _subject_of_path(path: Path, shown: str) -> Subject:
    return Subject(shown=shown, path=path.absolute(), kind=_kind_of(path))


def _kind_of(path: Path) -> str:
    try:
        found = recognise(path)
    except OSError as error:
        message = f"cannot read `{path}`: {error.strerror}"
        raise OvmakeError(Diagnostic(code="no-such-model", message=message), exit_status=1) from None
    if not found.kind:
        raise OvmakeError(_as_diagnostic(unknown(path, found)), exit_status=1)
    return found.kind


def _as_diagnostic(error: ActionError) -> Diagnostic:
    return Diagnostic(code=error.code, message=error.message, notes=error.notes, help=error.help)


# init


def init(
    where: Where, paths: Sequence[str], busy: Callable[[str], None], tell: Tell, attempting: Attempting
) -> Written:
    """Write an Ovfile for these models, or for those below its folder. `tell` gets warnings about models.

    `attempting` opens a function that builds an Ovfile's text as a trial; if it yields None, there is no trial.

    Raises:
        OvmakeError: the Ovfile exists, or no model was found (exit 2); or no model can be built (exit 1).
    """
    _check_free(where)
    found = _find(where, paths)
    entries = _entries(where, found, busy, tell, _places(where, paths))
    if any(entry.builds for entry in entries):
        entries = _settled(entries, attempting, tell)
    if not any(entry.builds for entry in entries):
        message = f"none of {len(entries)} models can be built; {where.ovfile} was not written"
        raise OvmakeError(Diagnostic(code="no-models", message=message), exit_status=1)
    try:
        with where.ovfile.open("x", encoding="utf-8") as file:
            file.write(starter(entries))
    except FileExistsError:
        _check_free(where)
    except OSError as error:
        message = f"cannot write {where.ovfile}: {error.strerror}"
        raise OvmakeError(
            Diagnostic(code="cannot-write", message=message, help=what_to_do(error)), exit_status=1
        ) from None
    built = sum(entry.builds for entry in entries)
    root = str(where.root)
    told = (ignore_outputs(root, BUILD), declare_lock(root, f"{where.ovfile.name}.lock"))
    return Written(path=where.ovfile, models=built, left_out=len(entries) - built, told_git=tuple(filter(None, told)))


def _check_free(where: Where) -> None:
    if where.ovfile.exists():
        message = f"{where.ovfile} exists already, and init never overwrites a file"
        hint = "write a second one beside it: `ovmake init -f FILE`"
        raise OvmakeError(Diagnostic(code="ovfile-exists", message=message, help=hint))


def _find(where: Where, paths: Sequence[str]) -> list[Found]:
    places = [Path(path) for path in paths] or [where.ovfile.parent]
    try:
        found = find(places)
    except OSError as error:
        hint = nearby(".", str(error.filename), lambda _: True) if isinstance(error, FileNotFoundError) else ""
        diagnostic = Diagnostic(code="no-such-model", message=f"{error.strerror}: {error.filename}", help=hint)
        raise OvmakeError(diagnostic) from None
    if not found:
        message = f"no model found under {', '.join(str(place) for place in places)}"
        hint = "name one: `ovmake init PATH`; a SavedModel folder, a .pb, .keras, .h5, .tflite or .meta file"
        raise OvmakeError(Diagnostic(code="no-models", message=message, help=hint))
    return found


def _places(where: Where, paths: Sequence[str]) -> list[Path]:
    """Return the folders to search for data: those of the models, and the Ovfile's."""
    beside = [Path(path) if Path(path).is_dir() else Path(path).parent for path in paths]
    return list(dict.fromkeys(place.absolute() for place in (where.ovfile.parent, *beside)))


def _settled(entries: Sequence[Entry], attempting: Attempting, tell: Tell) -> list[Entry]:
    with attempting() as attempt:
        if attempt is None:
            return list(entries)
        settled = settle(entries, attempt)
    for before, entry in zip(entries, settled, strict=True):
        if before.builds and not entry.builds:
            message = f"`{entry.source}` cannot be built: {entry.reason}"
            tell(Diagnostic(code="gate-missed", message=message, severity="warning"))
    return settled


def _data(
    where: Where, places: Sequence[Path], models: Sequence[Found], describer: Describer, busy: Callable[[str], None]
) -> list[FoundData]:
    """Inspect files and folders that may be datasets."""
    found = []
    for path in find_data(places, [one.path for one in models]):
        shown = os.path.relpath(path.absolute(), where.root)
        if _leaves(where, path):
            continue
        busy(f"reading {shown} …")
        if (data := describer.look_into(path)) is not None and data.count:
            found.append(FoundData(path=shown, data=data))
    return found


def _entries(
    where: Where, found: Sequence[Found], busy: Callable[[str], None], tell: Tell, places: Sequence[Path]
) -> list[Entry]:
    names = name_all([one.path for one in found])
    entries = []
    with Describer() as describer:
        data = _data(where, places, found, describer, busy)
        for name, one in zip(names, found, strict=True):
            source = os.path.relpath(one.path.absolute(), where.root)
            wrong, description = _outside(where, one), None
            if wrong is None:
                busy(f"reading {source} …")
                description, wrong = _look(describer, source, one)
            reason = "" if wrong is None else wrong.message
            plan = NO_DATA if description is None else plan_data(description, data)
            entries.append(Entry(name=name, source=source, description=description, reason=reason, plan=plan))
            if wrong is not None:
                tell(replace(wrong, message=f"`{source}` cannot be built: {reason}", severity="warning"))
    return entries


def _leaves(where: Where, path: Path) -> bool:
    """Whether a path leads out of the repo, links followed."""
    repo, real = os.path.realpath(where.repo), os.path.realpath(path)
    return not where.allow_outside and os.path.commonpath([repo, real]) != repo


def _outside(where: Where, one: Found) -> Diagnostic | None:
    if not _leaves(where, one.path):
        return None
    hint = "move it into the repo, or run ovmake with --allow-outside"
    return Diagnostic(code="path-outside", message="its path is outside of the repo", help=hint)


def _look(describer: Describer, source: str, one: Found) -> tuple[Description | None, Diagnostic | None]:
    """Return the description of a model, and the error that keeps it from being built."""
    if not one.recognised.kind:
        return None, _as_diagnostic(unknown(one.path, one.recognised))
    try:
        subject = Subject(shown=source, path=one.path.absolute(), kind=one.recognised.kind)
        description = describer.describe(subject)
    except OvmakeError as error:
        return None, error.diagnostics[0]
    for problem in description.problems:
        return description, Diagnostic(code=problem.code, message=problem.message, notes=problem.notes)
    return description, None
