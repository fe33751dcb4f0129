"""A new key needs one declaration: a field in a class, from which everything else is derived.

Only this field is added to a copy of the package. A process with this copy reports how it handles Ovfiles with the key:
`key_probe.py`.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

import ovmake
from ovmake.ovfile.schema.form import walk

PROBE = Path(__file__).parent / "key_probe.py"
DECLARATION = """
    pause_ms: float = key(Number(minimum=0), default=1.5, doc="How long to rest, in ms", reaches=("{reaches}",))
"""
OVFILE = """
[datasets.train]
path = "train.npz"
[models.m]
source = "m"
precisions = ["fp32", "int8"]
calibration = "train"
require.speedup = 2
inputs.x.mean = 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A class of keys, its module, and what the reference marks its keys with.

    `table` is where the Ovfile has the key, `holder` where the spec has the value, `definition` where the JSON Schema
    has it, and `setting` what a reason calls it.
    """

    module: str
    name: str
    table: str
    holder: str
    definition: str
    setting: str
    reaches: str
    mark: str = ""


PLACES = (
    Place(
        module="measuring",
        name="Benchmark",
        table="benchmark",
        holder="benchmark",
        definition="benchmark",
        setting="benchmark.pause-ms",
        reaches="benchmark",
    ),
    Place(
        module="measuring",
        name="Require",
        table="require",
        holder="require",
        definition="require",
        setting="require.pause-ms",
        reaches="require",
    ),
    Place(
        module="compression",
        name="Quantization",
        table="int8",
        holder="quantization",
        definition="precision",
        setting="pause-ms",
        reaches="quantize",
        mark=" p",
    ),
    Place(
        module="inputs",
        name="Input",
        table="inputs.x",
        holder="inputs",
        definition="input",
        setting="inputs.x.pause-ms",
        reaches="convert",
    ),
)


def declare(package: Path, place: Place) -> None:
    """Add the declaration to a class of a copy of the package; its module imports the kind of value."""
    module = package / f"ovfile/schema/{place.module}.py"
    text = module.read_text()
    fields = re.search(rf"class {place.name}\b.*?(?=\n\n    @property|\n\n\n)", text, flags=re.DOTALL)
    assert fields
    declared = f"{text[: fields.end()]}{DECLARATION.format(reaches=place.reaches).rstrip()}{text[fields.end() :]}"
    module.write_text(declared.replace("import STRINGS, Choice, Flag\n", "import STRINGS, Choice, Flag, Number\n"))


def probed(folder: Path, place: Place) -> dict[str, object]:
    """Return what a copy of the package with the declaration makes of the key."""
    package = folder / "ovmake"
    # With what Python has compiled, which the copy's times still fit.
    shutil.copytree(Path(ovmake.__file__).parent, package, ignore=shutil.ignore_patterns("workers", "commands", "cli"))
    declare(package, place)
    asked = {
        **{key: getattr(place, key) for key in ("holder", "definition", "setting")},
        "misspelt": f"{OVFILE}{place.table}.pause_ms = 3\n",
        "wrong": f"{OVFILE}{place.table}.pause-ms = -1\n",
        "given": f"{OVFILE}{place.table}.pause-ms = 3\n",
        "left_out": OVFILE,
    }
    run = partial(subprocess.run, capture_output=True, text=True, check=False, cwd=folder)
    done = run([sys.executable, str(PROBE)], input=json.dumps(asked), env={"PYTHONPATH": str(folder)})
    assert "" == done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_everything_is_derived_from_one_declaration(place: Place, tmp_path: Path) -> None:
    found = probed(tmp_path, place)

    line, table = f"{place.table}.pause-ms", f"models.m.{place.table}"
    column = len(place.table) + 2
    keys = {key.name for _, key in walk()}
    assert found.pop("keys") == sorted({*keys, "pause-ms"})  # which Ovfile.example has to show
    misspelt = (
        f"error[unknown-key]: unknown key `pause_ms` in [{table}]\n"
        f"  --> Ovfile:10:{column}\n"
        "   |\n"
        f"10 | {place.table}.pause_ms = 3\n"
        f"   | {' ' * (column - 1)}^^^^^^^^\n"
        "   |\n"
        "help: did you mean `pause-ms`?"
    )
    wrong = (
        f"error[bad-value]: `{table}.pause-ms` is -1, not a number of at least 0\n"
        f"  --> Ovfile:10:{len(line) + 4}\n"
        "   |\n"
        f"10 | {line} = -1\n"
        f"   | {' ' * (len(line) + 3)}^^ expected a number of at least 0"
    )
    assert found == {
        "misspelt": [misspelt],
        "wrong": [wrong],
        "reference": [f"| `pause-ms`{place.mark} | a number of at least 0 | 1.5 | How long to rest, in ms |"],
        "json_schema": {"description": "How long to rest, in ms. Default: 1.5", "type": "number", "minimum": 0},
        "given": [3.0, "3"],
        "left_out": [1.5, None],
        "reached": {place.reaches: 3.0},
        "reached_by_default": {},
    }
