"""The page's source: everything is escaped, nothing is loaded, every figure and every reason is there."""

# ruff: noqa: RUF001 - the signs for times are intended

from __future__ import annotations

import base64
import hashlib
import itertools
import subprocess
import sys
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest

import ovmake.commands.report
from ovmake.commands.report.facts.records import TargetReport
from ovmake.commands.report.render.charts import charts_of, draw
from ovmake.commands.report.render.html import to_html
from ovmake.commands.report.tables import Page, build_page
from ovmake.contracts.files.executed import ExecutedLayer
from tests.commands.report.targets import (
    EVERY_CASE,
    defaulting,
    evaluated,
    every_case,
    gate_missed,
    measured,
    not_built,
    not_measured,
    target,
    unlabelled,
    without_peak_memory,
)

HOSTILE = """<script>alert(1)</script><img src=x onerror=alert(1)>"'{{ 7 * 7 }}&"""
SCRIPT = (Path(ovmake.commands.report.__file__).parent / "render/templates/script.js").read_text()
LOADING = {"src", "srcset", "href", "action", "data", "poster", "background", "formaction"}
# Elements that have no end tag.
VOID = {"meta", "link", "br", "img", "hr", "input", "wbr"}


class Document(HTMLParser):
    """A parsed page: elements in order, text outside of <style>, tags left open."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.tables: list[str] = []
        self.scripts: list[str] = []
        self.open: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag == "table":
            self.tables.append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)
        elif "style" not in self.open:
            self.text += data
        if "table" in self.open:
            self.tables[-1] += data

    @property
    def words(self) -> str:
        """The text with single spaces."""
        return " ".join(self.text.split())

    def all_of(self, tag: str) -> list[dict[str, str]]:
        """Return the attributes of each element of this kind."""
        return [attributes for name, attributes in self.elements if name == tag]


def document(page: Page) -> Document:
    return Document(to_html(page))


@cache
def every_source() -> str:
    """The page of every case, rendered once: it takes more than half a second."""
    return to_html(every_case())


def test_names_and_messages_are_escaped_wherever_they_are_shown() -> None:
    hostile_output = replace(evaluated().differences[0], name=HOSTILE)
    hostile = target(
        f"{HOSTILE}:int8",
        evaluation=replace(
            evaluated(metric=HOSTILE),
            differences=(hostile_output,),
            executed={HOSTILE: 1},
            layers=(ExecutedLayer(name=HOSTILE, type=HOSTILE, precision=HOSTILE),),
            weights={HOSTILE: 1},
        ),
        measurement=replace(measured(), machine=HOSTILE, inputs=HOSTILE),
        options={HOSTILE: HOSTILE, "list": [HOSTILE]},
        versions={HOSTILE: HOSTILE},
        gate_text=HOSTILE,
        place=HOSTILE,
    )
    failed = not_built(f"{HOSTILE}2:fp32", why=HOSTILE)

    found = document(build_page([hostile, failed], title=HOSTILE))

    tags = {tag for tag, _ in found.elements}
    assert set() == tags & {"img", "iframe", "object", "embed", "form", "base"}
    assert [SCRIPT] == found.scripts
    assert [] == [name for _, attributes in found.elements for name in attributes if name.startswith("on")]
    assert found.text.count(HOSTILE) > 20


def test_a_template_in_a_name_is_not_run() -> None:
    found = document(build_page([target("{{ 7 * 7 }}:int8")], title="{{ 7 * 7 }}"))

    assert "{{ 7 * 7 }}:int8 is" in found.words
    assert "49" not in found.words.split()


def test_the_page_loads_nothing() -> None:
    source = every_source()

    assert "http://" not in source
    assert "https://" not in source
    assert "url(" not in source
    assert "@import" not in source
    loads = [
        value for _, attributes in Document(source).elements for name, value in attributes.items() if name in LOADING
    ]
    assert {"data:,"} == {value for value in loads if not value.startswith("#")}


def test_the_content_security_policy_allows_no_load_and_no_script_but_ours() -> None:
    found = Document(every_source())

    policies = [
        attributes["content"]
        for attributes in found.all_of("meta")
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    digest = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    allowed = f"script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:"
    assert [f"default-src 'none'; {allowed}"] == policies
    assert [SCRIPT] == found.scripts


@pytest.mark.parametrize("report", EVERY_CASE, ids=lambda report: report.name)
def test_every_figure_is_shown_or_its_reason(report: TargetReport) -> None:
    page = build_page([report], title="t")

    words = document(page).words

    (row,) = page.rows
    for figure in row.figures.values():
        assert (figure.text if figure.value is not None else figure.reason) in words
    assert row.verdict in words
    for output in row.report.evaluation.differences if row.report.evaluation else ():
        assert output.name in words
        assert f"{output.max_abs:.3g}" in words
        assert f"{output.mean_abs:.3g}" in words


def test_layers_are_listed_with_what_they_are_executed_in_and_counted_first() -> None:
    words = document(build_page([target()], title="t")).words

    assert "3 layers as executed: 1 in FP32, 2 in INT8" in words
    assert "convolution.8ConvolutionINT8 fashion_1/classifier_1/BiasAddFullyConnectedINT8" in words
    assert "4.55 kB in FP32, 148 kB in INT8" in words


def test_layers_are_closed_at_first() -> None:
    found = document(build_page([target()], title="t")).all_of("details")

    assert 2 == len(found)
    assert not any("open" in layers for layers in found)


def test_what_is_missing_says_so_with_a_note_that_is_there() -> None:
    found = document(build_page([gate_missed()], title="t"))

    places = {attributes["id"] for _, attributes in found.elements if "id" in attributes}
    links = [attributes["href"][1:] for attributes in found.all_of("a")]
    assert set(links) <= places
    table = next(table for table in found.tables if "TensorFlow as measured with it" in table)
    # Median, p95, throughput and memory on both sides, and the speed-up.
    assert 9 == table.count("not measured1")
    assert "there is no IR to measure" in found.words


def test_answer_says_which_property_the_promise_needs() -> None:
    source = " ".join(to_html(build_page([defaulting()], title="t")).split())

    assert (
        "Needs a property: compile it with <code>INFERENCE_PRECISION_HINT=f32</code>. Without it, this processor "
        "executes the IR in BF16, and the promise is broken."
    ) in source
    assert "Needs a property" not in to_html(build_page([target()], title="t"))


def test_every_link_and_label_leads_somewhere() -> None:
    found = Document(every_source())

    ids = [attributes["id"] for _, attributes in found.elements if "id" in attributes]
    named = ("aria-labelledby", "aria-describedby")
    labels = [label for _, given in found.elements for name in named for label in given.get(name, "").split()]
    links = [attributes["href"][1:] for attributes in found.all_of("a")]
    assert len(ids) == len(set(ids))
    assert set(labels) | set(links) <= set(ids)


def test_every_element_is_closed() -> None:
    assert [] == Document(every_source()).open


def test_headings_go_down_one_level_at_a_time() -> None:
    levels = [int(tag[1]) for tag, _ in Document(every_source()).elements if tag in {"h1", "h2", "h3", "h4", "h5"}]

    assert 1 == levels[0] == levels.count(1)
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_tables_have_captions_and_scopes_and_charts_have_words() -> None:
    found = Document(every_source())

    assert len(found.all_of("caption")) == len(found.all_of("table")) > 0
    assert all(attributes.get("scope") for attributes in found.all_of("th"))
    charts = [attributes for attributes in found.all_of("div") if attributes.get("role") == "img"]
    assert 47 == len(charts) == len(found.all_of("svg"))
    assert all(attributes["aria-labelledby"] and attributes["aria-describedby"] for attributes in charts)


def test_charts_bring_neither_ids_nor_addresses() -> None:
    (section,) = build_page([target()], title="t").sections

    drawn = [draw(chart) for chart in charts_of(section)]

    assert 4 == len(drawn)
    assert all(svg.startswith("<svg ") and " id=" not in svg and "http" not in svg for svg in drawn)
    # The whole figures of a mark, shown under the pointer.
    assert "<title>fashion:int8: 4.8× as fast as TensorFlow (4.3 to 5.1×), 91.38 %</title>" in drawn[0]
    assert "<title>int8: median 209 µs, nine in ten 190 µs to 228 µs</title>" in drawn[1]
    assert "<title>TensorFlow: 647 MB, of which the import alone 403 MB</title>" in drawn[2]
    assert "<title>convolution.8 (Convolution, INT8): 102 µs, 58.1% of all layers</title>" in drawn[3]


def test_a_chart_without_figures_is_not_there() -> None:
    titles = {
        name: [chart.title for chart in charts_of(build_page([report], title="t").sections[0])]
        for name, report in {
            "unmeasured": not_measured(),
            "unlabelled": target(evaluation=unlabelled()),
            "without memory": without_peak_memory("m:fp32"),
        }.items()
    }

    assert [] == titles["unmeasured"]
    assert ["Latency", "Peak memory", "Slowest layers of int8"] == titles["unlabelled"]
    assert ["Accuracy and speed", "Latency", "Slowest layers of fp32"] == titles["without memory"]


def test_the_front_holds_the_points_that_nothing_beats_in_both() -> None:
    reports = [
        target("m:fp32", evaluation=evaluated(candidate=0.918), measurement=measured(2.0, 1.9, 2.1)),
        target("m:fp16", evaluation=evaluated(candidate=0.91), measurement=measured(1.9, 1.8, 2.0)),
        target("m:int8", evaluation=evaluated(candidate=0.915), measurement=measured(4.0, 3.9, 4.1)),
    ]

    front = charts_of(build_page(reports, title="t").sections[0])[0].specification["layer"][0]["data"]["values"]

    assert [("fp32", 2.0), ("int8", 4.0)] == [(point["name"], point["x"]) for point in front]


def test_ten_models_make_a_page_of_less_than_a_megabyte_and_a_half() -> None:
    reports = [target(f"model-{at}:{precision}") for at in range(10) for precision in ("fp32", "fp16", "int8")]

    assert len(to_html(build_page(reports, title="t")).encode()) < 1_500_000


@pytest.mark.heavy  # four seconds
def test_a_thousand_models_make_a_table_of_less_than_six_megabytes() -> None:
    reports = [target(f"model-{at}:{precision}") for at in range(1000) for precision in ("fp32", "fp16", "int8")]

    source = to_html(build_page(reports, title="t"))

    assert len(source.encode()) < 6_000_000
    found = Document(source)
    assert 3000 == sum(attributes.get("scope") == "row" for attributes in found.all_of("th"))
    assert "1000 models are too many for one page with all details" in found.words


def test_a_page_of_no_targets_is_a_page() -> None:
    words = document(build_page([], title="")).words

    assert "0 targets of 0 models" in words


def test_jinja_is_loaded_only_to_make_a_page() -> None:
    script = (
        "import sys, ovmake.commands.report.render.html, ovmake.commands.report.tables;"
        "sys.exit('jinja2' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", script], check=False)

    assert 0 == done.returncode
