"""What is tried before an Ovfile is written: what fails is left out, and said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import pytest

from ovmake.commands.inspect.data import DataPlan
from ovmake.commands.inspect.settling import settle
from ovmake.commands.inspect.starter import SUGGESTED, Entry, Scaling
from ovmake.ovfile.parse import parse
from ovmake.ovfile.spec import Target
from tests.commands.inspect.models import MOBILE, UNSUPPORTED
from tests.commands.inspect.test_starter import FLEXIBLE, PLAN, entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    failure: str = ""
    score: float | None = None


Judge = Callable[[Target], Tried]


class Builder:
    """Tries an Ovfile by what `judge` says of each target; keeps the texts."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self.texts: list[str] = []

    def __call__(self, text: str) -> Mapping[str, Tried]:
        self.texts.append(text)
        return {target.name: self._judge(target) for target in parse(text).targets}


def scale_of(target: Target) -> float:
    return next((float(given.scale[0]) for given in target.inputs if given.scale), 1.0)


def has_data(target: Target) -> bool:
    return target.accuracy is not None and target.accuracy.dataset is not None


def settled(judge: Judge, *entries: Entry) -> list[Entry]:
    return settle(entries, Builder(judge))


DATA = replace(PLAN, validation=replace(PLAN.validation, common=0.1))  # type: ignore[type-var]


def test_what_builds_stays_as_it_is() -> None:
    first = entry(MOBILE)

    assert [first] == settled(lambda _: Tried(), first)


@pytest.mark.parametrize(
    ("scores", "scaling"),
    [
        ({1.0: 0.1, 255.0: 0.9, 127.5: 0.5}, Scaling(mean=0.0, scale=255.0)),
        ({1.0: 0.2, 255.0: 0.5, 127.5: 0.9}, Scaling(mean=127.5, scale=127.5)),
        ({1.0: 0.9, 255.0: 0.9, 127.5: 0.9}, None),
        ({1.0: 0.9, 255.0: 0.91, 127.5: 0.905}, None),  # no more than chance explains
    ],
)
def test_scaling_is_the_one_by_which_tensorflow_is_most_accurate(
    scores: dict[float, float], scaling: Scaling | None
) -> None:
    (found,) = settled(lambda target: Tried(score=scores[scale_of(target)]), entry(MOBILE, plan=DATA))

    assert (scaling, DATA) == (found.scaling, found.plan)


def test_gate_on_data_on_which_tensorflow_is_at_chance_is_not_written() -> None:
    (found,) = settled(lambda _: Tried(score=0.11), entry(MOBILE, plan=DATA))

    assert (None, DATA.calibration, None) == (found.plan.validation, found.plan.calibration, found.scaling)
    (note,) = found.notes
    assert note == (
        "no accuracy on data/val.npz: TensorFlow is right on 11.0 % of it, the most frequent answer alone on "
        "10.0 %; check the labels, and the scaling of inputs"
    )


def test_int8_that_misses_its_gate_is_not_written() -> None:
    def judge(target: Target) -> Tried:
        return Tried(failure="gate: drop 0.2", score=0.9) if target.precision == "int8" else Tried(score=0.9)

    (found,) = settled(judge, entry(MOBILE, plan=DATA))

    assert DataPlan(validation=DATA.validation) == found.plan
    assert found.notes == ("no INT8, calibrated with data/train: gate: drop 0.2",)


def test_data_that_breaks_a_build_is_not_written() -> None:
    def judge(target: Target) -> Tried:
        return Tried(failure="the data does not fit") if has_data(target) else Tried()

    (found,) = settled(judge, entry(MOBILE, plan=DATA))

    assert (DataPlan(), "") == (found.plan, found.reason)
    assert found.notes == ("no accuracy and no INT8 with the data that was found: the data does not fit",)


def test_model_whose_gate_is_missed_is_a_comment_and_the_others_build() -> None:
    def judge(target: Target) -> Tried:
        return Tried(failure="gate odd:fp16: missed\nby far " + "x" * 400) if target.model == "odd" else Tried()

    good, bad = settled(judge, entry(MOBILE, "good"), entry(MOBILE, "odd"))

    assert (True, False) == (good.builds, bad.builds)
    assert bad.reason.startswith("gate odd:fp16: missed by far xxx")
    assert len(bad.reason) == 300


def test_setting_that_breaks_a_model_is_not_suggested() -> None:
    def judge(target: Target) -> Tried:
        fixed = any(given.shape for given in target.inputs)
        return Tried(failure="224 is too small") if fixed else Tried()

    (found,) = settled(judge, entry(FLEXIBLE))

    assert ("mean", "scale") == found.suggested


def test_settings_that_do_not_go_alone_are_not_suggested() -> None:
    def judge(target: Target) -> Tried:
        fixed = any(given.shape for given in target.inputs)
        return Tried(failure="with a batch only") if fixed and target.batch is None else Tried()

    (found,) = settled(judge, entry(FLEXIBLE))

    assert tuple(kind for kind in SUGGESTED if kind != "shape") == found.suggested


def test_model_that_cannot_be_built_is_not_tried() -> None:
    builder = Builder(lambda _: Tried())
    broken = entry(UNSUPPORTED, "odd", "why")

    assert [broken] == settle([broken], builder)
    assert [] == builder.texts
