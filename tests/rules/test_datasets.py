"""The actions that a dataset reaches, and those that an edit of its table makes stale."""

from __future__ import annotations

import pytest

from ovmake.graph.action import Action, Graph, Source
from ovmake.graph.lower import lower
from ovmake.ovfile.parse import parse
from ovmake.rules import build_target

MODEL = """
[models.m]
source = "m"
precisions = ["fp32", "int8"]
accuracy = { dataset = "val", metric = "accuracy" }
int8.calibration = "train"
"""
VAL = '[datasets.val]\npath = "val.npz"\nlabels = "y"\n'
TRAIN = '[datasets.train]\npath = "train"\nimages.crop = 8\n'


def graph(val: str = VAL, train: str = TRAIN, model: str = MODEL) -> Graph:
    return lower(parse(val + train + model), build_target, {})


def changed(before: Graph, after: Graph) -> set[str]:
    """Return the actions whose params or inputs differ, except publish, whose record repeats every setting."""

    def work(action: Action) -> object:
        return action.params, action.inputs

    return {
        name
        for name, action in after.actions.items()
        if work(action) != work(before.actions[name]) and action.kind != "publish"
    }


def sources(action: Action) -> dict[str, str]:
    return {given.role: given.origin.path for given in action.inputs if isinstance(given.origin, Source)}


def test_reference_and_quantize_wait_for_the_checks_and_do_not_depend_on_them() -> None:
    actions = graph().actions

    assert ("check-samples m",) == actions["reference m"].after
    assert ("check-samples m", "check-calibration m:int8") == actions["quantize m:int8"].after


def test_precisions_with_different_metrics_share_a_reference_that_waits_for_both_checks() -> None:
    model = MODEL + 'int8.accuracy.metric = "top-3"\n'

    actions = graph(model=model).actions

    assert ["reference m"] == [name for name in actions if name.startswith("reference")]
    assert ("check-samples m", "check-samples m:int8") == actions["reference m"].after
    metrics = [actions[name].settings for name in actions["reference m"].after]
    assert ["accuracy", "top-3"] == [params["accuracy.metric"] for params in metrics]


def test_precisions_with_different_shapes_have_their_own_check() -> None:
    actions = graph(model=MODEL + "int8.batch = 2\n").actions

    assert ("check-samples m",) == actions["reference m"].after
    assert ("check-samples m:int8",) == actions["reference m:int8"].after
    assert "convert m:int8" in actions["check-samples m:int8"].needs


def test_gate_without_a_dataset_checks_none() -> None:
    kinds = {action.kind for action in graph(model='[models.m]\nsource = "m"\n').actions.values()}

    assert not {"check-samples", "check-calibration"} & kinds


def test_calibration_is_checked_without_a_validation_set() -> None:
    model = '[models.m]\nsource = "m"\nprecisions = ["int8"]\ncalibration = "train"\n'

    actions = graph(model=model).actions

    assert ("check-calibration m:int8",) == actions["quantize m:int8"].after
    assert {"dataset"} == sources(actions["check-calibration m:int8"]).keys()
    params = actions["check-calibration m:int8"].settings
    assert 300 == params["samples"]
    assert "samples-written" not in params
    assert not [name for name in params if name.startswith(("accuracy", "validation"))]


def test_number_of_samples_in_the_ovfile_is_required() -> None:
    actions = graph(model=MODEL + "int8.samples = 200\n").actions

    params = actions["check-calibration m:int8"].settings
    assert (200, True) == (params["samples"], params["samples-written"])


def test_gate_of_int8_reads_the_warnings_about_its_calibration() -> None:
    actions = graph().actions

    assert "check-calibration m:int8" in actions["gate m:int8"].needs
    assert "calibrated" not in {given.role for given in actions["gate m:fp32"].inputs}


def test_quantize_reads_the_check_of_a_loader_and_not_of_files() -> None:
    loader = '[datasets.train]\nloader = "code/data.py:train"\n'

    roles = {given.role for given in graph(train=loader).actions["quantize m:int8"].inputs}

    assert "passed" in roles
    assert "passed" not in {given.role for given in graph().actions["quantize m:int8"].inputs}


CHECKS = {"check-samples m", "check-calibration m:int8"}
JUDGED = {"evaluate m:fp32", "evaluate m:int8"}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("limit = 9", {*CHECKS, *JUDGED, "reference m"}),
        ('inputs.x = "other"', {*CHECKS, *JUDGED, "reference m"}),
    ],
)
def test_setting_of_the_validation_set_never_reaches_quantize(line: str, expected: set[str]) -> None:
    assert expected == changed(graph(), graph(val=f"{VAL}{line}\n"))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("limit = 9", {"check-calibration m:int8", "quantize m:int8"}),
        ("images.resize = 16", {"check-calibration m:int8", "quantize m:int8"}),
        ('images.channels = "bgr"', {"check-calibration m:int8", "quantize m:int8"}),
        ("max-overlap = 2", {"check-calibration m:int8"}),
        ('classes = ["a"]', set()),  # labels, which calibration does not use
    ],
)
def test_setting_of_the_calibration_set_reaches_its_readers(line: str, expected: set[str]) -> None:
    assert expected == changed(graph(), graph(train=f"{TRAIN}{line}\n"))


def test_labels_reach_the_actions_that_count_them() -> None:
    after = graph(val=VAL.replace('"y"', '"z"'))

    assert {"check-samples m", *JUDGED} == changed(graph(), after)


def test_loader_and_the_files_it_reads_are_inputs() -> None:
    loader = '[datasets.val]\nloader = "code/data.py:val"\nfiles = ["data/a", "./data/b.bin"]\n'

    actions = graph(val=loader).actions

    expected = {"dataset": "code/data.py", "dataset.files.0": "data/a", "dataset.files.1": "data/b.bin"}
    assert expected == {role: path for role, path in sources(actions["reference m"]).items() if role != "source"}
    others = sources(actions["check-calibration m:int8"])
    assert {"train", *expected.values()} == set(others.values())
    assert "code/data.py" == others["validation"]
    params = actions["evaluate m:int8"].settings
    assert "val" == params["dataset.loader"]
