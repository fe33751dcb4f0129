"""The JSON Schema of report.json, as `ovmake report --schema` prints it. It is generated from `Report`."""

from __future__ import annotations

import json

from ovmake.contracts.files.report import Report
from ovmake.contracts.schema import schema

NAME = "ovmake-report.schema.json"


def text() -> str:
    """Return the schema."""
    named = {"$id": NAME, "title": "report.json of ovmake", **schema(Report)}
    return json.dumps(named, indent=1) + "\n"
