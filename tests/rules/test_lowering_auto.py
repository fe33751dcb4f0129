"""The actions of `auto` and of the speed check: what they share, what they wait for, which settings reach them."""

from __future__ import annotations

import pytest

from ovmake.contracts.values import JsonValue
from ovmake.graph.action import Artifact, Graph
from ovmake.graph.lower import Rule, SourceForm, lower
from ovmake.graph.query import closure
from ovmake.ovfile.parse import parse
from ovmake.rules import build_target, debug_target, measure_target

INT8 = '[models.m.int8]\ncalibration = "train"\n'


def ovfile(*precisions: str, lines: str = "", tables: str = INT8) -> str:
    listed = ", ".join(f'"{precision}"' for precision in precisions)
    head = '[datasets.train]\npath = "train.npz"\n[models.m]\nsource = "m"\n'
    return f"{head}precisions = [{listed}]\n{lines}\n{tables}"


def graph(text: str, rule: Rule = build_target) -> Graph:
    return lower(parse(text), rule, {"m": SourceForm(kind="saved-model")})


def needs(found: Graph, name: str) -> list[str]:
    return [action.name for action in closure(found, [name])]


def params(found: Graph, name: str) -> dict[str, JsonValue]:
    return found.actions[name].settings


def test_auto_makes_judges_and_weighs_each_candidate() -> None:
    found = graph(ovfile("auto"))

    assert {"m:auto": "publish m:auto"} == found.targets
    assert [
        "convert m",
        "reference m",
        "evaluate m:fp32",
        "judge m:fp32",
        "compress m:fp16",
        "evaluate m:fp16",
        "judge m:fp16",
        "compress-weights m:int8-weights",
        "evaluate m:int8-weights",
        "judge m:int8-weights",
        "check-calibration m:int8",
        "quantize m:int8",
        "evaluate m:int8",
        "judge m:int8",
        "time-candidates m:auto",
        "weigh m:auto",
        "choose m:auto",
        "publish m:auto",
    ] == list(found.actions)


def test_candidate_that_is_also_a_target_is_made_once_and_judged_twice() -> None:
    alone, both = graph(ovfile("auto")), graph(ovfile("int8", "auto"))

    added = set(both.actions) - set(alone.actions)
    assert {"gate m:int8", "publish m:int8", "compare-speed m:int8", "check-speed m:int8"} == added


def test_auto_does_not_depend_on_the_gate_of_a_target() -> None:
    found = graph(ovfile("int8", "auto"))

    assert "gate m:int8" not in needs(found, found.targets["m:auto"])


@pytest.mark.parametrize(
    ("tables", "candidates"),
    [
        ("", ("fp32", "fp16", "int8-weights")),
        (INT8, ("fp32", "fp16", "int8-weights", "int8")),
        # In order of accuracy, not in that of the Ovfile.
        (INT8 + '[models.m.auto]\ncandidates = ["int8", "fp32"]\n', ("fp32", "int8")),
        (INT8 + '[models.m.auto]\ncandidates = ["int8"]\n', ("int8",)),
    ],
)
def test_candidates(tables: str, candidates: tuple[str, ...]) -> None:
    found = graph(ovfile("auto", tables=tables))

    assert candidates == params(found, "weigh m:auto")["candidates"]


def test_the_fp32_ir_is_timed_even_if_it_is_no_candidate() -> None:
    found = graph(ovfile("auto", tables=INT8 + '[models.m.auto]\ncandidates = ["int8"]\n'))

    origins = {given.role: given.origin for given in found.actions["time-candidates m:auto"].inputs}
    assert Artifact("convert m", "xml") == origins["fp32.xml"]
    assert Artifact("quantize m:int8", "xml") == origins["int8.xml"]
    assert "evaluate m:fp32" not in found.actions


