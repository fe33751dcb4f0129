"""Do the ranges of speed-ups hold what they say? Measure the same targets again and again, and see.

    python tests/benchmarks/coverage.py FOLDER [TARGET...] [--repeats 10] [--load] [--keep FOLDER]

FOLDER holds an Ovfile; it is copied. Each repetition is `ovmake report --force`, in new processes. A range *covers* if
it holds the median of all repetitions' speed-ups. Beside it the same of `benchmark_app`, OpenVINO's own program, which
runs the IR alone and says a median without a range: it is given the one that ovmake had at that repetition.

`--load` keeps one core busy meanwhile. `--keep` leaves the measurements and their raw samples there.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from ovmake.workers.inputs.synthetic import DYNAMIC_SIZE
from tests.benchmarks.turns import machine, say, table

BUSY = "while True: pass"
APP_SECONDS = 3
LABELS = ("unstable", "loaded", "high_latency")


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """Of a target's ranges: how many hold the median of all, and how wide half of one is, as a share."""

    median: float
    held: int
    of: int
    half_width: float
    least: float
    most: float


def main() -> None:
    """Measure and print a table."""
    asked = _arguments()
    with tempfile.TemporaryDirectory() as scratch, _load() if asked.load else contextlib.nullcontext():
        folder = Path(scratch) / "repo"
        shutil.copytree(asked.folder, folder, symlinks=True)
        taken: list[dict[str, Any]] = []
        apps: list[dict[str, float]] = []
        for turn in range(asked.repeats):
            say(f"repetition {turn + 1} of {asked.repeats}")
            taken.append(_measured(folder, asked.targets))
            apps.append({name: _app(folder, name) for name in taken[-1]})
            if asked.keep:
                _keep(Path(asked.keep) / str(turn), folder, taken[-1], apps[-1])
    print(machine() + (", one core kept busy" if asked.load else ""))
    print(_table(taken, apps))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Do the ranges of speed-ups hold what they say?")
    parser.add_argument("folder")
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--load", action="store_true")
    parser.add_argument("--keep")
    return parser.parse_args()


@contextlib.contextmanager
def _load() -> Iterator[None]:
    with subprocess.Popen([sys.executable, "-c", BUSY]) as burner:
        try:
            yield
        finally:
            burner.kill()


def _measured(folder: Path, targets: Sequence[str]) -> dict[str, Any]:
    """Return what one run measured, by target."""
    command = [sys.executable, "-m", "ovmake", "-C", str(folder), "report", "--force", *targets]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    page = json.loads((folder / "build/report/report.json").read_text())
    found = {one["target"]: one for one in page["targets"] if one["measured"] is not None}
    if not found:
        raise SystemExit(done.stderr)
    return found


def _app(folder: Path, target: str) -> float:
    """Return benchmark_app's median in µs of an IR on its own."""
    model, _, precision = target.partition(":")
    xml = folder / f"build/{model}/{precision}/{model}.xml"
    inputs = json.loads(xml.with_name("record.json").read_text())["inputs"]
    shapes = ",".join(f"{one['name']}{_fed(one['shape'])}".replace(" ", "") for one in inputs)
    hint = "bf16" if precision == "bf16" else "f32"
    command = ["benchmark_app", "-m", str(xml), "-hint", "latency", "-t", str(APP_SECONDS), "-infer_precision", hint]
    command += ["-data_shape", shapes]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"Median:\s*([0-9.]+) (us|ms)", done.stdout)
    if found is None:
        raise SystemExit(done.stdout + done.stderr)
    return float(found[1]) * (1000 if found[2] == "ms" else 1)


def _fed(shape: Sequence[int]) -> list[int]:
    """Return the shape of what ovmake feeds without a dataset."""
    return [size if size >= 0 else DYNAMIC_SIZE if axis else 1 for axis, size in enumerate(shape)]


def _keep(to: Path, folder: Path, taken: Mapping[str, Any], apps: Mapping[str, float]) -> None:
    to.mkdir(parents=True, exist_ok=True)
    (to / "measured.json").write_text(json.dumps({"ovmake": taken, "benchmark_app": apps}))
    for name in taken:
        model, _, precision = name.partition(":")
        samples = folder / f"build/report/measurements/{model}/{precision}/samples.jsonl.gz"
        shutil.copy(samples, to / f"{model}-{precision}-{samples.name}")


def _table(taken: Sequence[Mapping[str, Any]], apps: Sequence[Mapping[str, float]]) -> str:
    rows = []
    everywhere = [name for name in taken[0] if all(name in one for one in taken)]
    for name in everywhere:
        speedups = [one[name]["speedup"] for one in taken]
        own = _covered([(one["median"], one["low"], one["high"]) for one in speedups])
        shares = [(one["low"] / one["median"], one["high"] / one["median"]) for one in speedups]
        alone = _covered(
            [(app[name], app[name] * low, app[name] * high) for app, (low, high) in zip(apps, shares, strict=True)]
        )
        labels = [label for one in taken for label in LABELS if one[name]["measured"][label]]
        rows.append(
            [
                name,
                f"{own.median:.2f}",
                f"{own.held} of {own.of}",
                f"{own.half_width:.1%}",
                f"{own.least:.2f} to {own.most:.2f}",
                ", ".join(str(labels.count(label)) for label in LABELS),
                f"{alone.held} of {alone.of}",
                f"{alone.least:.1f} to {alone.most:.1f} µs",
            ]
        )
    head = [
        *("target", "median speed-up", "ranges that hold it", "half of a range", "least to most", ", ".join(LABELS)),
        *("benchmark_app: held", "least to most"),
    ]
    return table(head, rows)


def _covered(found: Sequence[tuple[float, float, float]]) -> Covered:
    """Return how many of some values' ranges, each with its low and high end, hold the median of all values."""
    values = [value for value, _, _ in found]
    median = statistics.median(values)
    return Covered(
        median=median,
        held=sum(low <= median <= high for _, low, high in found),
        of=len(found),
        half_width=statistics.median((high - low) / 2 / value for value, low, high in found),
        least=min(values),
        most=max(values),
    )


if __name__ == "__main__":
    main()
