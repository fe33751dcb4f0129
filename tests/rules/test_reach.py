"""Exactly which actions an edit reaches, for a model with accuracy control, `auto` and the speed check.

An action that an edit wrongly misses is shown as fresh; one that it wrongly reaches runs again for nothing. Only
changes of the action itself count here; the engine handles changes of its inputs' contents.
"""

from __future__ import annotations

import pytest

from ovmake.graph.action import Action
from ovmake.graph.lower import lower
from ovmake.ovfile.parse import parse
from ovmake.rules import debug_target, measure_target

OVFILE = """
[datasets.train]
path = "train"
[datasets.val]
path = "val.npz"
labels = "y"
[models.m]
source = "m"
precisions = ["auto", "int8"]
calibration = "train"
accuracy.dataset = "val"
accuracy.metric = "accuracy"
accuracy.max-drop = 0.002
[models.m.int8]
on-drop = "mixed"
[models.m.auto]
candidates = ["fp16", "int8"]
"""
JUDGED = {"judge m:fp16", "judge m:int8", "gate m:int8"}
EVALUATED = {"evaluate m:fp16", "evaluate m:int8", "control m:int8"}
TIMED = {"time-candidates m:auto", "benchmark m:int8", "benchmark m:auto"}
CALIBRATED = {"quantize m:int8", "check-calibration m:int8"}
FED = {"reference m", "check-calibration m:int8", "compare-layers m:int8", "compare-layers m:auto"}


def actions(text: str) -> dict[str, Action]:
    """Return the actions of build, report and debug, except publish, whose record repeats every setting."""
    made = {**lower(parse(text), measure_target, {}).actions, **lower(parse(text), debug_target, {}).actions}
    return {name: action for name, action in made.items() if action.kind != "publish"}


def changed(before: str, after: str) -> set[str]:
    """Return the actions that differ."""

    def sees(action: Action | None) -> object:
        return action and (action.params, action.inputs, action.tools, action.optional_tools, action.environment)

    old, new = actions(before), actions(after)
    return {name for name in old.keys() | new.keys() if sees(old.get(name)) != sees(new.get(name))}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        # The promise: the actions that judge, and no inference except the search's.
        ("0.002", "0.001", {*JUDGED, "control m:int8"}),
        ('"mixed"', '"mixed"\nmax-minutes = 5', {"control m:int8"}),
        ('"mixed"', '"mixed"\nmax-evaluations = 5', {"control m:int8"}),
        # The model: the conversion, and the actions that convert it again to find its layers.
        (
            "\n[models.m.int8]",
            "\nbatch = 4\n[models.m.int8]",
            {"convert m", "name-layers m:int8", "compare-layers m:int8", "compare-layers m:auto"},
        ),
        # Operations that the source may run: the actions that load it, and name these in messages.
        (
            "\n[models.m.int8]",
            '\nallow-ops = ["ReadFile"]\n[models.m.int8]',
            {"convert m", "check-source m", "reference m", "freeze m", "name-layers m:int8", *TIMED}
            - {"time-candidates m:auto"}
            | {"compare-layers m:int8", "compare-layers m:auto"},
        ),
        # The metric: the actions that compute it, for one precision or all. TensorFlow's outputs are the same.
        ('"accuracy"', '"f1"', {*EVALUATED, "check-samples m"}),
        ('"accuracy"', '"own.py:f"', {*EVALUATED, "check-samples m"}),
        ('"accuracy"', '"accuracy"\naccuracy.output = "z"', {*EVALUATED, "check-samples m"}),
        (
            '"mixed"',
            '"mixed"\naccuracy.metric = "f1"',
            {"evaluate m:int8", "control m:int8", "check-samples m:int8"},
        ),
        # The validation set: labels reach the actions that count them, samples all that run them; not quantize.
        ('labels = "y"', 'labels = "z"', {*EVALUATED, "check-samples m"}),
        ("val.npz", "other.npz", {*EVALUATED, *TIMED, *FED, "check-samples m"}),
        ('labels = "y"', 'labels = "y"\nlimit = 9', {*EVALUATED, *TIMED, *FED, "check-samples m"}),
        # The calibration set.
        ('"train"\n[', '"other"\n[', CALIBRATED),
        ('"train"\n[', '"train"\nimages.crop = 8\n[', CALIBRATED),
        ('"train"\n[', '"train"\nmax-overlap = 2\n[', {"check-calibration m:int8"}),
        ('"mixed"', '"mixed"\nsamples = 9', CALIBRATED),
        ('"mixed"', '"mixed"\npreset = "performance"', {"quantize m:int8"}),
        # The device: the actions that run the IR for figures or times.
        (
            "\n[datasets.train]",
            'device = "GPU"\n[datasets.train]',
            {*EVALUATED, *TIMED, "compare-speed m:int8", "quantize m:int8"},
        ),
        ("\n[models.m.int8]", "\nbenchmark.max-seconds = 3\n[models.m.int8]", TIMED),
        # Requirements: the actions that judge them, and no measurement.
        ('"mixed"', '"mixed"\nrequire.size = "4 MB"', {"check-size m:int8"}),
        ('"mixed"', '"mixed"\nrequire.speedup = 2', {"require m:int8"}),
        ('"mixed"', '"mixed"\nbenchmark.devices = ["GPU"]', {"benchmark m:int8 on GPU"}),
        # Limits of an action reach no action.
        ("\n[datasets.train]", '\nlimits = { minutes = 5, memory = "8 GB" }\n[datasets.train]', set()),
    ],
)
def test_edit_reaches_exactly_its_readers(old: str, new: str, expected: set[str]) -> None:
    assert OVFILE.count(old) == 1

    assert expected == changed(OVFILE, OVFILE.replace(old, new))