def test_a_new_promise_changes_the_judges_and_no_timing() -> None:
    before = graph(ovfile("auto"))
    after = graph(ovfile("auto", lines="accuracy.agreement.cosine = 0.9"))

    changed = {name for name, action in after.actions.items() if action.params != before.actions[name].params}
    candidates = ("fp32", "fp16", "int8-weights", "int8")
    assert {*(f"judge m:{one}" for one in candidates), "publish m:auto"} == changed


def test_with_the_gate_off_all_candidates_are_timed_and_none_judged() -> None:
    found = graph(ovfile("auto", lines="accuracy = false"))

    assert not {"judge", "evaluate", "reference"} & {action.kind for action in found.actions.values()}
    assert "tensorflow" not in found.actions["publish m:auto"].tools


def test_the_record_repeats_the_settings_of_the_candidates() -> None:
    shown = params(graph(ovfile("auto", tables=INT8 + "samples = 20\n")), "publish m:auto")

    assert 20 == shown["int8.samples"]
    assert ("fp32", "fp16", "int8-weights", "int8") == shown["candidates"]
    assert "int8-asym" == shown["int8-weights.mode"]


def test_the_record_has_common_promises_once_and_own_ones_per_candidate() -> None:
    gates = "accuracy.agreement.max-error = 0.5\n"
    shown = params(
        graph(ovfile("auto", lines=gates, tables=INT8 + "accuracy.agreement.cosine = 0.9\n")), "publish m:auto"
    )

    assert {
        "accuracy.agreement.max-error": 0.5,
        "fp32.accuracy.agreement.cosine": 0.99999,
        "fp16.accuracy.agreement.cosine": 0.999,
        "int8-weights.accuracy.agreement.cosine": 0.99,
        "int8.accuracy.agreement.cosine": 0.9,
    } == {name: value for name, value in shown.items() if ".agreement." in name}


def test_the_choice_is_measured_alone_on_this_machine() -> None:
    timed = graph(ovfile("auto")).actions["time-candidates m:auto"]

    assert (True, ("machine",)) == (timed.exclusive, timed.environment)


def test_the_chosen_ir_is_benchmarked_and_debugged() -> None:
    for rule, name in ((measure_target, "benchmark m:auto"), (debug_target, "compare-layers m:auto")):
        origins = {given.role: given.origin for given in graph(ovfile("auto"), rule).actions[name].inputs}

        assert Artifact("choose m:auto", "xml") == origins["xml"]


@pytest.mark.parametrize(
    ("precision", "is_checked"),
    [
        *(("fp32", False), ("fp16", False), ("bf16", False)),
        *(("int8", True), ("int8-weights", True), ("int4-weights", True), ("auto", False)),
    ],
)
def test_precisions_for_speed_are_checked(precision: str, *, is_checked: bool) -> None:
    found = graph(ovfile(precision))

    assert is_checked == (f"compare-speed m:{precision}" in found.actions)


def test_int8_is_checked_after_it_is_published_and_nothing_published_waits_for_it() -> None:
    found = graph(ovfile("fp32", "fp16", "int8"))

    assert "check-speed m:int8" == found.targets["m:int8"]
    assert "publish m:int8" in needs(found, "compare-speed m:int8")
    assert "compare-speed m:int8" not in needs(found, "publish m:int8")
    assert ["compare-speed m:int8"] == [name for name in found.actions if name.startswith("compare-speed")]


def test_in_a_report_the_check_comes_after_the_measurement() -> None:
    found = graph(ovfile("int8"), measure_target)

    assert "benchmark m:int8" in needs(found, "compare-speed m:int8")


def test_the_check_is_advice() -> None:
    found = graph(ovfile("int8"))

    assert found.actions["compare-speed m:int8"].advisory
    assert found.actions["check-speed m:int8"].advisory
    assert not found.actions["publish m:int8"].advisory


@pytest.mark.parametrize(
    ("lines", "tables"),
    [("speed-check = false", INT8), ("", INT8 + "speed-check = false\n")],
)
def test_the_check_can_be_turned_off(lines: str, tables: str) -> None:
    found = graph(ovfile("int8", lines=lines, tables=tables))

    assert "publish m:int8" == found.targets["m:int8"]
