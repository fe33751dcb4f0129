"""Merge locks block by block. Pure.

    merge(base, sides, present) -> Merged
    completed(merged, others) -> Merged             add blocks that match the present inputs
    locks_of(text, file=...) -> tuple[Lock, ...]    all locks that a text may mean
    with_conflicts(merged) -> str                   the text, with markers around undecided blocks

Rule 1: A block stays if all sides have it.
Rule 2: If the present inputs are known, the block that matches them wins, on either side. If no block matches, the lock
        gets none, and the target must be built.
Rule 3: Else, if only one side changed the block, its edit, addition or deletion wins.
Rule 4: If two blocks have the same inputs, but were made with other tools or on another machine, the block of newer
        tools wins. The result does not depend on which side is ours: a rebase swaps them.
Rule 5: All other blocks are undecided.

`present` holds the inputs by target; None if they are unknown, as in git's merge driver: git runs it
before it writes the merged files.
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
    "confirmed",  # it matches the present inputs
    "changed",  # one side alone changed it
    "deleted",  # one side deleted it, the others did not change it
    "newer",  # made from the same inputs with newer tools
    "refused",  # no side has a block that matches the present inputs
    "undecided",
]

# The block of a side; None if the side has no readable block.
Candidate = LockedTarget | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """A merged lock. `how` is the decision for each target.

    `undecided` has the blocks of all sides by target, in the order of the sides; they are not in `lock`.
    """

    lock: Lock
    how: Mapping[str, How]
    undecided: Mapping[str, tuple[Candidate, ...]] = field(default_factory=dict)
    present: Mapping[str, TargetInputs] | None = None

    @property
    def must_build(self) -> tuple[str, ...]:
        """The targets whose block does not match the present inputs; if these are unknown, the undecided ones."""
        if self.present is None:
            return tuple(sorted(self.undecided))
        blocks = self.lock.targets
        return tuple(name for name, now in sorted(self.present.items()) if not confirms(blocks.get(name), now))


def merge(base: Lock | None, sides: Sequence[Lock], present: Mapping[str, TargetInputs] | None = None) -> Merged:
    """Merge the locks of all sides. `base` is their common ancestor, None if unknown."""
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
    """Return a merge, completed with blocks of other locks that match the present inputs."""
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
    """Return the block of the newest tools. The order of the blocks does not matter."""
    return max(blocks, key=lambda one: (_age(one), block_text("", one)))


def _age(block: LockedTarget) -> list[tuple[str, list[int]]]:
    return [(tool, [int(part) for part in _NUMBER.findall(said)]) for tool, said in sorted(block.versions.items())]


_NUMBER = re.compile(r"[0-9]{1,9}")


def locks_of(text: str, *, file: str) -> tuple[Lock, ...]:
    """Return all locks that a text may mean. Unreadable blocks are left out: their targets must be built.

    A textual merge can leave two blocks of one target. Then one lock has the first, and another the last.
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
