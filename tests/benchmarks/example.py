"""How long the bundled example takes: cold build, no-op, no-op without the stamp; as ratios to an empty Python.

    python tests/benchmarks/example.py

Run it on a quiet machine. Figures are medians of several runs taken in turns; the cold build's is of one.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
ROUNDS = 15


def seconds(folder: Path, *words: str) -> float:
    """Run Python with some words and return the time it took."""
    started = time.perf_counter()
    subprocess.run([sys.executable, *words], cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - started


def without_stamp(folder: Path) -> float:
    """Return the time of a no-op that has to look at everything."""
    (folder / ".ovmake/stamp").unlink(missing_ok=True)
    return seconds(folder, "-m", "ovmake", "build")


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "fashion"
        shutil.copytree(ROOT / "examples/fashion", folder, ignore=shutil.ignore_patterns("build", ".ovmake"))
        cold = seconds(folder, "-m", "ovmake", "build")
        runs: dict[str, list[float]] = {"python -c pass": [], "no-op": [], "no-op, full look": []}
        for _ in range(ROUNDS):
            runs["python -c pass"].append(seconds(folder, "-c", "pass"))
            runs["no-op, full look"].append(without_stamp(folder))
            runs["no-op"].append(seconds(folder, "-m", "ovmake", "build"))
    medians = {"cold build": cold} | {name: statistics.median(times) for name, times in runs.items()}
    print(f"{'':<20} {'seconds':>8} {'ratio':>8}")
    for name, median in medians.items():
        print(f"{name:<20} {median:>8.3f} {median / medians['python -c pass']:>8.1f}")


if __name__ == "__main__":
    main()
