"""This checkout beside an earlier one, in turns: what a change costs.

    python tests/benchmarks/before.py OLD [--rounds 10] [--models 1000] [--scratch DIR]

OLD is another checkout of ovmake, for example of `git worktree add /tmp/old COMMIT`. Both run with the Python and the
packages that run this. Prints Markdown: of each thing the medians, their ratio, and the range of the ratios of rounds.

    no-op         `ovmake build` where nothing is to be done, of `--models` models
    cold build    examples/fashion from nothing: conversion, INT8, gates, TensorFlow as the reference
    reference     the part of it that TensorFlow takes, as its traces say
    worker        from the start of a worker to the answer of an action that does nothing
"""

from __future__ import annotations

import argparse
import json
import shutil
import sqlite3
import sys
import tempfile
from contextlib import closing
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.benchmarks.turns import (  # noqa: E402
    Runs,
    Spent,
    cpu,
    in_turns,
    machine,
    ms,
    ratio,
    say,
    spent,
    table,
    wall,
    with_bytecode,
)
from tests.e2e.tiny import frozen_graph  # noqa: E402

EXAMPLE = ROOT / "examples/fashion"
OVFILE = "[defaults]\nprecisions = ['fp32']\naccuracy = false\n"
# A worker that is asked for what it does not know answers at once, as an action of its own.
WORKER = """
import os, sys, tempfile
try:
    from ovmake.workers.ipc.cage import Cage
    from ovmake.workers.ipc.client import WorkerProcess
    from ovmake.workers.ipc.protocol import Request
except ImportError:  # where they were before
    from ovmake.workers.cage import Cage
    from ovmake.workers.client import WorkerProcess
    from ovmake.workers.protocol import Request
folder = tempfile.mkdtemp()
more = {"cage": Cage(read=(folder,), write=(folder,)), "scratch": folder}
worker = WorkerProcess.start("loader", boot_log=os.devnull)
for number in (1, 2, 3, 4, 5):
    worker.send(Request(id=number, kind="nothing", **more))
    assert worker.receive() is not None
worker.end()
"""


def environment(checkout: Path) -> dict[str, str]:
    """Return the environment in which a checkout's ovmake runs."""
    return {**with_bytecode(), "PYTHONPATH": str(checkout), "OVMAKE_STATE_KEY": "of whoever measures this"}


def run(checkout: Path, folder: Path, *words: str) -> Spent:
    """Run Python with these words, to its end."""
    return spent([sys.executable, *words], folder, environment(checkout))


def no_op(checkout: Path, folder: Path) -> Spent:
    """Build where nothing is to be done."""
    return run(checkout, folder, "-m", "ovmake", "build")


def cold(checkout: Path, folder: Path) -> Spent:
    """Build from nothing, one action at a time."""
    for name in (".ovmake", "build"):
        shutil.rmtree(folder / name, ignore_errors=True)
    return run(checkout, folder, "-m", "ovmake", "build", "-j", "1")


def reference(folder: Path) -> Spent:
    """Return what TensorFlow took in the last build, as traces say: to be loaded, and to run the reference."""
    with closing(sqlite3.connect(folder / ".ovmake/state.db")) as connection:
        rows = connection.execute(
            "SELECT body FROM traces WHERE action LIKE 'reference %' OR action LIKE 'check-source %'"
        )
        seconds = sum(json.loads(body)["seconds"] for (body,) in rows)
    return Spent(wall_ms=seconds * 1000, cpu_ms=0.0)


def many(folder: Path, models: int) -> None:
    """Write a repo of so many models, all the same."""
    (folder / "models").mkdir(parents=True)
    names = [f"m{number:05}" for number in range(models)]
    targets = "".join(f'[models.{name}]\nsource = "models/{name}.pb"\n' for name in names)
    (folder / "Ovfile").write_text(OVFILE + targets)
    for name in names:
        (folder / f"models/{name}.pb").write_bytes(frozen_graph(1))


def row(name: str, runs: Runs) -> list[str]:
    """Return a row of the table."""
    times = [ms(wall(runs[side])) for side in ("before", "now")]
    busy = cpu(runs["now"]) / cpu(runs["before"]) if cpu(runs["before"]) else None
    return [name, *times, str(ratio(runs["now"], runs["before"])), "" if busy is None else f"{busy:.3f}"]


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("old", type=Path)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--models", type=int, default=1000)
    parser.add_argument("--scratch", type=Path, default=None)
    return parser.parse_args()


def main() -> None:
    """Measure and print."""
    given = arguments()
    checkouts = {"before": given.old.resolve(), "now": ROOT}
    with tempfile.TemporaryDirectory(dir=given.scratch) as scratch:
        idle = {side: Path(scratch, side) for side in checkouts}
        examples = {side: Path(scratch, f"fashion-{side}") for side in checkouts}
        for side, checkout in checkouts.items():
            many(idle[side], given.models)
            shutil.copytree(EXAMPLE, examples[side], ignore=shutil.ignore_patterns(".ovmake", "build"))
            for _ in range(2):  # the second writes the stamp, if files were too young for it in the first
                run(checkout, idle[side], "-m", "ovmake", "build")
        references: dict[str, list[Spent]] = {side: [] for side in checkouts}

        def built(side: str) -> Spent:
            found = cold(checkouts[side], examples[side])
            references[side].append(reference(examples[side]))
            return found

        each = {side: partial(no_op, checkouts[side], idle[side]) for side in checkouts}
        workers = {side: partial(run, checkouts[side], idle[side], "-c", WORKER) for side in checkouts}
        builds = {side: partial(built, side) for side in checkouts}
        rows = [
            row(f"no-op, {given.models} models", in_turns(each, 10 * given.rounds)),
            row("a worker, and five actions of nothing", in_turns(workers, 3 * given.rounds)),
            row("cold build, examples/fashion", in_turns(builds, given.rounds)),
            row("of it TensorFlow's reference", references),
        ]
    say(machine())
    say(table(["", "before", "now", "now : before", "CPU"], rows))


if __name__ == "__main__":
    main()
