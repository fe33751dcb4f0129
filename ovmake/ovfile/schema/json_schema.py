"""Generate the JSON Schema of an Ovfile (draft 2020-12), for editors that complete and check TOML with it.

    json_schema() -> {"$schema": ..., "properties": {...}, "$defs": {...}}
    text() -> str                       as `ovmake init --schema` prints it

Rule: the JSON Schema accepts every valid Ovfile. Mistakes that involve several keys or files are found by ovmake only.
"""

from __future__ import annotations

import json

from ovmake.ovfile.schema.form import walk
from ovmake.ovfile.schema.keys import OVFILE
from ovmake.ovfile.schema.kinds import JsonSchema
from ovmake.ovfile.schema.tables import Named, Table

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> JsonSchema:
    """Return the schema; a table that occurs several times is in `$defs`, under its title."""
    kinds = [key.kind.element if isinstance(key.kind, Named) else key.kind for _, key in walk()]
    shared = {kind.title: kind for kind in kinds if isinstance(kind, Table) and kind.title}
    definitions = {title: shared[title].definition() for title in sorted(shared)}
    about = {"$schema": DRAFT, "title": "Ovfile", "description": "What ovmake makes of TensorFlow models"}
    return {**about, **OVFILE.json_schema(), "$defs": definitions}


def text() -> str:
    """Return the schema as text."""
    return json.dumps(json_schema(), indent=1, ensure_ascii=False) + "\n"
