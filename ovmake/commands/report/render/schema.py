"""The JSON Schema of report.json, as `ovmake report --schema` prints it: report.schema.json beside this module."""

from __future__ import annotations

from pathlib import Path

TEXT = (Path(__file__).parent / "report.schema.json").read_text()
