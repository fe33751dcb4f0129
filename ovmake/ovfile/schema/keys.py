"""Which keys an Ovfile has, of which kind, and what each is for.

    OVFILE      the whole document
    MODEL       a model; also `[defaults]` and, less a few keys, a precision's table

The reference in `ovmake help ovfile` and the test of `Ovfile.example` are made from these tables. A value that has a
meaning and is not among a key's `ready` is refused with `not-yet-supported`.
"""

from __future__ import annotations

from ovmake.contracts.metrics import SUGGESTED
from ovmake.contracts.params.evaluation import DEFAULT_DEVICE
from ovmake.contracts.params.source import DEFAULT_SIGNATURE
from ovmake.contracts.source_kinds import SOURCE_KINDS
from ovmake.ovfile.schema.compression import INT8, OF_PRECISION
from ovmake.ovfile.schema.datasets import DATASET
from ovmake.ovfile.schema.functions import FUNCTION, form_of
from ovmake.ovfile.schema.kinds import (
    Choice,
    Constant,
    DropAmount,
    Flag,
    Layout,
    ListOf,
    Number,
    Off,
    PerChannel,
    Shape,
    Size,
    Text,
    one_of,
)
from ovmake.ovfile.schema.measuring import BENCHMARK, REQUIRE
from ovmake.ovfile.schema.tables import Key, Named, Table
from ovmake.ovfile.spec import (
    AUTO,
    CANDIDATES,
    DEFAULT_BUILD_DIR,
    DEFAULT_CANDIDATES,
    DEFAULT_COSINE,
    DEFAULT_MAX_DROP,
    DEFAULT_MAX_ERROR,
    DEFAULT_PRECISIONS,
    DEFAULT_RELATIVE_DROP,
    ELEMENT_TYPES,
    LIMITS,
    NOISE,
    PRECISIONS,
    RESIZE_ALGORITHMS,
    VERSION,
)

STRINGS = ListOf(element=Text(), expected="an array of strings")
PRECISION = Choice(words=PRECISIONS, code="unknown-precision", what="precision")
METRIC = Choice(
    words=SUGGESTED,
    code="unknown-metric",
    what="metric",
    pattern=rf"top-[1-9][0-9]{{0,8}}|{FUNCTION.pattern}",
    advice=form_of,
)

INPUT = Table(
    keys=(
        Key(
            name="shape",
            kind=Shape(),
            doc='Reshape, in the source\'s layout; -1 is dynamic, "1..8" bounded',
            default="the source's",
        ),
        Key(
            name="layout",
            kind=Layout(),
            doc="Layout that the IR takes; where it is not the source's, the IR transposes",
            default="the source's",
        ),
        Key(
            name="model-layout",
            kind=Layout(),
            doc="Layout of the source",
            default="`NHWC` for four dimensions, `NDHWC` for five, else that of `layout`",
        ),
        Key(
            name="type",
            kind=Choice(words=ELEMENT_TYPES, code="unknown-type", what="element type"),
            doc="Element type that the IR takes, and converts",
            default="the source's",
        ),
        Key(
            name="resize",
            kind=Choice(words=RESIZE_ALGORITHMS, code="unknown-resize", what="resize algorithm"),
            doc="The IR takes any height and width, and resizes first of all",
            default="no resizing",
        ),
        Key(
            name="reverse-channels",
            kind=Flag(),
            doc="The IR takes BGR where the source wants RGB, or the other way round (alpha, the fourth of four, "
            "stays): reversed before `mean` and `scale`, which speak of the source's channels",
            default="false",
        ),
        Key(
            name="mean",
            kind=PerChannel(),
            doc="Made part of the IR, which computes (x - mean) / scale, after it has reversed the channels",
            default="0",
        ),
        Key(name="scale", kind=PerChannel(zero=False), doc="See `mean`: subtracted first, divided then", default="1"),
        Key(
            name="value",
            kind=Constant(),
            doc="Freeze the input to a constant, which fills its shape; the IR has no such input",
        ),
    ),
)

