"""The Ovfile that `init` writes: it is one, whatever the models are called, with any of its settings uncommented."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from ovmake.commands.inspect.data import DataPlan, Found, Use
from ovmake.commands.inspect.description import Description
from ovmake.commands.inspect.starter import SUGGESTED, Entry, Scaling, starter
from ovmake.contracts.files.inspected import Data, DataColumn, Port
from ovmake.ovfile.parse import parse
from tests.commands.inspect.models import MISSING, MOBILE, QUANTIZED, UNSUPPORTED

IMAGES = Data(
    form="arrays",
    count=6_000,
    columns=(
        DataColumn(name="x", kind="integers", shape=(96, 96, 3), high=255.0),
        DataColumn(name="y", kind="integers"),
    ),
)
VALIDATION = Use(
    found=Found(path="data/val.npz", data=IMAGES),
    inputs={"image": ("x",)},
    labels="y",
    metric="accuracy",
    pixels=("image",),
)
CALIBRATION = Use(
    found=Found(path="data/train", data=Data(form="images", count=300, columns=())), inputs={}, resize=(96, 96)
)
PLAN = DataPlan(validation=VALIDATION, calibration=CALIBRATION)


def entry(
    description: Description | None, name: str = "mobile", reason: str = "", plan: DataPlan | None = None
) -> Entry:
    return Entry(name=name, source="models/mobile", description=description, reason=reason, plan=plan or DataPlan())


def targets(text: str) -> list[str]:
    return [target.name for target in parse(text, file="Ovfile", inside=lambda _: True).targets]


def settings(text: str) -> list[int]:
    """Return the lines that are settings to choose from."""
    return [
        number for number, line in enumerate(text.split("\n")) if line.startswith("#") and line[1:2] not in {" ", ""}
    ]


def chosen(text: str, numbers: tuple[int, ...]) -> str:
    lines = text.split("\n")
    for number in numbers:
        lines[number] = lines[number].removeprefix("#")
    return "\n".join(lines)


def test_a_whole_ovfile() -> None:
    broken = entry(UNSUPPORTED, "odd", MISSING.message)
    noted = replace(entry(MOBILE), notes=("no INT8: it was tried",))

    expected = """\
# Written by `ovmake init`. `ovmake build` makes build/MODEL/PRECISION/MODEL.xml, `ovmake report` measures the speed.
# Lines that begin with # and no blank are optional settings: remove the # to use one. `ovmake inspect MODEL` describes
# a model, Ovfile.example shows every key.

version = 1

[defaults]
precisions = ["fp32", "fp16"]

[models.mobile]    # SavedModel, 14.4 MB, 3,538,984 parameters
source = "models/mobile"
#batch = 1    # of every input; without it, batches stay dynamic
#inputs.image.mean = [0.0, 0.0, 0.0]    # the IR computes (x - mean) / scale
#inputs.image.scale = [1.0, 1.0, 1.0]
# takes "image": f32 [-1, 96, 96, 3]
# returns "scores": f32 [-1, 10]
# has more signatures: "features"
# no INT8: it was tried

# `models/mobile` cannot be built: OpenVINO has no conversion rule for `Betainc`, `MatrixSolve`

# INT8 needs a few hundred typical samples for calibration, and accuracy needs different samples with the right answers:
# an .npz with an array for each input, a .csv, a folder of images or TFRecords. `ovmake init -f FILE` searches again.
"""
    assert expected == starter([noted, broken])


def test_data_that_was_found_is_used() -> None:
    scaled = replace(entry(MOBILE, plan=PLAN), scaling=Scaling(mean=0.0, scale=255.0))

    text = starter([scaled])

    start, end = text.index("[datasets.val]"), text.index("# takes")
    assert (
        text[start:end]
        == """\
[datasets.val]    # 6,000 samples
path = "data/val.npz"
inputs = { image = "x" }
labels = "y"
limit = 5000    # after a seeded shuffle

[datasets.train]    # 300 samples
path = "data/train"
images = { resize = [96, 96] }

