"""`python -m tests.fuzz COUNT`: see the package."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from tests.fuzz.harness import Report, fuzz, sound, written

BATCH = 50


def main() -> int:
    """Fuzz in batches; a batch without anything wrong is removed."""
    parser = argparse.ArgumentParser(description="Build damaged models, and ask TensorFlow about what is published.")
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=None)
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="fuzz-"))
    models = folder / "sound"
    models.mkdir(parents=True)
    sound(models)
    report = Report()
    for start in range(0, given.count, BATCH):
        place = folder / f"batch-{start}"
        found = fuzz(models, place, count=min(BATCH, given.count - start), seed=given.seed + start)
        report.add(found)
        (folder / "messages.txt").write_text("\n".join(report.messages))
        (folder / "report.json").write_text(written(report))
        print(start + BATCH, dict(report.counts), *found.wrong, sep="\n", flush=True)
        if not found.wrong:
            shutil.rmtree(place)
    print(written(report))
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
