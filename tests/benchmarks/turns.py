"""Time commands in turns, and say what was found: for the benchmarks that compare programs.

    spent(command, folder, environment) -> Spent      one run: wall time, and CPU time with all that it waited for
    in_turns({"ninja": run, ...}, rounds) -> Runs     every round runs each once, in a random order
    ratio(runs, one, other) -> Ratio                  of medians, and the range of the ratios of single rounds
    table(head, rows) -> str                          Markdown
    machine() -> str                                  what the figures were measured on

A machine is never as quiet as one thinks: figures of one round have seen the same neighbours, so only ratios of one
round are compared, and their range is shown.
"""

from __future__ import annotations

import datetime as dt
import os
import platform
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# The order within a round is random, and the same in every run of the script.
SEED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What a run took: the time on the clock, and on the CPU (user and system, children included)."""

    wall_ms: float
    cpu_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """A ratio of wall times."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        """Return "2.8 (2.6 to 3.1)"."""
        return f"{self.median:.3g} ({self.low:.3g} to {self.high:.3g})"


Runs = Mapping[str, Sequence[Spent]]


def spent(command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None) -> Spent:
    """Run a command to its end.

    Raises:
        SystemExit: it failed; a benchmark of something that fails says nothing.
    """
    started = time.perf_counter()
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=folder, env=environment, stdin=quiet, stdout=quiet, stderr=quiet)
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)} in {folder}: exit status {process.returncode}")
    return Spent(wall_ms=wall * 1000, cpu_ms=(used.ru_utime + used.ru_stime) * 1000)


def in_turns(subjects: Mapping[str, Callable[[], Spent]], rounds: int) -> Runs:
    """Run each subject once per round, after a round that warms the caches up and does not count."""
    runs: dict[str, list[Spent]] = {name: [] for name in subjects}
    order, chance = list(subjects), random.Random(SEED)  # noqa: S311 - no secret
    for count in range(rounds + 1):
        chance.shuffle(order)
        for name in order:
            found = subjects[name]()
            if count > 0:
                runs[name].append(found)
    return runs


def wall(runs: Sequence[Spent]) -> float:
    """Return the median wall time in milliseconds."""
    return statistics.median(run.wall_ms for run in runs)


def cpu(runs: Sequence[Spent]) -> float:
    """Return the median CPU time in milliseconds."""
    return statistics.median(run.cpu_ms for run in runs)


def ratio(one: Sequence[Spent], other: Sequence[Spent]) -> Ratio:
    """Return how many times the time of `other` `one` took."""
    rounds = [mine.wall_ms / theirs.wall_ms for mine, theirs in zip(one, other, strict=True)]
    return Ratio(median=wall(one) / wall(other), low=min(rounds), high=max(rounds))


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table: the first column is words, the others figures."""
    lines = [head, ["---", *("---:" for _ in head[1:])], *rows]
    return "\n".join(f"| {' | '.join(line)} |".replace("|  |", "| |") for line in lines)


def ms(value: float) -> str:
    """Return milliseconds to read: "8.3 ms", "120 ms", "31 s"."""
    if value >= 10_000:
        return f"{value / 1000:.1f} s"
    return f"{value:.0f} ms" if value >= 100 else f"{value:.1f} ms"


def with_bytecode() -> dict[str, str]:
    """Return the environment less what forbids bytecode: users have it, and ovmake would compile itself each time."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def machine() -> str:
    """Return processor, cores, system and day, and how busy the machine was."""
    text = Path("/proc/cpuinfo").read_text()
    models = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    cores = len(os.sched_getaffinity(0))
    python = platform.python_version()
    load = os.getloadavg()[0]
    day = dt.datetime.now(tz=dt.UTC).date().isoformat()
    return f"{models[0] if models else platform.machine()}, {cores} cores, Python {python}, load {load:.1f}, {day}"


def say(line: str) -> None:
    """Tell whoever waits how far it is."""
    sys.stderr.write(line + "\n")
