"""Which keys an Ovfile has, of which kind, and what each is for.

    OVFILE      the whole document
    MODEL       a model; also `[defaults]` and, less a few keys, a precision's table

The reference in the README and the test of `Ovfile.example` are made from these tables. A key whose `ready` is not True
is known, checked and refused with `not-yet-supported` until it is built.
"""

from __future__ import annotations

from ovmake.ovfile.kinds import (
    Choice,
    DropAmount,
    Flag,
    Key,
    ListOf,
    Named,
    Number,
    Off,
    PerChannel,
    Shape,
    Table,
    Text,
)
from ovmake.ovfile.spec import PRECISIONS

STRINGS = ListOf(element=Text(), expected="an array of strings")
PRECISION = Choice(words=PRECISIONS, code="unknown-precision", what="precision")
READY_PRECISIONS = ("fp32", "fp16", "int8")
READY_METRICS = ("accuracy",)
METRICS = (
    "accuracy",
    "top-3",
    "top-5",
    "precision",
    "recall",
    "f1",
    "mae",
    "rmse",
    "r2",
    "cosine",
    "miou",
    "coco-map",
)

DATASET = Table(
    keys=(
        Key(name="path", kind=Text(), doc="The samples: an .npz with an array per input, or an .npy"),
        Key(
            name="inputs",
            kind=Named(element=Text(), what="model input", strict=False),
            doc="Model input -> array of the file; default: arrays named like the inputs",
        ),
        Key(name="labels", kind=Text(), doc="The array of labels; a calibration set needs none"),
        Key(
            name="limit",
            kind=Number(minimum=1, whole=True),
            doc="Use the first N samples after a seeded shuffle; default: all, in their order",
        ),
        Key(name="loader", kind=Text(), doc="A function yielding (inputs, label): `data.py:val`", ready=False),
    ),
)

INPUT = Table(
    keys=(
        Key(name="shape", kind=Shape(), doc='Reshape; -1 is dynamic, "1..8" bounded'),
        Key(
            name="mean", kind=PerChannel(), doc="Baked into the IR: (x - mean) / scale; one number, or one per channel"
        ),
        Key(name="scale", kind=PerChannel(zero=False), doc="See mean"),
        Key(name="layout", kind=Text(), doc="Layout that the IR takes", ready=False),
        Key(name="model-layout", kind=Text(), doc="Layout of the source, when it differs", ready=False),
        Key(name="type", kind=Text(), doc="Element type that the IR takes", ready=False),
        Key(
            name="reverse-channels",
            kind=Flag(),
            doc="The IR takes BGR where the model wants RGB, or the other way round",
            ready=(False,),
        ),
        Key(name="resize", kind=Text(), doc="The IR takes any height and width and resizes inside", ready=False),
        Key(name="value", kind=PerChannel(), doc="Freeze the input to a constant", ready=False),
    ),
)

