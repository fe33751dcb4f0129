"""Decide whether an action must run, and say why.

    decide(seen, trace, outputs, forced=...) -> Decision

Pure: digests come in, a Decision goes out; nothing here touches the disk.

Rule 1: every reason to rebuild is produced in this file.
Rule 2: `build` acts on these reasons and `explain` prints them, so they cannot disagree.
Rule 3: all reasons, not the first one.

`seen` holds the present dependencies of the action; `trace` holds those of its last success, and its outputs (verifying
trace in Mokhov et al., "Build Systems à la Carte", ICFP 2018, 4.2.2). In a dry run, an input that an earlier action
would make has no digest yet. It is a *pending* reason: the input may turn out to be unchanged.

Both list the files of source folders, if known. These do not affect the decision, because the folder's digest covers
them; reasons name the files that differ.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from ovmake.contracts.values import JsonObject
from ovmake.graph.trace import Seen, SeenInput, Trace

ReasonKind = Literal[
    "never-built",  # there is no trace
    "forced",  # the user asked for it
    "input",  # the digest of a source or an artifact differs
    "param",  # the value of a setting differs
    "code",  # the digest of a room of ovmake's code that the action runs differs
    "tool",  # the version of a tool differs
    "environment",  # the instruction set or the machine differs
    "output-missing",  # an output is missing
    "output-edited",  # a published output was modified
    "pending",  # an input is unknown until an earlier action has run
]

OutputState = Literal["missing", "edited"]

ABSENT = "absent"
NOT_SET = "not set"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """A file of a folder that differs; `old` is None for a new one, `new` for one that is gone."""

    path: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """A difference in `name`. `old` and `new` are None if the kind has no values.

    `was`: the earlier name of an input, "" if unchanged. `files`: the changed files of a folder, sorted by path; empty
    if it is not a folder, or they are unknown.
    """

    kind: ReasonKind
    name: str = ""
    old: str | None = None
    new: str | None = None
    was: str = ""
    files: tuple[FileChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The reasons to run; none means the action is fresh."""

    reasons: tuple[Reason, ...]

    @property
    def fresh(self) -> bool:
        """Whether nothing has to be done."""
        return not self.reasons

    @property
    def certain(self) -> bool:
        """Whether it is stale whatever the pending inputs turn out to be."""
        return any(reason.kind != "pending" for reason in self.reasons)


def decide(seen: Seen, trace: Trace | None, outputs: Mapping[str, OutputState], *, forced: bool = False) -> Decision:
    """Return every reason to run the action that sees `seen`.

    `outputs` names the outputs of `trace` that are not as the trace says: by place for published ones, else by role.
    """
    reasons = [Reason(kind="forced")] if forced else []
    if trace is None:
        # Inputs that are not known yet are no reasons of their own here: there is nothing that they could differ from.
        return Decision(reasons=(*reasons, Reason(kind="never-built")))
    before = trace.seen
    reasons += _inputs(before.inputs, seen.inputs)
    reasons += _changes("param", before.params, seen.params)
    reasons += _changes("code", before.code, seen.code)
    reasons += _changes("tool", before.tools, seen.tools)
    reasons += _changes("environment", before.environment, seen.environment)
    reasons += [
        Reason(kind="output-missing" if state == "missing" else "output-edited", name=name)
        for name, state in outputs.items()
    ]
    return Decision(reasons=tuple(reasons))


Rebuilder = Callable[..., Decision]


def _inputs(before: Mapping[str, SeenInput], now: Mapping[str, SeenInput]) -> list[Reason]:
    reasons = []
    for role, given in now.items():
        was = before.get(role)
        if given.digest is None:
            reasons.append(Reason(kind="pending", name=given.label))
        elif was is None:
            reasons.append(Reason(kind="input", name=given.label, old=ABSENT, new=str(given.digest)))
        elif was.digest != given.digest:
            reasons.append(_other(was, given))
    gone = [was for role, was in before.items() if role not in now]
    return reasons + [Reason(kind="input", name=was.label, old=str(was.digest), new=ABSENT) for was in gone]


def _other(was: SeenInput, given: SeenInput) -> Reason:
    return Reason(
        kind="input",
        name=given.label,
        old=str(was.digest),
        new=str(given.digest),
        was="" if was.label == given.label else was.label,
        files=_files(was, given),
    )


def _files(was: SeenInput, given: SeenInput) -> tuple[FileChange, ...]:
    if was.files is None or given.files is None:
        return ()
    old, new = was.files, given.files
    return tuple(
        FileChange(path=path, old=_digest(old.get(path)), new=_digest(new.get(path)))
        for path in sorted({*old, *new})
        if old.get(path) != new.get(path)
    )


def _digest(digest: object) -> str | None:
    return None if digest is None else str(digest)


def _changes(kind: ReasonKind, before: JsonObject, now: JsonObject) -> list[Reason]:
    # In place of a comparison of values alone: 1 == True == 1.0 in Python, and they are different settings.
    if repr(before) == repr(now):  # which nearly all are, and words for them take ten times as long
        return []
    names = dict.fromkeys([*before, *now])
    return [
        Reason(kind=kind, name=name, old=_shown(before, name), new=_shown(now, name))
        for name in names
        if _shown(before, name) != _shown(now, name)
    ]


def _shown(values: JsonObject, name: str) -> str:
    return _text(values[name]) if name in values else NOT_SET


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(_text(element) for element in value)}]"
    if isinstance(value, bool):
        return str(value).lower()
    # JSON's quotes: without them ["a", "b"] and ['a", "b'] would look the same, and be the same to `_changes`.
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
