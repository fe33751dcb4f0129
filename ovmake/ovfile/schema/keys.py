"""The tables of an Ovfile, assembled from the keys.

    OVFILE      the whole document
    MODEL       a model; also `[defaults]` and, without a few keys, a precision's table

Each key is declared once: as a field of a dataclass, here or in the modules for datasets, inputs, accuracy, compression
and measuring. `declaring.py` says what is derived from it. A valid value that is not in a key's `ready` is refused with
`not-yet-supported`.
"""

from __future__ import annotations

from dataclasses import dataclass

from ovmake.contracts.params.evaluation import DEFAULT_DEVICE
from ovmake.contracts.params.source import DEFAULT_SIGNATURE, DEFAULT_TAGS
from ovmake.contracts.source_kinds import SOURCE_KINDS
from ovmake.names import BUILD
from ovmake.ovfile.schema.accuracy import ACCURACY
from ovmake.ovfile.schema.compression import OF_PRECISION, Quantization
from ovmake.ovfile.schema.datasets import DATASET
from ovmake.ovfile.schema.declaring import Key, key, keys_of, required
from ovmake.ovfile.schema.inputs import CUT, INPUT
from ovmake.ovfile.schema.kinds import STRINGS, Choice, FilePath, Flag, ListOf, Text, Whole, one_of
from ovmake.ovfile.schema.measuring import BENCHMARK, LIMITS_TABLE, REQUIRE
from ovmake.ovfile.schema.reach import ALLOWED, ON_DEVICE, SOURCE
from ovmake.ovfile.schema.reach import MODEL as CONVERTED
from ovmake.ovfile.schema.sharing import CACHE
from ovmake.ovfile.schema.tables import Named, Table
from ovmake.ovfile.words import (
    AUTO,
    CANDIDATES,
    DEFAULT_CANDIDATES,
    DEFAULT_PRECISIONS,
    LIMITS,
    PRECISIONS,
    VERSION,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceKeys:
    """Plain keys of a model that describe its source."""

    signature: str = key(Text(), default=DEFAULT_SIGNATURE, doc="Signature of a SavedModel", reaches=SOURCE)
    tags: tuple[str, ...] = key(
        STRINGS, default=DEFAULT_TAGS, shown='["serve"]', doc="Tags of a SavedModel's graph", reaches=SOURCE
    )
    kind: str | None = key(
        Choice(words=tuple(SOURCE_KINDS), code="unknown-kind", what="kind of source"),
        default=None,
        shown="recognised by its content",
        doc="Kind of the source",
    )
    allow_ops: tuple[str, ...] = key(
        ListOf(element=Text(), expected="an array of strings", ordered=False),
        default=(),
        shown="none",
        doc="Operations with side effects that a trusted model may run, such as `ReadFile`; needs `--allow-ops` on the "
        "command line too",
        reaches=ALLOWED,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetKeys(SourceKeys):
    """Plain keys of a model that a table of a precision can override."""

    batch: int | None = key(
        Whole(minimum=1),
        default=None,
        shown="the source's",
        doc="Set the batch dimension of every input that has one",
        reaches=CONVERTED,
    )
    speed_check: bool = key(
        Flag(),
        default=True,
        doc="int8, int8-weights and int4-weights: time the published IR and the FP32 IR for a second or two, and warn "
        "if it is slower",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Auto:
    """The keys of `[models.NAME.auto]`. Empty `candidates`: the default."""

    candidates: tuple[str, ...] = key(
        ListOf(
            element=Choice(words=CANDIDATES, code="unknown-precision", what="candidate"),
            expected="an array of precisions",
            once="precision",
        ),
        default=(),
        shown=", ".join(DEFAULT_CANDIDATES) + "; int8 only if it has a `calibration`",
        doc="Precisions to choose from: `auto` is the fastest on this machine that passes its gate. Each candidate "
        "uses the settings of its precision",
        reaches=("time-candidates", "weigh"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """The key of a model and of `[defaults]` that a table of a precision cannot override."""

    precisions: tuple[str, ...] = key(
        ListOf(
            element=Choice(words=PRECISIONS, code="unknown-precision", what="precision"),
            expected="an array of precisions",
            once="precision",
        ),
        default=DEFAULT_PRECISIONS,
        doc=f"IRs to make: {one_of(PRECISIONS)}",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OfModel:
    """The key of a model only."""

    source: str = required(
        FilePath(),
        doc="The TensorFlow model: a SavedModel folder, .pb, .keras, .h5, .tflite, or a TF1 checkpoint's .meta",
        cure='name the TensorFlow model: `source = "models/digits"`',
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Top:
    """The keys at the top of the document that are not tables."""

    version: int = key(Whole(), default=VERSION, doc="Version of this format")
    build_dir: str = key(FilePath(), default=BUILD, doc="Folder for IRs and reports")
    device: str = key(
        Text(),
        default=DEFAULT_DEVICE,
        doc="OpenVINO device to verify and measure on, such as `GPU` or `AUTO:GPU,CPU`",
        reaches=ON_DEVICE,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The keys of `[report]`."""

    title: str = key(Text(), default="", doc="Title of the report")


*_FIRST, _LAST = keys_of(TargetKeys)
PER_PRECISION = (
    *_FIRST,
    Key(name="inputs", kind=Named(element=INPUT, what="model input", strict=False), doc="One table per input"),
    Key(
        name="outputs",
        kind=Named(element=Text(), what="model output", strict=False),
        doc='Rename outputs: `{ output_0 = "scores" }`',
        default="the source's names",
    ),
    Key(name="cut", kind=CUT, doc="Cut layers off the start or the end of the model"),
    Key(name="accuracy", kind=ACCURACY, doc="The gate; `false` turns it off", default="agreement with TensorFlow"),
    *keys_of(Quantization),
    Key(name="benchmark", kind=BENCHMARK, doc="How `ovmake report` measures"),
    Key(name="require", kind=REQUIRE, doc="Requirements of an IR in addition to its accuracy"),
    _LAST,
)

WITH_SETTINGS = tuple(name for name in PRECISIONS if name != AUTO)

OF_ANY_PRECISION = Table(keys=PER_PRECISION, title="precision")
OF_PRECISION_ALONE = {name: Table(keys=(*PER_PRECISION, *keys), title=name) for name, keys in OF_PRECISION.items()}

SHARED = (
    *PER_PRECISION,
    *keys_of(Shared),
    *(
        Key(name=name, kind=OF_PRECISION_ALONE.get(name, OF_ANY_PRECISION), doc=f"Settings for {name} only")
        for name in WITH_SETTINGS
    ),
    Key(name=AUTO, kind=Table(keys=keys_of(Auto), title=AUTO), doc="Settings for auto only"),
)

DEFAULTS = Table(keys=SHARED, title="defaults")
MODEL = Table(
    keys=(
        *keys_of(OfModel),
        *SHARED,
        Key(
            name="variants",
            kind=Named(element=DEFAULTS, what="variant"),
            doc="The same source with different settings, such as shapes or batch: targets `NAME@VARIANT:fp32`",
        ),
    ),
)

OVFILE = Table(
    keys=(
        *keys_of(Top),
        Key(
            name="defaults", kind=DEFAULTS, doc="Keys for all models: any key of a model except `source` and `variants`"
        ),
        Key(name="datasets", kind=Named(element=DATASET, what="dataset"), doc="One table per dataset"),
        Key(name="models", kind=Named(element=MODEL, what="model", reserved=("report",)), doc="One table per model"),
        Key(name=LIMITS, kind=LIMITS_TABLE, doc="Limits of one action; they change no result"),
        Key(name="cache", kind=CACHE, doc="A cache that a team shares; it changes no result"),
        Key(name="report", kind=Table(keys=keys_of(Report)), doc="The report"),
    ),
)
