"""Missing sources: `ovmake build --frozen` needs none, and compares only those that exist.

    only_absent(session, finding, block, files) -> bool      True: missing sources are the only difference

The form of a model (SavedModel, Keras, checkpoint, ...) is read from its bytes, and decides which actions a target has.
If the model is missing, the settings are compared for every form that it may have.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from ovmake.contracts.sharing.lock import Lock, LockedTarget
from ovmake.contracts.source_kinds import SOURCE_KINDS
from ovmake.graph.lower import SourceForm, lower
from ovmake.lockfile.checking import Finding, check
from ovmake.lockfile.present import PresentFiles, present_inputs
from ovmake.ovfile.spec import Target
from ovmake.project.repo import forms_of
from ovmake.project.session import Session
from ovmake.rules import build_target


def only_absent(session: Session, finding: Finding, block: LockedTarget | None, files: PresentFiles) -> bool:
    """Whether missing sources are the only difference between a target and its block."""
    if finding.state != "changed" or block is None:
        return False
    if _is_absence(finding):
        return True
    target = next(one for one in session.ovfile.targets if one.name == finding.target)
    if session.disk.stat(target.source) is not None:
        return False
    return any(_is_absence_as(session, target, block, form, files) for form in _forms(target, block))


def _is_absence(finding: Finding) -> bool:
    return not finding.settings and all(source.state == "missing" for source in finding.sources)


def _forms(target: Target, block: LockedTarget) -> Iterator[SourceForm]:
    """Yield the forms that a missing model may have. A checkpoint has more files beside its .meta."""
    stem = posixpath.splitext(target.source)[0]
    beside = tuple(sorted(path for path in block.sources if path != target.source and path.startswith(stem)))
    for kind in SOURCE_KINDS:
        yield SourceForm(kind=kind)
        if beside:
            yield SourceForm(kind=kind, beside=beside)


def _is_absence_as(
    session: Session, target: Target, block: LockedTarget, form: SourceForm, files: PresentFiles
) -> bool:
    forms = {**forms_of(session.ovfile, session.where.root), target.source: form}
    now = present_inputs(lower(session.ovfile, build_target, forms), [target.name], files)
    found = check(Lock(targets={target.name: block}), now, whole=False)
    return all(map(_is_absence, found))
