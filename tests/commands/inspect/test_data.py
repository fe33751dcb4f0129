"""Which data fits a model: inputs by shape and name, labels by what they can be, roles by the files' names."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ovmake.commands.inspect.data import Found, plan_data
from ovmake.contracts.files.inspected import Data, DataColumn, Port
from tests.commands.inspect.models import MOBILE

PIXELS = DataColumn(name="x", kind="integers", shape=(96, 96, 3), low=0, high=255)
LABELS = DataColumn(name="y", kind="integers", shape=(), low=0, high=9, common=0.1)
PICTURE = DataColumn(name="", kind="image", common=0.25)
ROW = replace(
    MOBILE,
    inputs=(Port(name="features", shape=(-1, 3), type="f32"),),
    outputs=(Port(name="price", shape=(-1, 1), type="f32"),),
)


def arrays(*columns: DataColumn, count: int = 500) -> Data:
    return Data(form="arrays", count=count, columns=columns)


def found(**data: Data) -> list[Found]:
    return [Found(path=f"data/{name}.npz", data=one) for name, one in data.items()]


def roles(data: list[Found]) -> tuple[str, str]:
    plan = plan_data(MOBILE, data)
    return tuple("" if use is None else use.found.path for use in (plan.validation, plan.calibration))  # type: ignore[return-value]


def test_arrays_feed_inputs_by_shape_and_labels_are_classes() -> None:
    (validation, calibration) = (
        (plan := plan_data(MOBILE, found(val=arrays(PIXELS, LABELS)))).validation,
        plan.calibration,
    )

    assert calibration is None
    assert validation is not None
    assert ({"image": ("x",)}, "y", "accuracy", 0.1) == (
        validation.inputs,
        validation.labels,
        validation.metric,
        validation.common,
    )
    assert ("image",) == validation.pixels


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("val", "train"), ("data/val.npz", "data/train.npz")),
        (("train", "test"), ("data/test.npz", "data/train.npz")),
        (("calibration", "images"), ("data/images.npz", "data/calibration.npz")),
        (("a", "b"), ("data/a.npz", "data/b.npz")),
        (("train",), ("data/train.npz", "")),
        (("val", "test"), ("data/val.npz", "")),  # what judges does not calibrate
    ],
)
def test_roles_by_name(names: tuple[str, ...], expected: tuple[str, str]) -> None:
    assert expected == roles(found(**{name: arrays(PIXELS, LABELS) for name in names}))


def test_of_two_that_judge_the_larger_one_decides_more() -> None:
    data = found(test=arrays(PIXELS, LABELS, count=30), val=arrays(PIXELS, LABELS, count=60))

    assert ("data/val.npz", "") == roles(data)


@pytest.mark.parametrize(
    "label",
    [
        replace(LABELS, high=10),  # ten classes are 0 to 9
        replace(LABELS, low=-1),
        replace(LABELS, high=0),
        replace(LABELS, kind="floats"),
        replace(LABELS, shape=(10,)),
    ],
)
def test_what_cannot_be_labels_only_calibrates(label: DataColumn) -> None:
    assert ("", "data/some.npz") == roles(found(some=arrays(PIXELS, label)))


@pytest.mark.parametrize(
    "pixels",
    [
        replace(PIXELS, shape=(96, 96)),
        replace(PIXELS, shape=(96, 96, 1)),
        replace(PIXELS, shape=(27648,)),
        replace(PIXELS, kind="words"),
    ],
)
def test_what_does_not_fit_is_not_proposed(pixels: DataColumn) -> None:
    assert ("", "") == roles(found(val=arrays(pixels, LABELS)))


def test_few_samples_decide_nothing() -> None:
    assert ("", "") == roles(found(some=arrays(PIXELS, LABELS, count=5)))


def test_name_of_an_input_wins_and_two_that_fit_are_not_guessed_between() -> None:
    named, other = replace(PIXELS, name="image"), replace(PIXELS, name="other")

    chosen = plan_data(MOBILE, found(val=arrays(other, named, LABELS))).validation
    assert chosen is not None
    assert {"image": ("image",)} == chosen.inputs
    assert plan_data(MOBILE, found(val=arrays(other, replace(other, name="more"), LABELS))).validation is None


def test_every_input_is_fed() -> None:
    two = replace(MOBILE, inputs=(*MOBILE.inputs, Port(name="size", shape=(-1, 2), type="f32")))
    size = DataColumn(name="size", kind="floats", shape=(2,))

    chosen = plan_data(two, found(val=arrays(PIXELS, size, LABELS))).validation
    assert chosen is not None
    assert {"image": ("x",), "size": ("size",)} == chosen.inputs
    assert plan_data(two, found(val=arrays(PIXELS, LABELS))).validation is None


def test_folder_of_images_has_as_many_classes_as_the_model() -> None:
    ten = Data(form="images", count=100, columns=(PICTURE,), classes=tuple("abcdefghij"))

    chosen = plan_data(MOBILE, [Found(path="data/val", data=ten)]).validation
    assert chosen is not None
    assert ({}, "", (96, 96), ("image",)) == (chosen.inputs, chosen.labels, chosen.resize, chosen.pixels)
    two = replace(ten, classes=("cat", "dog"))
    plan = plan_data(MOBILE, [Found(path="data/photos", data=two)])
    assert plan.validation is None
    assert plan.calibration is not None


def test_columns_of_a_table_feed_one_input_together_and_numbers_are_a_regression() -> None:
    columns = tuple(DataColumn(name=name, kind="floats") for name in ("a", "b", "c", "target"))

    chosen = plan_data(ROW, [Found(path="houses.csv", data=Data(form="table", count=90, columns=columns))]).validation

    assert chosen is not None
    assert ({"features": ("a", "b", "c")}, "target", "mae") == (chosen.inputs, chosen.labels, chosen.metric)


def test_words_of_a_table_are_classes_and_its_images_name_their_folders() -> None:
    words = DataColumn(name="kind", kind="words", words=tuple("abcdefghij"), common=0.2)
    image = DataColumn(name="file", kind="image", words=("photos",))

    chosen = plan_data(
        MOBILE, [Found(path="data/val.csv", data=Data(form="table", count=90, columns=(image, words)))]
    ).validation

    assert chosen is not None
    assert (("photos",), tuple("abcdefghij"), "kind") == (chosen.files, chosen.classes, chosen.labels)


def test_model_of_one_sample_or_of_several_outputs_is_not_judged() -> None:
    data = found(val=arrays(PIXELS, LABELS))

    one = replace(MOBILE, inputs=(replace(MOBILE.inputs[0], shape=(1, 96, 96, 3)),))
    assert plan_data(one, data).validation is None
    several = replace(MOBILE, outputs=MOBILE.outputs * 2)
    plan = plan_data(several, data)
    assert plan.validation is None
