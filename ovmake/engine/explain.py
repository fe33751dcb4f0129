"""Reasons as sentences. Pure.

    all_in_words(decision, action, locate) -> a line per reason
    in_words(reason, action, locate) -> str
    nearest_in_words(action, seen, nearest, locate) -> how a result in the remote cache differs

`locate` turns the key path of a setting into "Ovfile:14", or "" if it cannot. For a setting that was removed from the
Ovfile, it finds the table that contained it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from ovmake.diagnostics import harmless
from ovmake.engine.staleness import ABSENT, NOT_SET, Decision, FileChange, Reason, decide
from ovmake.graph.action import MACHINE_PARTS, MACHINE_SEPARATOR, Action, Artifact
from ovmake.graph.trace import Seen, Trace
from ovmake.ovfile.words import KeyPath

Locate = Callable[[KeyPath], str]

# A re-exported SavedModel differs in four or five files.
SHOWN_FILES = 5
# Params that the Ovfile has no key for.
OWN_PARAMS = frozenset({"seed", "target", "execute-in", "target-device", "samples-written"})
# Settings of the model itself. All other settings of a target are usually in the precision's table.
OF_MODEL = frozenset({"inputs", "outputs", "cut", "accuracy"})


def all_in_words(decision: Decision, action: Action, locate: Locate) -> tuple[str, ...]:
    """Return a line per reason, the uncertain ones last. Inputs that wait for the same action share a line."""
    lines = [in_words(reason, action, locate) for reason in decision.reasons if reason.kind != "pending"]
    return (*lines, *_pending(decision, action))


def in_words(reason: Reason, action: Action, locate: Locate) -> str:
    """Return one line without a final period."""
    name, old, new = reason.name, reason.old or "", reason.new or ""
    match reason.kind:
        case "never-built":
            return "never built"
        case "forced":
            return "asked for by --force"
        case "input":
            return _input(reason) + _beside(locate(_named_at(reason, action)))
        case "param":
            return f"`{name}` changed: {old} → {new}" + _beside(_set_at(name, action, locate))
        case "code":
            return _code(name, _bare(old), _bare(new))
        case "tool":
            return _tool(name, _bare(old), _bare(new))
        case "environment":
            return _environment(name, _bare(old), _bare(new))
        case "output-missing":
            stored = any(name == str(Artifact(action.name, output.role)) for output in action.outputs)
            return f"{name} is gone from the store" if stored else f"{name} is missing"
        case "output-edited":
            return f"{name} changed after it was published"
    return _may_change([name], _maker(name, action))  # pending


def nearest_in_words(action: Action, seen: Seen, nearest: Seen, locate: Locate) -> tuple[str, ...]:
    """Return what a build would find in the remote cache for an action that was never built here: a line, and reasons.

    `nearest` is what the latest result of this name in the remote cache saw.
    """
    plain = seen.without(action.advice)
    made = Trace(seen=nearest.without(action.advice), outputs={}, facts={}, seconds=0.0)
    decision = decide(plain, made, {})
    if decision.fresh:
        return (f"{action.name}: the remote cache has the result, and a build restores it",)
    head = f"{action.name}: the latest result in the remote cache differs"
    # What it saw are a stranger's words, if no key is configured.
    return (head, *(f"    {harmless(line)}" for line in all_in_words(decision, action, locate)))


# positions in the Ovfile


def _beside(place: str) -> str:
    return f"  {place}" if place else ""


def _named_at(reason: Reason, action: Action) -> KeyPath:
    """Return the key path that names a source; empty for the output of an action."""
    return next((given.at for given in action.inputs if given.label == reason.name), ())


def _set_at(name: str, action: Action, locate: Locate) -> str:
    if (at := action.place_of(name)) is not None:
        return locate(at)
    if name in OWN_PARAMS:
        return ""
    # The Ovfile no longer has it: return the table that contained it.
    key = tuple(name.split("."))
    precision = action.subject.rpartition(":")[2] if ":" in action.subject else ""
    return locate((*action.at, precision, *key) if precision and key[0] not in OF_MODEL else (*action.at, *key))


# what actions read


def _input(reason: Reason) -> str:
    name, old, new = reason.name, reason.old, reason.new
    if old == ABSENT:
        return f"{name} is a new input"
    if new == ABSENT:
        return f"{name} is no longer an input"
    what = f"{name} replaces {reason.was}" if reason.was else f"{name} changed"
    return f"{what}: {_differing(reason.files) or f'{old} → {new}'}"


def _differing(files: tuple[FileChange, ...]) -> str:
    shown = [_file(one) for one in files[:SHOWN_FILES]]
    more = len(files) - len(shown)
    return ", ".join(shown) + (f", and {more} more" if more else "")


def _file(change: FileChange) -> str:
    # A file's name may hold any bytes, and a terminal would obey an escape sequence.
    path = change.path if change.path.isprintable() else json.dumps(change.path)
    if change.old is None:
        return f"{path} is new"
    return f"{path} is gone" if change.new is None else f"{path} ({change.old} → {change.new})"


def _maker(label: str, action: Action) -> str:
    origins = (given.origin for given in action.inputs if given.label == label)
    return next((origin.action for origin in origins if isinstance(origin, Artifact)), "")


def _pending(decision: Decision, action: Action) -> list[str]:
    waiting: dict[str, list[str]] = {}
    for reason in decision.reasons:
        if reason.kind == "pending":
            waiting.setdefault(_maker(reason.name, action), []).append(reason.name)
    return [_may_change(labels, maker) for maker, labels in waiting.items()]


def _may_change(labels: list[str], maker: str) -> str:
    """Return "`xml` and `bin` of convert m may change when convert m runs"."""
    if not maker:
        return f"{_listed(labels)} may change"
    of = f" of {maker}"
    return f"{_listed([label.removesuffix(of) for label in labels])}{of} may change when {maker} runs"


# tools and environment


def _tool(name: str, old: str, new: str) -> str:
    if old == NOT_SET:
        return f"`{name}` {new} is used now; it was not used before"
    return f"`{name}` {old} is no longer used" if new == NOT_SET else f"`{name}` {old} → {new}"


def _code(room: str, old: str, new: str) -> str:
    if old == NOT_SET:
        return f"`{room}` is used now; it was not used before"
    return f"`{room}` is no longer used" if new == NOT_SET else f"`{room}` changed: {old} → {new}"


def _environment(name: str, old: str, new: str) -> str:
    if NOT_SET in (old, new):
        return f"{name} changed: {old} → {new}"
    if name == "isa":
        return f"instruction sets changed: {_flags(old, new)}"
    was, now = old.split(MACHINE_SEPARATOR), new.split(MACHINE_SEPARATOR)
    if not len(was) == len(now) == len(MACHINE_PARTS):
        return f"{name} changed: {old} → {new}"
    return f"{name} changed: {', '.join(_parts(zip(MACHINE_PARTS, was, now, strict=True)))}"


def _parts(parts: Iterable[tuple[str, str, str]]) -> list[str]:
    """Return the parts of the machine that differ."""
    return [
        f"{part}: {_flags(was, now)}" if part == MACHINE_PARTS[-1] else f"{part} {_figure(was)} → {_figure(now)}"
        for part, was, now in parts
        if was != now
    ]


def _figure(text: str) -> str:
    """Return the value of a part of the machine, without its name."""
    return text.removesuffix(" cores").removeprefix("cpu limit ")


def _flags(old: str, new: str) -> str:
    was, now = old.split(), new.split()
    came, went = [flag for flag in now if flag not in was], [flag for flag in was if flag not in now]
    told = [
        f"{_listed(flags)} {'is' if len(flags) == 1 else 'are'} {word}"
        for flags, word in ((came, "new"), (went, "gone"))
        if flags
    ]
    return ", ".join(told)


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _bare(value: str) -> str:
    """Return a version without its quotes."""
    return value.strip('"')
