"""A reason about a setting or a source ends with the line of the Ovfile that is behind it."""

from __future__ import annotations

import pytest

from ovmake.engine.explain import OWN_PARAMS, in_words
from ovmake.engine.staleness import ABSENT, Reason
from ovmake.graph.action import Action, Graph, Source
from ovmake.graph.lower import SourceForm, lower
from ovmake.ovfile.parse import parse, span_of
from ovmake.ovfile.words import KeyPath
from ovmake.rules import measure_target
from tests.engine.small import action

# The number of its line stands behind what a reason may point at.
OVFILE = """\
device = "AUTO"                    #1

[datasets.val]
loader = "data.py:val"             #4
files = ["images"]                 #5
limit = 50                         #6

[datasets.train]
path = "data/train.csv"            #9
files = ["data/train"]             #10
inputs = { image = "file" }        #11
images = { resize = [8, 8] }       #12

[models.m]                         #14
source = "models/m"                #15
signature = "other"                #16
precisions = ["fp32", "int8", "auto"]
batch = 4                          #18

[models.m.inputs.image]            #20
mean = 72.94                       #21
scale = 90.02                      #22
layout = "NCHW"                    #23

[models.m.accuracy]                #25
dataset = "val"                    #26
metric = "metrics.py:mine"         #27
max-drop = 0.01                    #28

[models.m.int8]                    #30
calibration = "train"              #31
samples = 200                      #32
ignored.types = ["Softmax"]        #33
bias-correction = false            #34
"""


def lowered(text: str = OVFILE) -> Graph:
    return lower(parse(text), measure_target, {"models/m": SourceForm(kind="saved-model")})


def line_behind(reason: Reason, action: Action, text: str = OVFILE) -> str:
    """Return the line that a reason points at, "" if it points at none."""

    def locate(at: KeyPath) -> str:
        span = span_of(at, text, "Ovfile")
        return f"Ovfile:{span.line}" if span else ""

    _, _, place = in_words(reason, action, locate).partition("  Ovfile:")
    return text.splitlines()[int(place) - 1] if place else ""


def changed(action: Action, name: str, text: str = OVFILE) -> str:
    return line_behind(Reason(kind="param", name=name, old="1", new="2"), action, text)


def test_every_setting_that_is_set_points_at_its_own_line() -> None:
    at_default = {"form", "max-error", "promised", "preset", "on-drop", "precision", "candidates", "max-seconds"}
    wrong = [
        (action.name, name, line)
        for action in lowered().actions.values()
        for name in action.settings
        for key in [name.rpartition(".")[2]]
        if key not in (line := changed(action, name)) and key not in at_default | OWN_PARAMS
        if not {"default", "neighbours"} & set(name.split("."))  # the tool's own, where the Ovfile says nothing
    ]

    assert wrong == []


@pytest.mark.parametrize(
    ("action", "name", "line"),
    [
        ("convert m", "inputs.image.mean", 21),
        ("convert m", "inputs.image.model-layout", 20),
        ("convert m", "cut.outputs", 14),
        ("publish m:fp32", "inputs.image.type", 20),
        ("reference m", "dataset.limit", 6),
        ("quantize m:int8", "dataset.images.resize", 12),
        ("quantize m:int8", "samples", 32),
        ("quantize m:int8", "preset", 30),
        ("quantize m:int8", "ignored.names", 33),
        ("evaluate m:int8", "device", 1),
        ("gate m:fp32", "accuracy.max-drop", 28),
        ("gate m:fp32", "accuracy.agreement.cosine", 25),
        ("check-calibration m:int8", "validation.limit", 6),
    ],
)
def test_setting_points_at_its_line_or_at_the_table_it_would_be_in(action: str, name: str, line: int) -> None:
    assert changed(lowered().actions[action], name) == OVFILE.splitlines()[line - 1]


@pytest.mark.parametrize(
    ("action", "name", "line", "table"),
    [
        ("convert m", "inputs.image.mean", "mean = 72.94", "[models.m.inputs.image]"),
        ("convert m", "batch", "batch = 4", "[models.m]"),
        ("reference m", "dataset.limit", "limit = 50", "[datasets.val]"),
        ("quantize m:int8", "ignored.types", "ignored.types", "[models.m.int8]"),
    ],
)
def test_setting_that_was_taken_out_points_at_the_table_it_was_in(
    action: str, name: str, line: str, table: str
) -> None:
    text = "".join(kept for kept in OVFILE.splitlines(keepends=True) if not kept.startswith(line))

    assert changed(lowered(text).actions[action], name, text).startswith(table)


@pytest.mark.parametrize(
    ("action", "path", "line"),
    [
        ("freeze m", "models/m", 15),
        ("evaluate m:fp32", "data.py", 4),
        ("evaluate m:fp32", "images", 5),
        ("evaluate m:fp32", "metrics.py", 27),
        ("quantize m:int8", "data/train.csv", 9),
        ("quantize m:int8", "data/train", 10),
        ("check-calibration m:int8", "data.py", 4),
    ],
)
def test_source_points_at_the_line_that_names_it(action: str, path: str, line: int) -> None:
    reason = Reason(kind="input", name=path, old="a", new="b")

    assert line_behind(reason, lowered().actions[action]) == OVFILE.splitlines()[line - 1]


def test_what_a_source_computes_points_at_the_source_too() -> None:
    text = OVFILE.replace('signature = "other"', "")  # which would be frozen first
    reason = Reason(kind="input", name="the computation of models/m", old="a", new="b")

    assert "source" in line_behind(reason, lowered(text).actions["reference m"], text)


def test_every_source_points_at_a_line_that_has_its_name() -> None:
    wrong = [
        (action.name, given.label)
        for action in lowered().actions.values()
        for given in action.inputs
        if isinstance(given.origin, Source)
        if given.origin.path not in line_behind(Reason(kind="input", name=given.label, old="a", new="b"), action)
    ]

    assert wrong == []


def test_source_that_is_not_read_any_more_points_nowhere() -> None:
    reason = Reason(kind="input", name="data/old.npz", old="a", new=ABSENT)

    assert line_behind(reason, lowered().actions["evaluate m:fp32"]) == ""


def test_what_an_action_made_points_nowhere() -> None:
    reason = Reason(kind="input", name="`xml` of convert m", old="a", new="b")

    assert line_behind(reason, lowered().actions["quantize m:int8"]) == ""


def test_limits_are_in_a_table_at_the_top() -> None:
    assert ("limits", "minutes") == action("convert m", "models/m.pb").place_of("limits.minutes")