METRIC_OPTIONS = (
    Key(
        name="output",
        kind=Text(),
        doc="The output that the metric is about",
        default="the model's only one; a function of yours gets all",
    ),
    Key(
        name="threshold",
        kind=Number(),
        doc="Above it an output of one column says 1 and not 0; 0 for logits",
        default="0.5, for probabilities",
    ),
    Key(
        name="positive",
        kind=Number(minimum=0, whole=True),
        doc="The class that `precision`, `recall` and `f1` are about",
        default="1 of two classes; of more, the mean over all of them",
    ),
    Key(
        name="ignored",
        kind=Number(minimum=0, whole=True),
        doc="`miou` only: pixels with this label do not count",
        default="none",
    ),
    Key(
        name="annotations",
        kind=Text(),
        doc="`coco-map` only, and required there: a JSON file of boxes as COCO has them; labels are the images' ids",
    ),
    Key(
        name="higher-is-better",
        kind=Flag(),
        doc="The direction of a function of yours; to be said where its name has a word such as `loss` or `error`",
        default="true",
    ),
)

ACCURACY = Table(
    keys=(
        Key(
            name="dataset",
            kind=Text(),
            doc="The dataset to compare on",
            default="for `agreement` only: samples of `calibration` that do not calibrate, else seeded random inputs",
        ),
        Key(
            name="inputs",
            kind=Choice(words=(NOISE,), code="unknown-inputs", what="kind of inputs"),
            doc="Where there is no `dataset`: seeded random inputs, also for INT8, which is else not measured on them; "
            "for INT8 beside `agreement` only",
            default="see `dataset`",
        ),
        Key(
            name="metric",
            kind=METRIC,
            doc="What is compared; also any other `top-K`, or a function of yours: `metrics.py:my_metric`. All but "
            "`cosine` and functions need a dataset with labels",
            default="`accuracy` where `max-drop` is given, else none",
        ),
        Key(
            name="max-drop",
            kind=DropAmount(),
            doc='How much worse than TensorFlow the IR may be: absolute, or "1%" of TensorFlow\'s; negative: better. '
            "Below 1 for metrics that are 1 at most",
            default=f"{DEFAULT_MAX_DROP} where `metric` is given, or {DEFAULT_RELATIVE_DROP:.0%} for `mae`, `rmse` and "
            "functions; else none",
        ),
        *METRIC_OPTIONS,
        Key(
            name="agreement",
            kind=Table(
                keys=(
                    Key(
                        name="cosine",
                        kind=Number(minimum=-1, maximum=1),
                        doc="Least cosine between TensorFlow's outputs and the IR's",
                        default=", ".join(f"{name} {least}" for name, least in DEFAULT_COSINE.items())
                        + "; with `metric`, none",
                    ),
                    Key(
                        name="max-error",
                        kind=Number(minimum=0),
                        doc="Largest difference in an output, as a share of its scale: of the largest magnitude in "
                        "TensorFlow's",
                        default=", ".join(f"{name} {most:g}" for name, most in DEFAULT_MAX_ERROR.items())
                        + "; with `metric`, fp32 only",
                    ),
                )
            ),
            doc="A gate without labels",
        ),
    ),
    otherwise=Off(),
)

CUT = Table(
    keys=(
        Key(
            name="inputs",
            kind=STRINGS,
            doc="Start the IR here. A layer or operation stays in the IR, which takes what flowed into it; a tensor, "
            "such as `x:0`, is taken itself",
            default="the source's inputs",
        ),
        Key(
            name="outputs",
            kind=STRINGS,
            doc="End the IR with what these layers, operations or tensors give",
            default="the source's outputs",
        ),
    ),
)

