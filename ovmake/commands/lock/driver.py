"""`ovmake lock --merge BASE OURS THEIRS`: git's merge driver for Ovfile.lock.

    [merge "ovmake"]
        name = Ovfile.lock, block by block
        driver = ovmake lock --merge %O %A %B

    merge_files(base, ours, theirs) -> DriverResult

Git writes the three versions to files, and takes the result from OURS. It runs the driver before it writes the
merged files, so the present inputs are unknown, and a block that both sides changed stays in conflict. `ovmake lock`
decides it later. A rebase or cherry-pick swaps the sides; the result is the same.

Rule: If a side cannot be parsed, OURS gets both texts whole, between conflict markers. Neither side is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ovmake.contracts.sharing.lock import Lock
from ovmake.diagnostics import OvmakeError
from ovmake.lockfile.conflicts import has_markers, sides_of
from ovmake.lockfile.file import read_text, write_text
from ovmake.lockfile.merging import locks_of, merge, with_conflicts
from ovmake.lockfile.text import parse, render


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverResult:
    """What the driver did. `undecided` are targets in conflict; `unreadable`: why a side cannot be parsed, else ""."""

    undecided: tuple[str, ...] = ()
    unreadable: str = ""

    @property
    def exit_status(self) -> int:
        """0 tells git that the file is merged, 1 that it is in conflict."""
        return 1 if self.undecided or self.unreadable else 0


def merge_files(base: Path, ours: Path, theirs: Path) -> DriverResult:
    """Merge three files into `ours`.

    Raises:
        OvmakeError: a file cannot be read as text, or `ours` cannot be written. `ours` is unchanged.
    """
    mine, other = _read(ours), _read(theirs)
    try:
        locks = [parse(mine, file="ours"), parse(other, file="theirs")]
    except OvmakeError as error:
        _write(ours, f"<<<<<<< ours\n{_ended(mine)}=======\n{_ended(other)}>>>>>>> theirs\n")
        return DriverResult(unreadable=error.diagnostics[0].message)
    merged = merge(_base(base), locks)
    if not merged.undecided:
        _write(ours, render(merged.lock))
        return DriverResult()
    _write(ours, with_conflicts(merged))
    return DriverResult(undecided=merged.must_build)


def _base(path: Path) -> Lock | None:
    """Return the common ancestor: empty if both sides added the lock, None if it is unknown.

    In a criss-cross merge, this driver made the base from two bases; it may have conflict markers.
    """
    try:
        text = _read(path)
        sides = sides_of(text, file="base").all if has_markers(text) else (text,)
    except OvmakeError:
        return None
    locks = [lock for side in sides for lock in locks_of(side, file="base")]
    return merge(None, locks).lock


def _read(path: Path) -> str:
    text = read_text(path.parent, path.name)
    return "" if text is None else text


def _write(path: Path, text: str) -> None:
    write_text(path.parent, text, path.name)


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"
