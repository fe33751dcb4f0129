"""The journal of a search: its results line by line, so that a killed search loses at most one trial.

    journal = Journal.open(path)
    journal.trial(names) -> dict | None     the result for this set of layers
    journal.note_trial(names, found)
    journal.effects, journal.note_effects(found)

The file's name is the digest of everything that its content depends on (see `Action.journal`), so it needs no version
and no check. The accuracy requirement is not part of the digest: a search with a stricter requirement reuses the trials
of a milder one. A reader skips an incomplete line.
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
    """An open journal. `lines` is the number of lines when it was opened."""

    path: Path
    effects: dict[str, Any] | None = None
    trials: dict[frozenset[str], dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def open(cls, path: str) -> Journal:
        """Read the journal; it is empty without a path or a file."""
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
        """Return the result of a trial of this set, None if there was none."""
        return self.trials.get(frozenset(names))

    def note_trial(self, names: Collection[str], found: Mapping[str, Any]) -> None:
        """Add a trial."""
        self.trials[frozenset(names)] = dict(found)
        self._write({"names": sorted(names), "found": found})

    def note_effects(self, found: Mapping[str, Any]) -> None:
        """Add the layers' effects."""
        self.effects = dict(found)
        self._write({"effects": found})

    def _write(self, entry: Mapping[str, Any]) -> None:
        if not self.path.name:
            return
        with self.path.open("ab") as file:
            # An incomplete last line must not merge with this one.
            cut = file.tell() > 0 and self._last_byte() != b"\n"
            file.write((b"\n" if cut else b"") + json.dumps(entry).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def _last_byte(self) -> bytes:
        with self.path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1)
