"""Merge locks block by block. Pure.

    merge(base, sides, present) -> Merged
    completed(merged, others) -> Merged             blocks of the present inputs, from other locks
    locks_of(text, file=...) -> tuple[Lock, ...]    the locks that a text may be of
    with_conflicts(merged) -> str                   the text with markers around what is undecided

Rule 1: what all sides agree on stays.
Rule 2: where the present inputs are known, a block of them wins, whoever has it; if none is of them, there is none, and
        the target must be built.
Rule 3: else the only side that changed its block wins: its edit, its addition, its deletion.
Rule 4: of two blocks of the same inputs, made with other tools or by another machine, the one of newer tools wins. So
        it does not matter which side is ours: a rebase swaps them.
Rule 5: the rest is undecided.

`present` holds the inputs by target; None where they are not known. In git's merge driver they are not: git asks it
before the merged files are in the folder.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from ovmake.contracts.sharing.lock import Lock, LockedTarget
from ovmake.lockfile import text as lock_text
from ovmake.lockfile.checking import confirms, is_whole
from ovmake.lockfile.inputs import TargetInputs
from ovmake.lockfile.writing import block_text

How = Literal[
    "agreed",  # all sides have it
    "confirmed",  # it is of the present inputs
    "changed",  # one side alone changed it
    "deleted",  # one side deleted it, the others did not change it
    "newer",  # of the same inputs, made with newer tools
    "refused",  # no side has a block of the present inputs
    "undecided",
]

# How a block that is not there, or not readable, stands among those of the other sides.
Candidate = LockedTarget | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """A merged lock. `how` says what became of each target of any side.

    `undecided` are the blocks to choose from, by target, in the order of the sides; they are not in `lock`.
    """

    lock: Lock
    how: Mapping[str, How]
    undecided: Mapping[str, tuple[Candidate, ...]] = field(default_factory=dict)
    present: Mapping[str, TargetInputs] | None = None

    @property
    def must_build(self) -> tuple[str, ...]:
        """The targets without a block of the present inputs; where those are not known, the undecided ones."""
        if self.present is None:
            return tuple(sorted(self.undecided))
        blocks = self.lock.targets
        return tuple(name for name, now in sorted(self.present.items()) if not confirms(blocks.get(name), now))


def merge(base: Lock | None, sides: Sequence[Lock], present: Mapping[str, TargetInputs] | None = None) -> Merged:
    """Merge the locks of all sides. `base` is what they come from, None if that is not known."""
    names = sorted({name for side in sides for name in side.targets} | set(base.targets if base else ()))
    kept: dict[str, LockedTarget] = {}
    how: dict[str, How] = {}
    undecided: dict[str, tuple[Candidate, ...]] = {}
    for name in names:
        candidates = tuple(side.targets.get(name) for side in sides)
        how[name], block = _decided(name, base, candidates, present)
        if block is not None:
            kept[name] = block
        if how[name] == "undecided":
            undecided[name] = candidates
    return Merged(lock=Lock(targets=kept), how=how, undecided=undecided, present=present)


def completed(merged: Merged, others: Sequence[Lock]) -> Merged:
    """Return a merge with the blocks of the present inputs that it lacks and other locks have."""
    kept, how = dict(merged.lock.targets), dict(merged.how)
    present = merged.present or {}
    for name in set(merged.must_build) & present.keys():
        blocks = (lock.targets.get(name) for lock in others)
        confirmed = [one for one in blocks if one is not None and confirms(one, present[name])]
        if confirmed:
            kept[name], how[name] = newest(confirmed), "confirmed"
    return replace(merged, lock=Lock(targets=kept), how=how)


def _decided(
    name: str, base: Lock | None, candidates: Sequence[Candidate], present: Mapping[str, TargetInputs] | None
) -> tuple[How, Candidate]:
    distinct = [one for place, one in enumerate(candidates) if one not in candidates[:place]]
    if len(distinct) == 1:
        return "agreed", distinct[0]
    if present is not None:
        confirmed = [one for one in distinct if one is not None and confirms(one, present.get(name))]
        return ("confirmed", newest(confirmed)) if confirmed else ("refused", None)
    if base is not None:
        changed = [one for one in distinct if one != base.targets.get(name)]
        if len(changed) == 1:
            return ("deleted" if changed[0] is None else "changed"), changed[0]
        distinct = changed
    blocks = [one for one in distinct if one is not None]
    if len(blocks) == len(distinct) and len({one.inputs for one in blocks}) == 1 and all(map(is_whole, blocks)):
        return "newer", newest(blocks)
    return "undecided", None


def newest(blocks: Sequence[LockedTarget]) -> LockedTarget:
    """Return the block of the newest tools; between equal ones, always the same, whatever their order."""
    return max(blocks, key=lambda one: (_age(one), block_text("", one)))


def _age(block: LockedTarget) -> list[tuple[str, list[int]]]:
    return [(tool, [int(part) for part in _NUMBER.findall(said)]) for tool, said in sorted(block.versions.items())]


_NUMBER = re.compile(r"[0-9]{1,9}")


def locks_of(text: str, *, file: str) -> tuple[Lock, ...]:
    """Return the locks that a text may be of. Blocks that cannot be read are left out: they must be built.

    A textual merge can leave two blocks of one target: then there is a lock with the first, and one with the last.
    """
    blocks = lock_text.blocks(text, file=file).blocks
    last = {one.target: one.found for one in blocks}
    first = {one.target: one.found for one in reversed(blocks)}
    return (Lock(targets=first),) if first == last else (Lock(targets=first), Lock(targets=last))


def with_conflicts(merged: Merged, *, labels: tuple[str, str] = ("ours", "theirs")) -> str:
    """Return the text of a merged lock of two sides, with conflict markers around the blocks that are undecided."""
    parts = {name: block_text(name, block) for name, block in merged.lock.targets.items()}
    for name, candidates in merged.undecided.items():
        ours, theirs = ("" if one is None else block_text(name, one) for one in candidates)
        parts[name] = f"<<<<<<< {labels[0]}\n{ours}=======\n{theirs}>>>>>>> {labels[1]}\n"
    return lock_text.HEADER + "".join(f"\n{parts[name]}" for name in sorted(parts))
