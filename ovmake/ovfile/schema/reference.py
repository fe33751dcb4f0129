"""Generate the reference of all keys, ovmake/docs/ovfile.md, from the schema.

    markdown() -> str

A section per kind of table, a row per key. `[defaults]` and the tables of precisions and variants repeat keys of a
model, so the text above a table says where else its keys may be.
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
    ): "Weights in 8 bits, computation in floating point. These keys are allowed in this table only.",
    (
        *MODEL,
        "int4-weights",
    ): "Weights in 4 bits if NNCF supports it, else in 8 bits. These keys are allowed in this table only.",
    ("limits",): "Limits change no result, so an edit makes nothing stale. `--timeout` and `--memory` override them.",
    (
        "cache",
    ): "These keys change no result, so an edit makes nothing stale. `ovmake help sharing` says how to set it up.",
    MODEL: (
        "`[defaults]` takes the same keys except `source` and `variants`, for all models. The table of a precision,\n"
        "such as `[models.NAME.int8]` or `[defaults.int8]`, takes the keys marked `p`, for that precision only. The\n"
        "nearest table wins: `[models.NAME.int8]`, `[models.NAME]`, `[defaults.int8]`, `[defaults]`. The table of a\n"
        "variant, `[models.NAME.variants.VARIANT]`, takes the keys of `[defaults]`, and is nearer than all of these."
    ),
    INPUT: (
        "The IR does this, in this order: convert to f32, resize, reverse the channels, subtract `mean`, divide by\n"
        "`scale`, transpose to the source's layout. For the comparison, numpy does the same to TensorFlow's inputs."
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
    """Whether a table repeats keys of a model."""
    return at[:1] == ("defaults",) or (len(at) > 2 and at[:2] == MODEL and at[2] in (*WITH_SETTINGS, "variants"))  # noqa: PLR2004 - models, NAME


def _is_own(at: KeyPath, key: Key) -> bool:
    """Whether `at` is the table of a precision, and `key` belongs to this precision only."""
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
