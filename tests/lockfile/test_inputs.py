"""The input digest of a target: what is in it, and what is not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ovmake.graph.action import Action, Graph
from ovmake.graph.digest import Digest, of_bytes
from ovmake.lockfile.checking import confirms, is_whole
from ovmake.lockfile.inputs import TargetInputs, combined, input_digest, inputs_of
from tests.lockfile.locks import block
from tests.lockfile.repos import graph_of

OVFILE = """\
[datasets.val]
path = "val.npz"
inputs = { x = "x" }
labels = "y"

[datasets.calibration]
path = "calibration.npz"
inputs = { x = "x" }

[models.m]
source = "models/m"
precisions = ["fp32", "fp16", "int8"]

[models.m.accuracy]
dataset = "val"
metric = "accuracy"
max-drop = 0.01

[models.m.int8]
calibration = "calibration"
"""


def content(path: str) -> Digest:
    return of_bytes(path.encode())


def found(text: str, target: str = "m:int8", **changed: str) -> TargetInputs:
    other = {path.replace("_", "."): said for path, said in changed.items()}
    return input_digest(graph_of(text), target, lambda path: content(other.get(path, path)))


def test_sources_of_a_target_are_those_that_lead_to_it() -> None:
    graph = graph_of(OVFILE)

    paths = {target: set(input_digest(graph, target, content).sources) for target in graph.targets}

    assert paths == {
        "m:fp32": {"models/m", "val.npz"},
        "m:fp16": {"models/m", "val.npz"},
        "m:int8": {"models/m", "val.npz", "calibration.npz"},
    }


def test_digest_is_whole_and_holds_what_it_is_made_of() -> None:
    one = found(OVFILE)

    assert one.inputs == combined(one.settings, one.sources)
    assert one.sources["val.npz"] == content("val.npz").encoded()
    made = replace(block("m:int8"), inputs=one.inputs, settings=one.settings, sources=one.sources)
    assert is_whole(made)
    assert confirms(made, one)


@pytest.mark.parametrize("path", ["val_npz", "calibration_npz"])
def test_changed_source_changes_inputs_and_no_settings(path: str) -> None:
    before, after = found(OVFILE), found(OVFILE, **{path: "other"})

    assert before.inputs != after.inputs
    assert before.settings == after.settings


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("max-drop = 0.01", "max-drop = 0.02"),
        ('source = "models/m"', 'source = "models/m"\nbatch = 1'),
        ('path = "val.npz"', 'path = "val.npz"\nlimit = 7'),
        ('calibration = "calibration"', 'calibration = "calibration"\npreset = "performance"'),
        ("[models.m.int8]", '[models.m.require]\nsize = "9 MB"\n\n[models.m.int8]'),
    ],
)
def test_changed_setting_changes_settings(old: str, new: str) -> None:
    assert old in OVFILE

    before, after = found(OVFILE), found(OVFILE.replace(old, new))

    assert before.settings != after.settings
    assert before.sources == after.sources


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[datasets.val]", '[datasets.unused]\npath = "u.npz"\ninputs = { x = "x" }\n\n[datasets.val]'),
        ("[models.m]", '[models.other]\nsource = "models/m"\nbatch = 4\naccuracy = false\n\n[models.m]'),
        ('precisions = ["fp32", "fp16", "int8"]', 'precisions = ["fp32", "int8"]\n\n[models.m.fp32]\nbatch = 4'),
        ("[models.m]", "[models.m.benchmark]\nmax-seconds = 3\n\n[models.m]"),
        ("[models.m]", "[limits]\nminutes = 3\n\n[models.m]"),
        ("[datasets.val]", 'build-dir = "out"\n\n[datasets.val]'),
        ('precisions = ["fp32", "fp16", "int8"]', 'precisions = ["int8", "fp32"]'),
    ],
)
def test_what_other_targets_and_measurements_are_set_to_changes_nothing(old: str, new: str) -> None:
    assert old in OVFILE

    assert found(OVFILE) == found(OVFILE.replace(old, new))


def test_order_of_the_ovfile_changes_nothing() -> None:
    tables = OVFILE.split("\n\n")

    assert found(OVFILE) == found("\n\n".join([tables[1], tables[0], *tables[2:]]))


def test_graph_of_a_report_gives_the_same() -> None:
    for target in ("m:fp32", "m:int8"):
        built, measured = graph_of(OVFILE), graph_of(OVFILE, measure=True)
        assert input_digest(built, target, content) == input_digest(measured, target, content)


def test_tools_environment_and_names_of_actions_are_in_no_digest() -> None:
    graph = graph_of(OVFILE)

    def other(action: Action) -> Action:
        return replace(action, tools=(*action.tools, "more"), environment=("machine",), exclusive=True)

    changed = Graph(actions={name: other(action) for name, action in graph.actions.items()}, targets=graph.targets)

    assert inputs_of(graph, graph.targets, content) == inputs_of(changed, graph.targets, content)


def test_renamed_model_has_other_inputs() -> None:
    assert found(OVFILE).inputs != found(OVFILE.replace("models.m", "models.n"), "n:int8").inputs


def test_absent_source_has_no_digest() -> None:
    one = input_digest(graph_of(OVFILE), "m:fp32", lambda path: None if path == "val.npz" else content(path))

    assert "" == one.sources["val.npz"]


def test_each_source_is_read_once() -> None:
    read: list[str] = []
    graph = graph_of(OVFILE)

    inputs_of(graph, graph.targets, lambda path: read.append(path) or content(path))  # type: ignore[func-returns-value]

    assert ["calibration.npz", "models/m", "val.npz"] == sorted(read)


def test_example_of_all_keys_has_inputs() -> None:
    graph = graph_of((Path(__file__).parents[2] / "Ovfile.example").read_text())

    every = inputs_of(graph, graph.targets, content)

    assert len(graph.targets) == len({one.inputs for one in every.values()})
