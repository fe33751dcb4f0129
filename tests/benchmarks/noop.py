"""A build where nothing is to be done: ovmake beside ninja, GNU make, doit and Snakemake on the same file graph.

    python tests/benchmarks/noop.py [--models 1000] [--rounds 10] [--tools ninja,make,doit,snakemake,ovmake]
                                    [--scratch DIR] [--ovmake PATH] [--profile]

Prints Markdown: the time of a no-op build by every tool, taken in turns, and its ratio to ninja's; what one changed
model or setting costs beyond it; what `-n`, `status`, `explain` and `--help` take. `--models 100,1000,10000` adds how
the time grows; at 10,000 only ninja, make and ovmake take part. `graphs.py` says how each tool's file is written.

The peers are installed from PyPI into DIR/peers (GNU make is the system's). ovmake is the console script beside the
Python that runs this, or PATH, with this checkout's code. Its state is made by `ovmake build` on real models, one of
whose bytes all are copies: the first is converted, the others come from the action cache. That takes some minutes for
1,000 models, so the repos stay in DIR, by the number of models and the version of ovmake's rules and workers.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT))

from tests.benchmarks import profiles  # noqa: E402
from tests.benchmarks.graphs import MARK, PRECISIONS, TOOLS, models, place_sources  # noqa: E402
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

PEERS = ("ninja", "doit", "snakemake")
# From here on the slow ones would take minutes a round.
MANY = 10_000
FAST = ("ninja", "make", "ovmake")
LABELS = {"ninja": "ninja", "make": "GNU make", "doit": "doit", "snakemake": "Snakemake", "ovmake": "**ovmake**"}
SLOW_ROUNDS = 5
# The model whose source every other model's is a copy of, and two others to change between.
FIRST, A, B = 1, 2, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Where things are."""

    scratch: Path
    ovmake: Path

    @property
    def python(self) -> Path:
        """The Python that runs ovmake."""
        return self.ovmake.with_name("python")

    @property
    def environment(self) -> dict[str, str]:
        """The peers first in the path, and this checkout's ovmake."""
        path = f"{self.scratch / 'peers/bin'}{os.pathsep}{os.environ['PATH']}"
        return {**with_bytecode(), "PATH": path, "PYTHONPATH": str(ROOT)}

    def command(self, tool: str, *, first: bool = False) -> list[str]:
        """Return the command of a no-op build, or of the first one."""
        if tool == "ovmake":
            return [str(self.ovmake), "build"]
        program, *words = (first and TOOLS[tool].first) or TOOLS[tool].command
        return [shutil.which(program, path=self.environment["PATH"]) or program, *words]

    def repo(self, tool: str, count: int) -> Path:
        """Return the folder with a tool's graph."""
        return self.scratch / str(count) / (f"ovmake-{self.version()}" if tool == "ovmake" else tool)

    def version(self) -> str:
        """Return a digest of what makes ovmake's artifacts: with another one, some would be made again."""
        code = "from ovmake.store.own_code import OwnCode; print(OwnCode().of_all())"
        command = [str(self.python), "-c", code]
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=self.environment)
        return done.stdout.strip()

    def run(self, folder: Path, *words: str) -> Spent:
        """Time an ovmake command."""
        return spent([str(self.ovmake), *words], folder, self.environment)


# preparing


def install_peers(scratch: Path, tools: Sequence[str]) -> None:
    """Install the peers that are not there."""
    folder = scratch / "peers"
    missing = [tool for tool in PEERS if tool in tools and not (folder / "bin" / tool).exists()]
    if missing:
        say(f"installing {', '.join(missing)} into {folder}")
        if not folder.exists():
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([folder / "bin/pip", "install", "--quiet", *missing], check=True)


def tiny_models(bench: Bench, seeds: Sequence[int]) -> list[Path]:
    """Return SavedModels with these seeds, made where they are not there."""
    folder = bench.scratch / "models"
    folder.mkdir(parents=True, exist_ok=True)
    missing = [str(seed) for seed in seeds if not (folder / str(seed)).exists()]
    if missing:
        say(f"making {len(missing)} SavedModels")
        script = [str(bench.python), str(HERE / "tiny_models.py"), str(folder), *missing]
        subprocess.run(script, check=True, capture_output=True)
    return [folder / str(seed) for seed in seeds]


