"""The reference of all keys, ovmake/docs/ovfile.md, made from the schema.

    markdown() -> str

A section per kind of table, a row per key. `[defaults]` and the tables of precisions and variants hold keys of a model,
so they are said in words where they belong and not listed again.
"""

from __future__ import annotations

from ovmake.ovfile.problems import toml
from ovmake.ovfile.schema.compression import OF_PRECISION
from ovmake.ovfile.schema.declaring import Key
from ovmake.ovfile.schema.form import NAME, walk
from ovmake.ovfile.schema.keys import PER_PRECISION, WITH_SETTINGS
from ovmake.ovfile.words import AUTO, KeyPath

MODEL = ("models", NAME)
INPUT = (*MODEL, "inputs", NAME)
HEAD = ("| key | value | default | what it is for |", "|---|---|---|---|")
TITLES: dict[KeyPath, str] = {
    (): "At the top",
    ("datasets", NAME): "`[datasets.NAME]`",
    MODEL: "`[models.NAME]`",
    INPUT: "`[models.NAME.inputs.INPUT]`",
    (*MODEL, AUTO): "`[models.NAME.auto]`",
}
WORDS: dict[KeyPath, str] = {
    (
        *MODEL,
        "int8-weights",
    ): "Weights in 8 bits, computed with in floating point. These keys stand in this table only.",
    (*MODEL, "int4-weights"): "Weights in 4 bits where NNCF can, else in 8. These keys stand in this table only.",
    ("limits",): "They change no result, so nothing is stale after an edit. `--timeout` and `--memory` win over them.",
    (
        "cache",
    ): "They change no result, so nothing is stale after an edit. `ovmake help sharing` says how to set it up.",
    MODEL: (
        "`[defaults]` takes the same keys but `source` and `variants`, for all models. The table of a precision, such\n"
        "as `[models.NAME.int8]` or `[defaults.int8]`, takes those marked `p`, for that precision only. Nearest wins:\n"
        "`[models.NAME.int8]`, `[models.NAME]`, `[defaults.int8]`, `[defaults]`. A variant's table,\n"
        "`[models.NAME.variants.VARIANT]`, takes what `[defaults]` takes, and is nearer than all of them."
    ),
    INPUT: (
        "Inside the IR, in this order: convert to f32, resize, reverse the channels, subtract `mean`, divide by\n"
        "`scale`, transpose to the source's layout. When the two are compared, TensorFlow gets the same done outside,\n"
        "with numpy."
    ),
}


def markdown() -> str:
    """Return the reference, without headings above the third level and with a newline at the end."""
    tables: dict[KeyPath, list[Key]] = {}
    for at, key in walk():
        if not _is_repeated(at) or _is_own(at, key):
            tables.setdefault(at, []).append(key)
    return "\n".join(_section(at, keys) for at, keys in tables.items())


def _is_repeated(at: KeyPath) -> bool:
    """Whether the keys of a table are those of a model again."""
    return at[:1] == ("defaults",) or (len(at) > 2 and at[:2] == MODEL and at[2] in (*WITH_SETTINGS, "variants"))  # noqa: PLR2004 - models, NAME


def _is_own(at: KeyPath, key: Key) -> bool:
    """Whether the table at `at` is a precision's, and `key` one that only this precision has."""
    return at[:-1] == MODEL and key in OF_PRECISION.get(str(at[-1]), ())


def _section(at: KeyPath, keys: list[Key]) -> str:
    title = TITLES.get(at, f"`[{'.'.join(map(str, at))}]`")
    words = [WORDS[at], ""] if at in WORDS else []
    rows = [_row(key, per_precision=at == MODEL and key in PER_PRECISION) for key in keys]
    return "\n".join([f"### {title}", "", *words, *HEAD, *rows, ""])


def _row(key: Key, *, per_precision: bool) -> str:
    name = f"`{key.name}`" + (" p" if per_precision else "")
    default = "required" if key.required else key.default
    return f"| {name} | {_cell(key.kind.expected)} | {_cell(default)} | {_cell(key.doc)}{_readiness(key)} |"


def _readiness(key: Key) -> str:
    return f" *(only `{toml(key.ready[0])}` so far)*" if key.ready else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
