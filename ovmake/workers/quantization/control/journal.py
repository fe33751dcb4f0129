"""What a search found out, kept line by line, so that a killed one loses one trial at most.

    journal = Journal.open(path)
    journal.trial(names) -> dict | None     what is known of this set of layers
    journal.note_trial(names, found)
    journal.effects, journal.note_effects(found)

The file's name is the digest of everything that its contents depend on (see `Action.journal`), and so it needs no
version and no check. What a search is told to reach is no part of that: a stricter promise finds the trials of a milder
one. A line is written whole or not at all as far as a reader can tell: one that ends in the middle is passed over.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(slots=True)
class Journal:
    """An open journal. `lines` counts what was there when it was opened."""

    path: Path
    effects: dict[str, Any] | None = None
    trials: dict[frozenset[str], dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def open(cls, path: str) -> Journal:
        """Read what is there; without a path or a file, nothing."""
        journal = cls(Path(path))
        if path and journal.path.exists():
            for line in journal.path.read_text(errors="replace").splitlines():
                journal._take(line)
        return journal

    def _take(self, line: str) -> None:
        try:
            entry = json.loads(line)
        except ValueError:  # the line that a killed search was writing
            return
        if "effects" in entry:
            self.effects = entry["effects"]
        else:
            self.trials[frozenset(entry["names"])] = entry["found"]

    def trial(self, names: Collection[str]) -> dict[str, Any] | None:
        """Return what a trial of this set found, None if there was none."""
        return self.trials.get(frozenset(names))

    def note_trial(self, names: Collection[str], found: Mapping[str, Any]) -> None:
        """Add a trial."""
        self.trials[frozenset(names)] = dict(found)
        self._write({"names": sorted(names), "found": found})

    def note_effects(self, found: Mapping[str, Any]) -> None:
        """Add what the layers' effects are."""
        self.effects = dict(found)
        self._write({"effects": found})

    def _write(self, entry: Mapping[str, Any]) -> None:
        if not self.path.name:
            return
        with self.path.open("ab") as file:
            # A line that was cut off must not swallow this one.
            cut = file.tell() > 0 and self._last_byte() != b"\n"
            file.write((b"\n" if cut else b"") + json.dumps(entry).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def _last_byte(self) -> bytes:
        with self.path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1)
