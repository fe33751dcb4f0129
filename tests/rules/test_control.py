"""The actions that `on-drop = "mixed"` adds, their dependencies, and their journal."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from ovmake.contracts.values import JsonValue
from ovmake.graph.action import Action
from ovmake.graph.lower import SourceForm, lower
from ovmake.ovfile.parse import parse
from ovmake.rules import build_target
from ovmake.rules.replaying import with_replay

OVFILE = """
[datasets.train]
path = "data/train.npz"

[datasets.val]
path = "data/val.npz"
labels = "y"

[models.m]
source = "m"
precisions = ["fp32", "int8"]
calibration = "train"
accuracy = { dataset = "val", metric = "accuracy", max-drop = 0.002 }

[models.m.int8]
on-drop = "mixed"
"""


def needs(made: Mapping[str, Action], name: str) -> set[str]:
    """Return the actions that an action needs."""
    before = made[name].needs
    return {*before, *(more for one in before for more in needs(made, one))}


def params(action: Action) -> dict[str, JsonValue]:
    return action.settings


def test_control_is_between_quantize_and_evaluate() -> None:
    made = lower(parse(OVFILE), build_target, {}).actions

    assert "quantize m:int8" in made["control m:int8"].needs
    assert "reference m" in made["control m:int8"].needs
    assert {"control m:int8"} == {
        given.origin.action  # type: ignore[union-attr]
        for given in made["evaluate m:int8"].inputs
        if given.role in {"xml", "bin"}
    }
    assert "control m:int8" in needs(made, "gate m:int8")


def test_no_search_without_on_drop() -> None:
    made = lower(parse(OVFILE.replace('on-drop = "mixed"', "")), build_target, {}).actions

    assert not [action for action in made.values() if action.kind == "control"]
    assert not [given for given in made["gate m:int8"].inputs if given.role == "search"]


def test_new_promise_searches_again_over_the_same_trials() -> None:
    one = lower(parse(OVFILE), build_target, {}).actions
    other = lower(parse(OVFILE.replace("0.002", "0.001")), build_target, {}).actions

    assert one["quantize m:int8"] == other["quantize m:int8"]
    assert one["control m:int8"] != other["control m:int8"]
    journal = one["control m:int8"].journal or ()
    assert {name: value for name, value in params(one["control m:int8"]).items() if name not in journal} == {
        name: value for name, value in params(other["control m:int8"]).items() if name not in journal
    }


def test_settings_of_a_trial_are_part_of_the_journals_name() -> None:
    action = lower(parse(OVFILE), build_target, {}).actions["control m:int8"]

    assert {"dataset.form", "dataset.labels", "accuracy.metric"} == set(params(action)) - set(action.journal or ())


def test_limits_affect_only_the_search() -> None:
    limited = OVFILE + "max-minutes = 5\nmax-evaluations = 7\n"
    action = lower(parse(limited), build_target, {}).actions["control m:int8"]

    assert (5.0, 7) == (params(action)["max-minutes"], params(action)["max-evaluations"])
    assert {"max-minutes", "max-evaluations"} <= set(action.journal or ())


@pytest.mark.parametrize("reader", ["gate", "publish"])
def test_readers_of_the_search_get_the_sources_names(reader: str) -> None:
    made = lower(parse(OVFILE), build_target, {}).actions

    assert ["name-layers m:int8"] == [
        given.origin.action  # type: ignore[union-attr]
        for given in made[f"{reader} m:int8"].inputs
        if given.role == "search"
    ]


def test_names_depend_on_the_sources_bytes_and_the_search_does_not() -> None:
    """A re-export of the same weights may name its layers differently, and does not search again."""
    made = lower(parse(OVFILE), build_target, {}).actions

    assert ["source"] == [given.role for given in made["name-layers m:int8"].inputs if given.role == "source"]
    assert not [given for given in made["name-layers m:int8"].inputs if given.by_computation]
    assert not [given for given in made["control m:int8"].inputs if given.role == "source"]
    assert "name-layers m:int8" not in needs(made, "evaluate m:int8")


@pytest.mark.parametrize(
    ("kind", "lines", "roles", "tools"),
    [
        ("saved-model", "", {"source"}, ("tensorflow",)),
        ("frozen-graph", "", {"source"}, ("tensorflow",)),
        ("tflite", "", {"source"}, ()),
        ("keras", "", {"graph", "names"}, ()),
        # Frozen for `ignored` anyway.
        ("saved-model", 'ignored = { names = ["stem"] }\n', {"graph", "names"}, ()),
    ],
)
def test_naming_freezes_the_source_unless_it_is_frozen_already(
    kind: str, lines: str, roles: set[str], tools: tuple[str, ...]
) -> None:
    made = lower(parse(OVFILE + lines), build_target, {"m": SourceForm(kind=kind)}).actions
    action = made["name-layers m:int8"]

    assert roles == {given.role for given in action.inputs} - {"xml", "bin", "interface", "search"}
    assert tools == action.optional_tools
    assert ("freeze m" in made) == ("graph" in roles)


# --- replay from a lock -------------------------------------------------------------------------------------


def test_a_lock_tells_the_search_what_to_try_first() -> None:
    graph = lower(parse(OVFILE), build_target, {})
    name = next(name for name in graph.actions if name.startswith("control "))
    target = name.partition(" ")[2]

    told = with_replay(graph, {target: ("conv/Conv2D", "dense/MatMul"), "gone:int8": ("x",)})

    assert {**params(graph.actions[name]), "replay": ("conv/Conv2D", "dense/MatMul")} == params(told.actions[name])
    assert ("replay",) == told.actions[name].advice
    assert "replay" in (told.actions[name].journal or ())
    assert {name} == {one for one in graph.actions if graph.actions[one] != told.actions[one]}


def test_a_lock_without_reverted_layers_changes_nothing() -> None:
    graph = lower(parse(OVFILE), build_target, {})

    assert graph.actions == with_replay(graph, dict.fromkeys(graph.targets, ())).actions


def test_targets_without_a_search_are_left_as_they_are() -> None:
    graph = lower(parse(OVFILE.replace('on-drop = "mixed"', "")), build_target, {})

    assert graph.actions == with_replay(graph, dict.fromkeys(graph.targets, ("x",))).actions