[models.mobile]    # SavedModel, 14.4 MB, 3,538,984 parameters
source = "models/mobile"
precisions = ["fp32", "fp16", "int8"]
int8.calibration = "train"
inputs.image.mean = 0.0
inputs.image.scale = 255.0    # best for TensorFlow's accuracy
accuracy = { dataset = "val", metric = "accuracy", max-drop = 0.01 }
#batch = 1    # of every input; without it, batches stay dynamic
"""
    )
    assert ["mobile:fp32", "mobile:fp16", "mobile:int8"] == targets(text)
    assert "limit = 100 " in starter([scaled], most=100)


def test_models_that_use_a_dataset_alike_share_it_and_others_have_their_own() -> None:
    other = replace(VALIDATION, inputs={"pixels": ("x",)})
    renamed = replace(MOBILE, inputs=(replace(MOBILE.inputs[0], name="pixels"),), signatures=())

    text = starter(
        [
            entry(MOBILE, "a", plan=DataPlan(validation=VALIDATION)),
            entry(MOBILE, "b", plan=DataPlan(validation=VALIDATION)),
            entry(renamed, "c", plan=DataPlan(validation=other)),
        ]
    )

    assert ["val", "val-c"] == list(parse(text).datasets)
    assert 2 == text.count('accuracy = { dataset = "val",')


FLEXIBLE = replace(MOBILE, inputs=(Port(name="the image/1", shape=(-1, -1, -1, 3), type="f32"),))
TOKENS = replace(
    MOBILE, inputs=(Port(name="ids", shape=(-1, -1), type="i64"), Port(name="mask", shape=(-1, -1), type="i64"))
)


@pytest.mark.parametrize("plan", [DataPlan(), PLAN, DataPlan(calibration=CALIBRATION)], ids=["none", "both", "int8"])
@pytest.mark.parametrize("description", [MOBILE, FLEXIBLE, QUANTIZED, TOKENS], ids=["plain", "open", "lite", "several"])
def test_every_choice_of_settings_is_an_ovfile(description: Description, plan: DataPlan) -> None:
    named = replace(plan, validation=replace(plan.validation, pixels=())) if plan.validation else plan
    text = starter([entry(description, plan=named), entry(description, "other"), entry(UNSUPPORTED, "odd", "why")])
    lines = settings(text)
    expected = targets(text)

    for count in range(len(lines) + 1) if len(lines) < 7 else (1, len(lines)):
        for numbers in itertools.combinations(lines, count):
            assert expected == targets(chosen(text, numbers))


def test_sizes_of_several_inputs_are_left_to_the_user_for_they_may_have_to_agree() -> None:
    assert "shape = " not in starter([entry(TOKENS)])
    assert '#inputs."the image/1".shape = [-1, 224, 224, 3]    # a fixed shape runs faster' in starter(
        [entry(FLEXIBLE)]
    )


@pytest.mark.parametrize("kind", SUGGESTED)
def test_suggestions_can_be_tried_and_left_out(kind: str) -> None:
    line = next(one for one in starter([entry(FLEXIBLE)]).splitlines() if one.startswith("#") and f"{kind} = " in one)

    assert line.removeprefix("#") in starter([entry(FLEXIBLE)], uncommented=(kind,)).splitlines()
    left = tuple(other for other in SUGGESTED if other != kind)
    assert line not in starter([replace(entry(FLEXIBLE), suggested=left)])


def test_it_builds_what_can_be_built() -> None:
    text = starter([entry(MOBILE), entry(UNSUPPORTED, "odd", "why"), entry(QUANTIZED, "tiny"), entry(None, "no", "it")])

    assert ["mobile:fp32", "mobile:fp16", "tiny:fp32", "tiny:fp16"] == targets(text)


def test_another_signature_and_other_tags_are_settings() -> None:
    used = replace(MOBILE, signature="features", tags=("serve", "gpu"), signatures=())

    text = starter([entry(used)])

    assert 'signature = "features"\ntags = ["serve", "gpu"]\n' in text


@pytest.mark.parametrize("name", ['a"b', "a\nsource = 1", "a\\", "ü", "\x1b[2J", "a\u2028b", "\x7f", "]", "#x = 1"])
def test_names_out_of_models_and_data_cannot_break_out_of_a_comment_or_a_string(name: str) -> None:
    hostile = replace(
        MOBILE,
        inputs=(Port(name=name, shape=(-1, 2, 2, 3), type="f32"),),
        outputs=(Port(name=name, shape=None, type="f32"),),
    )
    use = replace(
        VALIDATION, found=Found(path=f"data/{name}.csv", data=IMAGES), inputs={name: (name,)}, labels=name,
        classes=(name,), files=(name,),
    )  # fmt: skip
    plan = DataPlan(validation=use)
    one = Entry(name="m", source=f"models/{name}", description=hostile, plan=plan, notes=(f"note {name}",))
    other = Entry(name="n", source=f"models/{name}", description=None, reason=f"it is {name}")

    text = starter([one, other])
    for numbers in ((), tuple(settings(text))):
        found = parse(chosen(text, numbers), file="Ovfile", inside=lambda _: True)
        assert {f"models/{name}"} == {target.source for target in found.targets}
        assert {"m"} == {target.model for target in found.targets}
        assert 1 == len(found.datasets)
