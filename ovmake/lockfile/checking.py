"""Compare a lock with the present inputs. Pure.

    check(lock, present) -> tuple[Finding, ...]     empty: the lock is up to date
    in_words(finding) -> str

`present` holds the inputs of targets as they are now, by `inputs.inputs_of`. Tools are not compared: a newer OpenVINO
does not make a lock out of date.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ovmake.contracts.sharing.lock import Lock, LockedTarget
from ovmake.lockfile.inputs import ABSENT, TargetInputs, combined

State = Literal[
    "changed",  # the present inputs differ from the block
    "mixed",  # the block's digests contradict each other: a merge combined two blocks
    "missing",  # the lock has no block for the target
    "gone",  # the Ovfile does not have the target
]

SourceState = Literal["changed", "added", "removed", "missing"]

MOST_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceChange:
    """A source that differs. added, removed: by an edit of the Ovfile; missing: the file does not exist."""

    path: str
    state: SourceState


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A target that is out of date. `settings`: its settings differ; `named`: which ones, if known."""

    target: str
    state: State
    sources: tuple[SourceChange, ...] = ()
    settings: bool = False
    named: tuple[str, ...] = ()


def check(lock: Lock, present: Mapping[str, TargetInputs], *, whole: bool = True) -> tuple[Finding, ...]:
    """Return the targets that are out of date, sorted by name.

    `whole`: `present` has all targets of the Ovfile, so blocks of other targets are obsolete.
    """
    names = {*present, *lock.targets} if whole else set(present)
    found = (_finding(name, lock.targets.get(name), present.get(name)) for name in sorted(names))
    return tuple(one for one in found if one is not None)


def is_whole(block: LockedTarget) -> bool:
    """Whether the input digest of a block matches its settings and sources."""
    return block.inputs == combined(block.settings, block.sources)


def confirms(block: LockedTarget | None, now: TargetInputs | None) -> bool:
    """Whether a block matches the present inputs."""
    return block is not None and now is not None and block.inputs == now.inputs and is_whole(block)


def _finding(name: str, block: LockedTarget | None, now: TargetInputs | None) -> Finding | None:
    if now is None:
        return Finding(target=name, state="gone")
    if block is None:
        return Finding(target=name, state="missing")
    if confirms(block, now):
        return None
    if not is_whole(block):
        return Finding(target=name, state="mixed")
    sources = tuple(_changes(block.sources, now.sources))
    # The form of a model is one of the settings. It is unknown if the source does not exist.
    known = all(one.state != "missing" for one in sources)
    return Finding(target=name, state="changed", sources=sources, settings=known and block.settings != now.settings)


def _changes(was: Mapping[str, str], now: Mapping[str, str]) -> list[SourceChange]:
    return [
        SourceChange(path=path, state=_state(was.get(path), now.get(path)))
        for path in sorted({*was, *now})
        if was.get(path) != now.get(path)
    ]


def _state(was: str | None, now: str | None) -> SourceState:
    if now == ABSENT:
        return "missing"
    if was is None:
        return "added"
    return "removed" if now is None else "changed"


def in_words(finding: Finding) -> str:
    """Return one line about a target."""
    match finding.state:
        case "missing":
            return f"{finding.target} is not in the lock"
        case "gone":
            return f"{finding.target} is no longer in the Ovfile"
        case "mixed":
            return f"{finding.target} is out of date: a merge combined two blocks of it"
        case "changed":
            return f"{finding.target} is out of date: {', '.join(_differences(finding))}"


def _differences(finding: Finding) -> list[str]:
    words = {
        "changed": "`{}` changed",
        "added": "`{}` is new",
        "removed": "`{}` is no longer used",
        "missing": "`{}` does not exist",
    }
    said = [words[one.state].format(one.path) for one in finding.sources[:MOST_NAMED]]
    if (left := len(finding.sources) - MOST_NAMED) > 0:
        said.append(f"{left} more sources")
    return [*said, *(["its settings changed" + _settings(finding.named)] if finding.settings else [])]


def _settings(names: tuple[str, ...]) -> str:
    left = len(names) - MOST_NAMED
    said = [*(f"`{name}`" for name in names[:MOST_NAMED]), *([f"{left} more"] if left > 0 else [])]
    return f": {', '.join(said)}" if said else ""
