"""Accuracy control in the report: the sentence and the tables."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ovmake.commands.report.render.html import to_html
from ovmake.commands.report.searched import LayerRow, Searched, TrialRow, searched
from ovmake.commands.report.tables import build_page
from ovmake.commands.report.words import verdict
from ovmake.contracts.codec import encode_object
from ovmake.contracts.files.search import Search
from tests.commands.report.targets import (
    about,
    control_failed,
    controlled,
    evaluated,
    gate_missed,
    json_of,
    prices,
    search,
    target,
    tried,
    unlabelled,
    weighed,
)
from tests.commands.report.test_html import HOSTILE, Document


def said(found: Search) -> Searched:
    row = searched(target(search=found))
    assert row is not None
    return row


def test_the_sentence_tells_how_many_layers_are_in_int8_and_what_that_took() -> None:
    assert "13 of 15 layers in INT8; 2 reverted to float after 4 trials" == said(search()).text


def test_plain_int8_that_keeps_the_promise_reverted_nothing() -> None:
    found = said(search(int8=15, reverted=[], worst=[], trials=[tried(0, 0.0012, kept=True)]))

    assert "13 of 15" not in found.text
    assert "15 of 15 layers in INT8: plain INT8 keeps the promise" == found.text
    assert () == found.layers


def test_a_missed_gate_tells_plain_int8s_drop_and_the_best_that_was_reached() -> None:
    found = searched(control_failed())

    assert found is not None
    assert (
        "No set of layers was found that keeps the promise: plain INT8's drop is 38.00 points, "
        "the best of 3 trials 3.42 points, with 2 of 15 layers in floating point"
    ) == found.text
    assert (
        "The search ended early: `max-evaluations` = 3 were done; more trials might find a set that keeps it."
    ) == found.ended


def test_a_missed_gate_shows_the_worst_layers_and_not_the_reverted_ones() -> None:
    found = searched(control_failed())

    assert found is not None
    assert ["wide_14", "add.31", "stem"] == [layer.name for layer in found.layers]


def test_a_float_model_that_misses_the_promise_leaves_no_hope() -> None:
    hopeless = search(kept=False, hopeless=True, int8=14, trials=[tried(0, 0.05), tried(15, 0.04)])

    assert said(hopeless).text.startswith(
        "No set of layers keeps the promise, not even all of them in floating point: plain INT8's drop"
    )
    assert "" == said(hopeless).ended


def test_a_limit_that_ended_a_search_which_found_something_is_told() -> None:
    found = said(search(ended="`max-minutes` = 5 were over"))

    assert (
        "The search ended early: `max-minutes` = 5 were over; fewer layers in floating point might do."
    ) == found.ended


def test_a_search_that_could_not_begin_says_why() -> None:
    found = said(search(int8=15, reverted=[], worst=[], trials=[], kept=False, ended="TensorFlow has no such kernel"))

    assert "15 layers in INT8; nothing else was tried: TensorFlow has no such kernel" == found.text
    assert "" == found.ended


def test_layers_go_by_the_names_of_the_source_with_the_irs_beside_them() -> None:
    assert (
        LayerRow(name="wide_14", operation="convolution.18", type="Convolution", share="91.2%", in_int8="0.42 points"),
        LayerRow(name="add.31", operation="", type="Convolution", share="4.1%", in_int8="not measured"),
    ) == said(search()).layers


def test_a_layer_that_the_ir_calls_as_the_source_does_is_named_once() -> None:
    found = said(search(reverted=[about("dense/MatMul", 0.5, layer="dense/MatMul", in_int8=None)]))

    assert [("dense/MatMul", "")] == [(layer.name, layer.operation) for layer in found.layers]


def test_a_small_share_never_reads_as_none() -> None:
    found = said(search(reverted=[about("a", 0.0004), about("b", 0.0006)]))

    assert ["under 0.1%", "0.1%"] == [layer.share for layer in found.layers]


def test_trials_are_in_their_order_with_what_came_of_each() -> None:
    assert (
        TrialRow(reverted="none", drop="0.42 points", result="missed", samples="5,000"),
        TrialRow(reverted="1", drop="0.71 points", result="missed, ended early", samples="640"),
        TrialRow(reverted="4", drop="0.12 points", result="kept", samples="5,000"),
        TrialRow(reverted="2", drop="0.16 points", result="kept", samples="5,000"),
    ) == said(search()).trials


def test_drops_are_in_the_unit_of_the_metric() -> None:
    found = searched(target(evaluation=prices(), search=search(trials=[tried(0, 1.25, kept=True)])))

    assert found is not None
    assert ["1.25"] == [trial.drop for trial in found.trials]


def test_a_promise_about_agreement_has_no_drops_and_no_columns_for_them() -> None:
    trials = [tried(0, None), tried(2, None, kept=True)]
    report = target(evaluation=unlabelled(), search=search(trials=trials))
    found = searched(report)

    assert found is not None
    assert not found.has_drops
    words = Document(to_html(build_page([report], title="t"))).words
    assert "Drop with this layer in INT8 again" not in words
    vain = searched(replace(report, search=search(trials=trials[:1], kept=False)))
    assert vain is not None
    assert vain.text.endswith("; the best of 1 trial is with 2 of 15 layers in floating point")


@pytest.mark.parametrize(
    ("report", "words"),
    [
        (controlled(), "fashion:int8 (13 of 15 layers in INT8) is 4.8× as fast"),  # noqa: RUF001
        (controlled(int8=15, reverted=[]), "fashion:int8 is 4.8× as fast"),  # noqa: RUF001
        (
            replace(weighed(), search=search()),
            "fashion:auto (int8, 13 of 15 layers in INT8) is 4.8× as fast",  # noqa: RUF001
        ),
    ],
)
def test_the_verdict_says_how_int8_it_is(report: object, words: str) -> None:
    assert verdict(report).startswith(words)  # type: ignore[arg-type]


def test_report_json_has_the_search_and_its_sentence() -> None:
    (with_it, without) = json_of(build_page([controlled(), gate_missed("m:int8")], title="t"))["targets"]

    assert {**encode_object(search()), "text": said(search()).text} == with_it["accuracy_control"]
    assert "accuracy_control" not in without


def test_the_page_shows_the_layers_and_the_trials() -> None:
    words = Document(to_html(build_page([controlled()], title="t"))).words

    assert "Layers of fashion:int8 that were reverted to float" in words
    assert "wide_14convolution.18 Convolution91.2% 0.42 points" in words
    assert "4 trials with sets of layers in floating point" in words
    assert "10.71 pointsmissed, ended early640" in words


def test_the_page_shows_the_result_of_a_failed_search() -> None:
    words = Document(to_html(build_page([control_failed()], title="t"))).words

    assert "Layers of fashion:int8 with the largest quantization error" in words
    assert "Drop with this layer in INT8 again" not in words
    assert "`max-evaluations` = 3 were done" in words


def test_hostile_names_of_layers_are_escaped() -> None:
    layer = {**about(HOSTILE, 0.5, layer=f"{HOSTILE}2", in_int8=0.1), "type": HOSTILE}
    for kept in (True, False):
        found = search(kept=kept, reverted=[layer], worst=[layer], ended=HOSTILE)
        page = Document(to_html(build_page([target(evaluation=evaluated(), search=found)], title="t")))

        assert 1 == len(page.scripts)
        assert "img" not in {tag for tag, _ in page.elements}
        assert 4 == page.text.count(HOSTILE)
