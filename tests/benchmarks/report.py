"""How long the page of a report takes to write, and how large it is: for 10 models and for 1,000, of 3 targets each.

    python tests/benchmarks/report.py

Records are made up; what is timed is what `ovmake report` does with them: rows, JSON, HTML.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from ovmake.commands.report.document import document
from ovmake.commands.report.render.html import to_html
from ovmake.commands.report.tables import build_page
from ovmake.contracts.codec import to_bytes
from tests.benchmarks.turns import machine, table
from tests.commands.report.targets import target

PRECISIONS = ("fp32", "fp16", "int8")


def main() -> None:
    """Print a table."""
    rows = []
    for models in (10, 1_000):
        reports = [target(f"model-{at}:{precision}") for at in range(models) for precision in PRECISIONS]
        before = time.process_time()
        page = build_page(reports, title="")
        body = to_bytes(document(page))
        html = to_html(page)
        spent = time.process_time() - before
        rows.append(
            [f"{models:,} models", f"{spent:.2f} s", f"{len(html.encode()) / 1e6:.2f} MB", f"{len(body) / 1e6:.2f} MB"]
        )
    print(machine())
    print(table(["", "CPU time", "index.html", "report.json"], rows))


if __name__ == "__main__":
    main()
