"""Each key reaches the actions that its declaration names: every key is edited, and the actions are compared.

A key may reach actions in some Ovfiles only: a `threshold` reaches them if the metric uses it. So each key is edited in
all of the `OVFILES` that allow it, and the union of the actions is compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest
import tomli

from ovmake.diagnostics import OvmakeError
from ovmake.graph.action import Action
from ovmake.graph.lower import lower
from ovmake.ovfile.parse import parse
from ovmake.ovfile.problems import dotted
from ovmake.ovfile.schema.accuracy import DropAmount
from ovmake.ovfile.schema.arrays import Constant, Layout, PerChannel, Shape, Side
from ovmake.ovfile.schema.declaring import Key
from ovmake.ovfile.schema.form import NAME, walk
from ovmake.ovfile.schema.functions import UserFunction
from ovmake.ovfile.schema.kinds import Choice, FilePath, Flag, Kind, ListOf, Number, Pattern, Size, Text, Whole
from ovmake.ovfile.schema.sharing import PublicKey, RemoteUrl
from ovmake.ovfile.schema.tables import Named, Table
from ovmake.ovfile.words import KeyPath
from ovmake.rules import debug_target, measure_target

Document = dict[str, object]
DATA = """
[datasets.train]
path = "train"
classes = ["a", "b"]
[datasets.val]
path = "val.csv"
labels = "y"
[models.m]
source = "m"
calibration = "train"
"""
JUDGED = """
precisions = ["int8"]
accuracy.dataset = "val"
accuracy.metric = "{metric}"
int8.on-drop = "mixed"
"""
ALL = """
model-type = "transformer"
inputs.x.model-layout = "NHWC"
auto.candidates = ["fp16", "int8"]
"""
WEIGHTS = 'precisions = ["int8", "int8-weights", "int4-weights"]\nignored.names = ["layer"]\n'
OVFILES = (
    DATA + JUDGED.format(metric="accuracy").replace('["int8"]', '["auto", "int8"]') + ALL,
    *(DATA + JUDGED.format(metric=metric) for metric in ("f1", "miou", "metrics.py:mine")),
    DATA + JUDGED.format(metric="").replace("accuracy.metric", "# "),
    DATA + WEIGHTS,
    f'{DATA}precisions = ["int8"]\nrequire = {{ size = "1 MB", speedup = 1.5 }}\n',
)
# Keys that reach actions as an input, by adding actions, or through values computed from several keys.
SEEN_OTHERWISE = {
    *("version", "build-dir", "datasets.NAME.path", "datasets.NAME.files"),
    *("models.NAME.source", "models.NAME.kind", "models.NAME.precisions", "models.NAME.speed-check"),
    *("models.NAME.calibration", "models.NAME.accuracy.dataset", "models.NAME.accuracy.inputs"),
    *("models.NAME.accuracy.annotations", "models.NAME.benchmark.devices"),
}
# Keys that no action sees.
SEEN_BY_NOBODY = {
    "limits.minutes",
    "cache.remote",
    "cache.endpoint",
    "cache.region",
    "cache.push",
    "cache.trusted-keys",
    "limits.memory",
    "report.title",
    "models.NAME.benchmark.hints",
}
VALUES: dict[type, object] = {
    Constant: 0.5,
    Layout: "NCHW",
    Shape: [2, 28, 28, 1],
    PerChannel: 0.25,
    DropAmount: 0.003,
    Number: 2.5,
    Whole: 7,
    Pattern: "block_.*",
    Text: "other",
    FilePath: "other/file",
    Size: "8 GB",
    Side: 24,
    UserFunction: "data.py:val",
    RemoteUrl: "https://cache.example.org",
    PublicKey: "ed25519:1XDpS0bK0lfVRjvXk4wFWa2hFnmVb4B2OZvqlSyTlpA=",
}


def another(key: Key) -> object:
    """Return a value for a key that is not its default."""
    return "rmse" if key.name == "metric" else _another(key.kind, key.default)


def _another(kind: Kind, default: str) -> object:
    match kind:
        case Flag():
            return default != "true"
        case Choice():
            return next(word for word in reversed(kind.words) if word != default)
        case ListOf():
            return [_another(kind.element, "")]
        case Number(minimum=low, maximum=high) if low is not None and high is not None:
            return (low + high) / 2
    return VALUES[type(kind)]


def keys() -> Iterator[tuple[KeyPath, Key]]:
    """Yield every key once with its path; for a model, the keys of its own table."""
    for at, key in walk():
        repeated = at[:1] == ("defaults",) or "variants" in at
        in_precision = at[:2] == ("models", NAME) and at[2:3] not in ((), ("int8-weights",), ("int4-weights",))
        own = at[2:3] in {(table,) for table in ("inputs", "cut", "accuracy", "ignored", "smooth-quant", "auto")}
        own = own or at[2:3] in {("benchmark",), ("require",)}
        if repeated or isinstance(key.kind, Table | Named) or (in_precision and not own):
            continue
        if at[2:3] in {("int8-weights",), ("int4-weights",)} and (len(at) > 3 or _is_of_models(key)):
            continue
        yield at, key


@cache
def _of_models() -> frozenset[str]:
    return frozenset(key.name for at, key in walk() if at == ("models", NAME))


def _is_of_models(key: Key) -> bool:
    return key.name in _of_models()


def edited(text: str, at: KeyPath, name: str, value: object) -> Iterator[str]:
    """Yield Ovfiles with one key set, one for each user-named table that may contain it."""
    for dataset in ("val", "train") if at[:1] == ("datasets",) else ("",):
        names = iter([dataset or "m", "x"])
        document: Document = tomli.loads(text)
        table = document
        for part in at:
            inner = table.setdefault(next(names) if part == NAME else str(part), {})
            assert isinstance(inner, dict)
            table = inner
        if name == "loader":
            table.clear()  # its samples and labels have the same origin
        if table.get(name) != value:
            table[name] = value
            yield written(document)


def written(document: object) -> str:
    """Return a document as TOML."""
    assert isinstance(document, dict)
    return "\n".join(f"{key} = {_value(value)}" for key, value in document.items())


def _value(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f'"{key}" = {_value(inner)}' for key, inner in value.items()) + " }"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return str(value).lower() if isinstance(value, bool) else repr(value)


@cache
def actions(text: str) -> dict[str, Action]:
    """Return the actions of build, report and debug, except publish, whose record repeats every setting."""
    ovfile = parse(text)
    made = {**lower(ovfile, measure_target, {}).actions, **lower(ovfile, debug_target, {}).actions}
    return {name: action for name, action in made.items() if action.kind != "publish"}


def reached(at: KeyPath, key: Key) -> set[str]:
    """Return the kinds of action that a different value of a key changes, in any of the Ovfiles."""
    kinds: set[str] = set()
    for text in OVFILES:
        before = actions(written(tomli.loads(text)))
        for after in edited(text, at, key.name, another(key)):
            try:
                found = actions(after)
            except OvmakeError:
                continue
            kinds |= {one.kind for name, one in found.items() if name in before and one.params != before[name].params}
    return kinds


@pytest.mark.parametrize(
    ("at", "key"), [*keys()], ids=lambda value: value.name if isinstance(value, Key) else dotted(value)
)
def test_key_reaches_what_its_declaration_names(at: KeyPath, key: Key) -> None:
    name = ".".join([*map(str, at), key.name])

    if name in SEEN_OTHERWISE:
        assert () == key.reaches
    else:
        assert set(key.reaches) == reached(at, key)
    assert bool(key.reaches) or name in SEEN_OTHERWISE | SEEN_BY_NOBODY


def test_every_listed_key_exists() -> None:
    names = {".".join([*map(str, at), key.name]) for at, key in keys()}

    assert set() == (SEEN_OTHERWISE | SEEN_BY_NOBODY) - names
    assert 70 < len(names)
