"""The journal of a search: its results line by line, so that a killed search loses at most one trial.

    journal = Journal.open(path)
    journal.trial(names) -> Trial | None     the result for this set of layers
    journal.note_trial(trial)
    journal.effects, journal.note_effects(effects)

The file's name is the digest of everything that its content depends on (see `Action.journal`), so it needs no version
and no check. The accuracy requirement is not part of the digest: a search with a stricter requirement reuses the trials
of a milder one. A reader skips an incomplete line.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from ovmake.contracts.codec import ContractError, encode, from_bytes
from ovmake.contracts.files.evaluation import Figures
from ovmake.workers.quantization.control.search import Names


@dataclass(frozen=True, slots=True, kw_only=True)
class Interim:
    """A trial after some feeds: `count` samples, the sum of their drops and the sum of the squares.

    `wrong` is the number of TensorFlow's wrong answers, if answers are right or wrong.
    """

    count: int
    drops: float
    squares: float
    wrong: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """The result of a set of layers: its figures, as in an evaluation, and their cost.

    `interims` is empty if the metric is not a mean. They show where a trial would have ended for a different
    requirement, so that a search gives the same result with any journal. `whole`: all samples were run.
    `largest_error` are the numbers of the samples with the largest quantization error.
    """

    names: Names
    figures: Figures
    seconds: float
    whole: bool
    interims: tuple[Interim, ...] = ()
    largest_error: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """The layers' effects: `products[i][j]` of layers i and j, summed over samples; and the cost of measuring them."""

    names: tuple[str, ...]
    products: tuple[tuple[float, ...], ...]
    inferences: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A line of the file: one of both."""

    trial: Trial | None = None
    effects: Effects | None = None


@dataclass(slots=True)
class Journal:
    """An open journal."""

    path: Path
    effects: Effects | None = None
    trials: dict[frozenset[str], Trial] = field(default_factory=dict)

    @classmethod
    def open(cls, path: str) -> Journal:
        """Read the journal; it is empty without a path or a file."""
        journal = cls(Path(path))
        if path and journal.path.exists():
            for line in journal.path.read_bytes().splitlines():
                journal._take(line)
        return journal

    def _take(self, line: bytes) -> None:
        try:
            found = from_bytes(_Line, line, "journal of control")
        except ContractError:  # the line that a killed search was writing
            return
        self.effects = found.effects or self.effects
        if found.trial is not None:
            self.trials[frozenset(found.trial.names)] = found.trial

    def trial(self, names: Collection[str]) -> Trial | None:
        """Return the result of a trial of this set, None if there was none."""
        return self.trials.get(frozenset(names))

    def note_trial(self, trial: Trial) -> None:
        """Add a trial."""
        self.trials[frozenset(trial.names)] = trial
        self._write(_Line(trial=trial))

    def note_effects(self, effects: Effects) -> None:
        """Add the layers' effects."""
        self.effects = effects
        self._write(_Line(effects=effects))

    def _write(self, entry: _Line) -> None:
        if not self.path.name:
            return
        with self.path.open("ab") as file:
            # An incomplete last line must not merge with this one.
            cut = file.tell() > 0 and self._last_byte() != b"\n"
            file.write((b"\n" if cut else b"") + json.dumps(encode(entry)).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def _last_byte(self) -> bytes:
        with self.path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1)