PER_PRECISION = (
    Key(
        name="signature",
        kind=Text(),
        doc="Signature of a SavedModel",
        default=DEFAULT_SIGNATURE,
    ),
    Key(
        name="tags",
        kind=STRINGS,
        doc="Tags of a SavedModel's graph",
        default='["serve"]',
    ),
    Key(
        name="kind",
        kind=Choice(words=tuple(SOURCE_KINDS), code="unknown-kind", what="kind of source"),
        doc="Kind of the source",
        default="recognised from its content",
    ),
    Key(
        name="allow-ops",
        kind=STRINGS,
        doc="Operations of a trusted model that may run though they do more than compute, such as `ReadFile`; "
        "only with `--allow-ops` on the command line",
        default="none",
    ),
    Key(
        name="batch",
        kind=Number(minimum=1, whole=True),
        doc="Set the batch dimension of every input that has one",
        default="the source's",
    ),
    Key(name="inputs", kind=Named(element=INPUT, what="model input", strict=False), doc="One table per input"),
    Key(
        name="outputs",
        kind=Named(element=Text(), what="model output", strict=False),
        doc='Rename outputs: `{ output_0 = "scores" }`',
        default="the source's names",
    ),
    Key(name="cut", kind=CUT, doc="Take layers off the top or the bottom"),
    Key(name="accuracy", kind=ACCURACY, doc="The gate; `false` turns it off", default="agreement with TensorFlow"),
    *INT8,
    Key(name="benchmark", kind=BENCHMARK, doc="How `ovmake report` measures"),
    Key(name="require", kind=REQUIRE, doc="What an IR must reach beside its accuracy"),
    Key(
        name="speed-check",
        kind=Flag(),
        doc="int8, int8-weights and int4-weights: time the published IR beside the FP32 one, for a second or two, and "
        "warn if it is slower",
        default="true",
    ),
)

WITH_SETTINGS = tuple(name for name in PRECISIONS if name != AUTO)
AUTO_TABLE = Table(
    keys=(
        Key(
            name="candidates",
            kind=ListOf(
                element=Choice(words=CANDIDATES, code="unknown-precision", what="candidate"),
                expected="an array of precisions",
                once="precision",
            ),
            doc="What to choose from: the fastest on this machine that keeps its gate. Each has the settings of its "
            "own precision",
            default=", ".join(DEFAULT_CANDIDATES) + "; int8 where it has a `calibration`",
        ),
    ),
)

SHARED = (
    *PER_PRECISION,
    Key(
        name="precisions",
        kind=ListOf(element=PRECISION, expected="an array of precisions", once="precision"),
        doc=f"Which IRs to make: {one_of(PRECISIONS)}",
        default=", ".join(DEFAULT_PRECISIONS),
    ),
    *(
        Key(
            name=name,
            kind=Table(keys=(*PER_PRECISION, *OF_PRECISION.get(name, ()))),
            doc=f"Settings of {name} only",
        )
        for name in WITH_SETTINGS
    ),
    Key(name=AUTO, kind=AUTO_TABLE, doc="Settings of auto only"),
)

MODEL = Table(
    keys=(
        Key(
            name="source",
            kind=Text(),
            doc="The TensorFlow model: a SavedModel folder, .pb, .keras, .h5, .tflite, or a TF1 checkpoint's .meta",
            required='say where the TensorFlow model is: `source = "models/digits"`',
        ),
        *SHARED,
        Key(
            name="variants",
            kind=Named(element=Table(keys=SHARED), what="variant"),
            doc="The same source once more with other settings, such as shapes or batch: targets `NAME@VARIANT:fp32`",
        ),
    ),
)

LIMITS_TABLE = Table(
    keys=(
        Key(
            name="minutes",
            kind=Number(above=0),
            doc="An action that takes longer is ended, and fails",
            default="no limit",
        ),
        Key(
            name="memory",
            kind=Size(),
            doc="An action whose worker needs more is ended, and fails. GB are powers of 1000, GiB of 1024",
            default="90 % of what the machine has, or the container",
        ),
    ),
)

OVFILE = Table(
    keys=(
        Key(name="version", kind=Number(whole=True), doc="Version of this format", default=f"{VERSION}"),
        Key(name="build-dir", kind=Text(), doc="Where IRs and reports go", default=DEFAULT_BUILD_DIR),
        Key(
            name="device",
            kind=Text(),
            doc="OpenVINO device to verify and measure on, such as `GPU` or `AUTO:GPU,CPU`",
            default=DEFAULT_DEVICE,
        ),
        Key(name="defaults", kind=Table(keys=SHARED), doc="Any key of a model but `source`, for all models"),
        Key(name="datasets", kind=Named(element=DATASET, what="dataset"), doc="One table per dataset"),
        Key(name="models", kind=Named(element=MODEL, what="model", reserved=("report",)), doc="One table per model"),
        Key(name=LIMITS, kind=LIMITS_TABLE, doc="What one action may take; it changes no result"),
        Key(
            name="report",
            kind=Table(keys=(Key(name="title", kind=Text(), doc="Title of the report"),)),
            doc="The report",
        ),
    ),
)