def prepare(bench: Bench, tool: str, count: int) -> None:
    """Write a tool's graph and build it, where that has not been done; make sure that it is idle then."""
    folder, names = bench.repo(tool, count), models(count)
    if tool == "ovmake" and folder.parent.exists():
        for old in folder.parent.glob("ovmake-*"):
            if old != folder:
                shutil.rmtree(old)
    TOOLS[tool].write(folder, names)
    (original,) = tiny_models(bench, [FIRST])
    place_sources(folder, names, original)
    say(f"{tool}, {count} models: building what is missing")
    started = time.perf_counter()
    build(bench, tool, folder, first=True)
    say(f"{tool}, {count} models: built in {time.perf_counter() - started:.1f} s")
    if TOOLS[tool].idle not in build(bench, tool, folder):
        raise SystemExit(f"{tool}: a second build in {folder} is no no-op")


def build(bench: Bench, tool: str, folder: Path, *, first: bool = False) -> str:
    """Build, and return all that the tool said."""
    done = subprocess.run(
        bench.command(tool, first=first), cwd=folder, env=bench.environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SystemExit(
            f"{tool} in {folder}: exit status {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
    return done.stdout + done.stderr


# no-op builds


def idle_runs(bench: Bench, tools: Sequence[str], count: int, rounds: int) -> Runs:
    """Time the no-op builds of all tools."""
    for tool in tools:
        prepare(bench, tool, count)

    environment = bench.environment
    return in_turns(
        {tool: partial(spent, bench.command(tool), bench.repo(tool, count), environment) for tool in tools}, rounds
    )


def idle_table(runs: Runs, count: int) -> str:
    """Return the table of no-op builds."""
    first = next(iter(runs))
    rows = [
        [
            LABELS[tool],
            ms(wall(found)),
            ms(cpu(found)),
            str(ratio(found, runs[first])),
            f"{cpu(found) / cpu(runs[first]):.3g}",
        ]
        for tool, found in runs.items()
    ]
    head = [f"no-op, {count} models in {len(PRECISIONS)} precisions", "wall", "CPU"]
    head += [f"wall, times {first}'s (range of rounds)", f"CPU, times {first}'s"]
    return table(head, rows)


def growth_table(found: dict[int, Runs]) -> str:
    """Return how the no-op's CPU time grows with the models: at each size, and what a model adds.

    CPU time, for a no-op has one thread, and the sizes are measured one after another: not in turns.
    """
    counts = sorted(found)
    tools = [tool for tool in TOOLS if all(tool in found[count] for count in counts)]
    rows = []
    for tool in tools:
        times = [cpu(found[count][tool]) for count in counts]
        slopes = [
            f"{(times[at + 1] - times[at]) / (counts[at + 1] - counts[at]) * 1000:.1f} µs"
            for at in range(len(counts) - 1)
        ]
        rows.append([LABELS[tool], *(ms(time) for time in times), *slopes])
    steps = [f"a model, {one} to {other}" for one, other in itertools.pairwise(counts)]
    return table(["no-op, CPU", *(f"{count} models" for count in counts), *steps], rows)


# one change


class Edited:
    """A repo in which one model is changed and changed back."""

    def __init__(self, bench: Bench, folder: Path, name: str) -> None:
        self._bench = bench
        self._folder = folder
        self._name = name
        self._ovfile = (folder / "Ovfile").read_text()

    def source(self, original: Path) -> Spent:
        """Give the model other bytes, as an export would: the files are replaced. Build."""
        for file in sorted(original.rglob("*")):
            if file.is_file():
                target = self._folder / "models" / self._name / file.relative_to(original)
                partial = target.with_name(f".{target.name}.partial")
                shutil.copyfile(file, partial)
                partial.replace(target)
        return self._build()

    def setting(self, mode: str) -> Spent:
        """Give the last model another setting. Build."""
        (self._folder / "Ovfile").write_text(self._ovfile.replace(MARK, f'{MARK}int8-weights.mode = "{mode}"\n'))
        return self._build()

    def restore(self, original: Path) -> None:
        """Leave the repo as it was."""
        (self._folder / "Ovfile").write_text(self._ovfile)
        self.source(original)

    def _build(self) -> Spent:
        found = self._bench.run(self._folder, "build")
        # Not timed: whatever a later build would have to do once more.
        self._bench.run(self._folder, "build")
        return found


def change_table(bench: Bench, count: int, rounds: int) -> str:
    """Return what one change costs among `count` models, and where the changed one is alone."""
    prepare(bench, "ovmake", 1)
    first, a, b = tiny_models(bench, [FIRST, A, B])
    fresh = random.SystemRandom()
    new = iter(tiny_models(bench, [fresh.randrange(10**12) for _ in range(2 * (rounds + 1))]))
    repos = {size: bench.repo("ovmake", size) for size in (count, 1)}
    edited = {size: Edited(bench, folder, models(size)[-1]) for size, folder in repos.items()}
    turns: dict[str, Callable[[], Spent]] = {}
    for size, repo in edited.items():
        turns[f"nothing {size}"] = partial(bench.run, repos[size], "build")
        turns[f"known bytes {size}"] = partial(_next, repo.source, itertools.cycle([a, b]))
        turns[f"new bytes {size}"] = partial(_next, repo.source, new)
        turns[f"setting {size}"] = partial(_next, repo.setting, itertools.cycle(["sym", "asym"]))
    runs = in_turns(turns, rounds)
    for repo in edited.values():
        repo.restore(first)
    words = {
        "nothing": "nothing changed",
        "known bytes": "one source changed to bytes seen before",
        "new bytes": "one source changed to new bytes",
        "setting": "one setting of a model changed and back",
    }
    rows = []
    for kind, told in words.items():
        many, alone = runs[f"{kind} {count}"], runs[f"{kind} 1"]
        beyond = [wall(found) - wall(runs[f"nothing {size}"]) for found, size in ((many, count), (alone, 1))]
        rows.append([told, ms(wall(many)), ms(wall(alone)), *("" if kind == "nothing" else ms(one) for one in beyond)])
    head = ["`ovmake build`", f"among {count} models", "with that one alone", "beyond the no-op", "beyond it, alone"]
    return table(head, rows)


Thing = TypeVar("Thing")


def _next(change: Callable[[Thing], Spent], things: Iterator[Thing]) -> Spent:
    return change(next(things))


def command_table(bench: Bench, count: int, rounds: int) -> str:
    """Return what the commands take that only look."""
    folder = bench.repo("ovmake", count)
    target = f"{models(count)[-1]}:fp16"
    commands = [["--help"], ["build"], ["build", target], ["build", "-n"], ["status"], ["explain", target]]
    runs = in_turns({" ".join(words): partial(bench.run, folder, *words) for words in commands}, rounds)
    rows = [[f"`ovmake {words}`", ms(wall(found)), ms(cpu(found))] for words, found in runs.items()]
    return table([f"among {count} models", "wall", "CPU"], rows)


def profile(bench: Bench, count: int, rounds: int) -> str:
    """Return where the time of a no-op goes."""
    place = (bench.repo("ovmake", count), bench.environment)
    return "\n\n".join(
        [
            profiles.floors(bench.python, bench.ovmake, *place, rounds),
            profiles.imports(bench.python, bench.ovmake, *place),
            profiles.calls(bench.python, bench.ovmake, *place),
        ]
    )


def arguments() -> argparse.Namespace:
    """Return the command line's."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--models", default="1000", help="how many, or several numbers")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--tools", default=",".join(TOOLS))
    parser.add_argument("--scratch", type=Path, default=Path(tempfile.gettempdir()) / "ovmake-noop")
    parser.add_argument("--ovmake", type=Path, default=Path(sys.executable).with_name("ovmake"))
    parser.add_argument("--only-noop", action="store_true", help="no changes, no other commands")
    parser.add_argument("--profile", action="store_true", help="where ovmake's time goes")
    return parser.parse_args()


def main() -> None:
    """Measure, and print tables."""
    given = arguments()
    bench = Bench(scratch=given.scratch.resolve(), ovmake=given.ovmake.absolute())
    bench.scratch.mkdir(parents=True, exist_ok=True)
    tools = [tool for tool in TOOLS if tool in given.tools.split(",")]
    install_peers(bench.scratch, tools)
    found: dict[int, Runs] = {}
    for count in (int(word) for word in given.models.split(",")):
        found[count] = idle_runs(bench, [t for t in tools if count < MANY or t in FAST], count, given.rounds)
        print(f"\n{idle_table(found[count], count)}", flush=True)
    if len(found) > 1:
        print(f"\n{growth_table(found)}", flush=True)
    if given.profile:
        print(f"\n{profile(bench, max(found), given.rounds)}", flush=True)
    if not given.only_noop:
        for count in found:
            print(f"\n{change_table(bench, count, min(given.rounds, SLOW_ROUNDS))}", flush=True)
            print(f"\n{command_table(bench, count, min(given.rounds, SLOW_ROUNDS))}", flush=True)
    print(f"\n{machine()}; ovmake is {bench.ovmake} with the code of {ROOT}")


if __name__ == "__main__":
    main()
