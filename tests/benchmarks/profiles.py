"""Where the time of a no-op `ovmake build` goes: for `noop.py --profile`.

    floors(python, ovmake, folder, environment, rounds) -> str     a table: what cannot be had for less, and the no-op
    imports(...) -> str                                            the dearest modules, by `-X importtime`
    calls(...) -> str                                              the dearest functions, by cProfile

The floors are a bare Python, one that also stats every file of the graph in a loop, and `ovmake --help`, which loads
the command line and does nothing.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from tests.benchmarks.turns import cpu, in_turns, ms, spent, table, wall

STAT = "import os, sys\nfor path in open(sys.argv[1]).read().splitlines(): os.stat(path)"
SCAN = """
import os, sys
def scan(folder):
    for entry in os.scandir(folder):
        if entry.is_dir(): scan(entry.path)
        else: entry.stat()
scan("models"); scan("build")
"""
SHOWN = 12
PROFILED = """
import cProfile, pstats, sys
sys.path[0] = sys.argv[2]  # as for the console script: with another path, other packages might be installed
profile = cProfile.Profile()
with profile:
    from ovmake.cli import main
    main(["build"])
pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(int(sys.argv[1]))
"""


def floors(python: Path, ovmake: Path, folder: Path, environment: Mapping[str, str], rounds: int) -> str:
    """Return the table of the no-op and of what is less than it."""
    # What the stamp of ovmake names: files, and the folders of sources, in which a file could appear.
    found = [*sorted((folder / "models").rglob("*")), *sorted((folder / "build").rglob("*.*"))]
    files = [str(path.relative_to(folder)) for path in found]
    bare = [str(python), "-I", "-c"]
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as listed:
        listed.write("\n".join(files))
        listed.flush()
        commands = {
            "`python -I -c pass`": [*bare, "pass"],
            f"the same, and `os.stat` of {len(files)} files and folders": [*bare, STAT, listed.name],
            "the same, by `os.scandir`": [*bare, SCAN],
            "`ovmake --help`": [str(ovmake), "--help"],
            "`ovmake build`": [str(ovmake), "build"],
        }
        runs = in_turns({told: partial(spent, words, folder, environment) for told, words in commands.items()}, rounds)
    return table(["", "wall", "CPU"], [[told, ms(wall(found)), ms(cpu(found))] for told, found in runs.items()])


def imports(python: Path, ovmake: Path, folder: Path, environment: Mapping[str, str]) -> str:
    """Return the modules that a no-op loads, the dearest first."""
    command = [str(python), "-X", "importtime", str(ovmake), "build"]
    lines = _stderr(command, folder, environment).splitlines()
    loaded = [line.removeprefix("import time:").split("|") for line in lines if line.startswith("import time:")]
    spent_us = {name.strip(): int(own) for own, _, name in loaded if own.strip().isdigit()}
    dearest = sorted(spent_us.items(), key=lambda pair: -pair[1])[:SHOWN]
    total = f"all {len(spent_us)} modules"
    rows = [
        [total, f"{sum(spent_us.values()) / 1000:.1f} ms"],
        *([f"`{name}`", f"{us / 1000:.1f} ms"] for name, us in dearest),
    ]
    return table(["loaded by a no-op", "itself"], rows)


def calls(python: Path, ovmake: Path, folder: Path, environment: Mapping[str, str]) -> str:
    """Return what cProfile says of a no-op: own time, its cost included."""
    told = _stderr([str(python), "-c", PROFILED, str(SHOWN), str(ovmake.parent)], folder, environment)
    return "\n".join(f"    {line}".rstrip() for line in told.splitlines() if line.strip())


def _stderr(command: list[str], folder: Path, environment: Mapping[str, str]) -> str:
    done = subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True)
    return done.stderr