UNJUDGED = """
[datasets.train]
path = "train"
[models.m]
source = "m"
precisions = ["fp32", "int8"]
calibration = "train"
"""
CALIBRATION = 'calibration = "train"'
SEES_SAMPLES = {"reference m", "evaluate m:fp32", "evaluate m:int8", "compare-layers m:fp32", "compare-layers m:int8"}
CALIBRATES = {"check-calibration m:int8", "quantize m:int8", *SEES_SAMPLES}
GATES = {"gate m:fp32", "gate m:int8"}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        # The rest of the calibration set judges: the actions that choose samples of the set.
        ('path = "train"', 'path = "other"', CALIBRATES),
        ('path = "train"', 'path = "train"\nlabels = "y"', set()),
        ('path = "train"', 'path = "train"\nlimit = 9', CALIBRATES),
        (CALIBRATION, f"{CALIBRATION}\nsamples = 9", CALIBRATES),
        # An agreement, and noise that the Ovfile asks for; timing uses it too.
        (CALIBRATION, f"{CALIBRATION}\naccuracy.agreement.cosine = 0.9", GATES),
        (
            CALIBRATION,
            f'{CALIBRATION}\naccuracy = {{ agreement.cosine = 0.9, inputs = "noise" }}',
            {*SEES_SAMPLES, *GATES, "benchmark m:fp32", "benchmark m:int8", "compare-speed m:int8"},
        ),
    ],
)
def test_edit_reaches_the_actions_that_use_held_out_samples(old: str, new: str, expected: set[str]) -> None:
    assert UNJUDGED.count(old) == 1

    assert expected == changed(UNJUDGED, UNJUDGED.replace(old, new))


def test_only_int8_has_a_setting_for_noise() -> None:
    gates = {name: actions(UNJUDGED)[name].settings for name in GATES}

    assert ["gate m:int8"] == [name for name, params in gates.items() if "accuracy.real-data" in params]


@pytest.mark.parametrize("form", ["pictures", "pictures.csv", "pictures.tfrecord"])
def test_forms_with_images_depend_on_the_version_of_pillow(form: str) -> None:
    made = actions(OVFILE.replace("val.npz", form)).values()

    assert CALIBRATED == {name for name, action in actions(OVFILE).items() if "pillow" in action.tools}
    expected = {*EVALUATED, *TIMED, *FED, *CALIBRATED, "check-samples m"}
    assert expected == {action.name for action in made if "pillow" in action.tools}


def test_metric_of_a_candidate_that_is_no_target_is_also_checked() -> None:
    listed = OVFILE.replace('["auto", "int8"]', '["auto"]').replace(
        "[models.m.auto]", 'accuracy.metric = "f1"\n[models.m.auto]'
    )

    made = actions(listed)

    assert ("check-samples m", "check-samples m:int8") == made["reference m"].after
