"""Write the table of differences in README.md: every IR of the zoo against TensorFlow, from the records of the build.

    ovmake build && python table.py

One row per output. What was not measured is not in the table, and is said to be missing.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
START, END = "<!-- differences -->\n", "<!-- /differences -->\n"
HEAD = (
    "| target | output | scale | max abs | max rel | mean abs | SNR, dB | cosine | argmax | read |",
    "|---|---|---:|---:|---:|---:|---:|---:|---:|---|",
)


def rows(record: dict[str, Any]) -> list[str]:
    """Return a row of figures per output of one target."""
    way = "directly" if record["source"]["read_by"].startswith("by OpenVINO") else "frozen first"
    return [
        f"| `{record['target']}` | `{found['name']}` | {number(found['scale'])} | {number(found['max_abs'])} "
        f"| {number(found['max_rel'])} | {number(found['mean_abs'])} | {decibels(found)} | {found['cosine']:.6f} "
        f"| {share(found['argmax'])} | {way} |"
        for found in record["differences"]
    ]


def number(value: float | None) -> str:
    """Return three digits of a figure."""
    return "-" if value is None else f"{value:.3g}"


def decibels(found: dict[str, Any]) -> str:
    """Return the signal-to-noise ratio; outputs that are equal have no noise."""
    return "equal" if found["snr_db"] is None else f"{found['snr_db']:.0f}"


def share(value: float | None) -> str:
    """Return the share of rows with the same largest element."""
    return "-" if value is None else f"{value:.1%}"


def main() -> int:
    """Rewrite the table; 1 when nothing was built."""
    records = [json.loads(path.read_bytes()) for path in sorted(HERE.glob("build/*/*/record.json"))]
    if not records:
        sys.stderr.write("there is nothing under build/: run `ovmake build` first\n")
        return 1
    versions = records[0]["versions"]
    told = f"{len(records)} IRs; OpenVINO {versions['openvino']}, TensorFlow {versions['tensorflow']}, oneDNN off.\n"
    table = "\n".join([told, *HEAD, *(row for record in records for row in rows(record))])
    readme = HERE / "README.md"
    before, _, rest = readme.read_text().partition(START)
    _, _, after = rest.partition(END)
    readme.write_text(f"{before}{START}{table}\n{END}{after}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
