"""The reference in `ovmake/docs/ovfile.md` agrees with the schema.

After a change of the schema: OVMAKE_BLESS=1 python -m pytest tests/ovfile/test_reference.py
"""

from __future__ import annotations

import os
from pathlib import Path

from ovmake.ovfile.schema.form import walk
from ovmake.ovfile.schema.reference import markdown

PAGE = Path(__file__).parents[2] / "ovmake/docs/ovfile.md"
START, END = "<!-- keys: generated -->", "<!-- /keys -->"


def test_reference_has_a_row_per_key() -> None:
    rows = [line for line in markdown().splitlines() if line.startswith("| `")]

    assert {key.name for _, key in walk()} == {row.split("`")[1] for row in rows}


def test_reference_marks_required_keys_and_keys_of_a_precision() -> None:
    rows = {line.split("`")[1]: line for line in markdown().splitlines() if line.startswith("| `")}

    assert rows["source"].startswith("| `source` | a string | required | The TensorFlow model: a SavedModel folder, ")
    assert rows["samples"].startswith("| `samples` p | a whole number of at least 1 | 300 |")


def test_page_holds_the_reference() -> None:
    text = PAGE.read_text()
    assert START in text
    assert END in text
    before, _, rest = text.partition(START)
    found, _, after = rest.partition(END)
    if os.environ.get("OVMAKE_BLESS"):
        PAGE.write_text(f"{before}{START}\n{markdown()}{END}{after}")
        return

    assert f"\n{markdown()}" == found