ACCURACY = Table(
    keys=(
        Key(name="dataset", kind=Text(), doc="The dataset to compare on"),
        Key(name="metric", kind=Text(), doc="What is compared: accuracy"),
        Key(
            name="max-drop",
            kind=DropAmount(),
            doc='How much worse than TensorFlow the IR may be: absolute, or "1%" of TensorFlow\'s; default 0.01',
        ),
        Key(
            name="agreement",
            kind=Table(
                keys=(
                    Key(
                        name="cosine",
                        kind=Number(minimum=-1, maximum=1),
                        doc="Least cosine between TensorFlow's outputs and the IR's",
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
        Key(name="inputs", kind=STRINGS, doc="Start the IR here", ready=False),
        Key(name="outputs", kind=STRINGS, doc="End the IR here", ready=False),
    ),
)

IGNORED = Table(
    keys=(
        Key(
            name="types",
            kind=ListOf(element=Text(), expected="an array of strings", at_least=0),
            doc="Operation types to leave alone",
            ready=([],),
        ),
        Key(
            name="names",
            kind=ListOf(element=Text(), expected="an array of strings", at_least=0),
            doc="Layers to leave alone",
            ready=([],),
        ),
    ),
)

BENCHMARK = Table(
    keys=(
        Key(
            name="max-seconds", kind=Number(minimum=1), doc="Time that the measurement of a target may take; default 10"
        ),
        Key(
            name="hints",
            kind=ListOf(
                element=Choice(words=("latency", "throughput"), code="unknown-hint", what="performance hint"),
                expected="an array of hints",
            ),
            doc="What to measure",
            ready=(["latency", "throughput"], ["throughput", "latency"]),
        ),
    ),
)

PER_PRECISION = (
    Key(name="signature", kind=Text(), doc="Signature of a SavedModel", ready=("serving_default",)),
    Key(name="tags", kind=STRINGS, doc="Tags of a SavedModel's graph", ready=(["serve"],)),
    Key(name="kind", kind=Text(), doc="Kind of the source, when its content leaves a doubt", ready=False),
    Key(name="batch", kind=Number(minimum=1, whole=True), doc="Set the batch dimension of every input that has one"),
    Key(name="inputs", kind=Named(element=INPUT, what="model input", strict=False), doc="One table per input"),
    Key(
        name="outputs", kind=Named(element=Text(), what="model output", strict=False), doc="Rename outputs", ready=False
    ),
    Key(name="cut", kind=CUT, doc="Take layers off the top or the bottom"),
    Key(name="accuracy", kind=ACCURACY, doc="The gate; false turns it off"),
    Key(name="calibration", kind=Text(), doc="int8: the dataset to calibrate on"),
    Key(name="samples", kind=Number(minimum=1, whole=True), doc="int8: calibration samples to use; default 300"),
    Key(
        name="preset",
        kind=Choice(words=("performance", "mixed"), code="unknown-preset", what="quantization preset"),
        doc="int8: performance (symmetric) or mixed (asymmetric activations); default mixed",
    ),
    Key(name="ignored", kind=IGNORED, doc="int8: operations to leave in floating point"),
    Key(
        name="on-drop",
        kind=Choice(words=("fail", "mixed"), code="bad-value", what="value"),
        doc="int8: what to do when the gate is missed",
        ready=("fail",),
    ),
    Key(name="benchmark", kind=BENCHMARK, doc="How to measure"),
)

SHARED = (
    *PER_PRECISION,
    Key(
        name="precisions",
        kind=ListOf(element=PRECISION, expected="an array of precisions"),
        doc="Which IRs to make; default fp32 and fp16",
    ),
    *(
        Key(name=name, kind=Table(keys=PER_PRECISION), doc=f"Settings of {name} only", ready=name in READY_PRECISIONS)
        for name in PRECISIONS
        if name != "auto"
    ),
)

MODEL = Table(
    keys=(
        Key(name="source", kind=Text(), doc="The TensorFlow model: a SavedModel folder or a frozen .pb"),
        *SHARED,
        Key(
            name="variants",
            kind=Named(element=Table(keys=PER_PRECISION), what="variant"),
            doc="The same source with other shapes or batch",
            ready=False,
        ),
    ),
)

OVFILE = Table(
    keys=(
        Key(name="version", kind=Number(whole=True), doc="Version of this format: 1"),
        Key(name="build-dir", kind=Text(), doc="Where IRs and reports go; default build"),
        Key(name="device", kind=Text(), doc="OpenVINO device to verify and measure on; default CPU", ready=("CPU",)),
        Key(name="defaults", kind=Table(keys=SHARED), doc="Any key of a model, for all models"),
        Key(name="datasets", kind=Named(element=DATASET, what="dataset"), doc="One table per dataset"),
        Key(name="models", kind=Named(element=MODEL, what="model", reserved=("report",)), doc="One table per model"),
        Key(
            name="report",
            kind=Table(keys=(Key(name="title", kind=Text(), doc="Title of the report"),)),
            doc="The report",
        ),
    ),
)
