"""The page's source: everything is escaped, nothing is loaded, every figure and every reason is there."""

from __future__ import annotations

import itertools
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from ovmake.report.html import to_html
from ovmake.report.records import Layer, TargetReport
from ovmake.report.tables import Page, build_page
from tests.report.targets import EVERY_CASE, evaluated, every_case, gate_missed, measured, not_built, target

HOSTILE = """<script>alert(1)</script><img src=x onerror=alert(1)>"'{{ 7 * 7 }}&"""
LOADING = {"src", "srcset", "href", "action", "data", "poster", "background", "formaction"}
# Elements that have no end tag.
VOID = {"meta", "link", "br", "img", "hr", "input", "wbr"}


class Document(HTMLParser):
    """What a browser would see of a page: elements in order, text outside of <style>, tags left open."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.tables: list[str] = []
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
        if "style" not in self.open:
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


def test_names_and_messages_are_escaped_wherever_they_are_shown() -> None:
    hostile_output = replace(evaluated().differences[0], name=HOSTILE)
    hostile = target(
        f"{HOSTILE}:int8",
        evaluation=replace(
            evaluated(metric=HOSTILE),
            differences=(hostile_output,),
            executed={HOSTILE: 1},
            layers=(Layer(name=HOSTILE, type=HOSTILE, precision=HOSTILE),),
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
    assert set() == tags & {"script", "img", "iframe", "object", "embed", "form", "base"}
    assert [] == [name for _, attributes in found.elements for name in attributes if name.startswith("on")]
    assert found.text.count(HOSTILE) > 20


def test_a_template_in_a_name_is_not_run() -> None:
    found = document(build_page([target("{{ 7 * 7 }}:int8")], title="{{ 7 * 7 }}"))

    assert "{{ 7 * 7 }}:int8 is" in found.words
    assert "49" not in found.words.split()


def test_the_page_loads_nothing() -> None:
    source = to_html(every_case())

    assert "http://" not in source
    assert "https://" not in source
    assert "url(" not in source
    assert "@import" not in source
    loads = [
        value for _, attributes in Document(source).elements for name, value in attributes.items() if name in LOADING
    ]
    assert {"data:,"} == {value for value in loads if not value.startswith("#")}


def test_the_content_security_policy_allows_no_load() -> None:
    policies = [
        attributes["content"]
        for attributes in document(every_case()).all_of("meta")
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]

    assert ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"] == policies


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
    (layers,) = document(build_page([target()], title="t")).all_of("details")

    assert "open" not in layers


def test_what_is_missing_says_so_with_a_note_that_is_there() -> None:
    found = document(build_page([gate_missed()], title="t"))

    places = {attributes["id"] for _, attributes in found.elements if "id" in attributes}
    links = [attributes["href"][1:] for attributes in found.all_of("a")]
    assert set(links) <= places
    table = found.tables[0]
    # Median, p95, throughput and memory on both sides, and the speed-up.
    assert 9 == table.count("not measured1")
    assert "there is no IR to measure" in found.words


def test_every_link_and_label_leads_somewhere() -> None:
    found = document(every_case())

    ids = [attributes["id"] for _, attributes in found.elements if "id" in attributes]
    labels = [label for _, attributes in found.elements for label in attributes.get("aria-labelledby", "").split()]
    links = [attributes["href"][1:] for attributes in found.all_of("a")]
    assert len(ids) == len(set(ids))
    assert set(labels) | set(links) <= set(ids)


def test_every_element_is_closed() -> None:
    assert [] == document(every_case()).open


def test_headings_go_down_one_level_at_a_time() -> None:
    levels = [int(tag[1]) for tag, _ in document(every_case()).elements if tag in {"h1", "h2", "h3", "h4", "h5"}]

    assert 1 == levels[0] == levels.count(1)
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_tables_have_captions_and_scopes_and_charts_have_words() -> None:
    found = document(every_case())

    assert len(found.all_of("caption")) == len(found.all_of("table")) > 0
    assert all(attributes.get("scope") for attributes in found.all_of("th"))
    charts = [attributes for attributes in found.all_of("svg") if attributes.get("role") == "img"]
    assert 10 == len(charts)
    assert all(attributes["aria-labelledby"] for attributes in charts)


def test_a_chart_holds_its_longest_mark() -> None:
    widths = [
        float(attributes["width"].removesuffix("%"))
        for attributes in document(every_case()).all_of("rect")
        if "%" in attributes["width"]
    ]
    marks = [float(attributes["x2"].removesuffix("%")) for attributes in document(every_case()).all_of("line")]

    assert 100 == max(widths + marks)
    assert 0 < min(widths + marks)


def test_a_page_of_no_targets_is_a_page() -> None:
    words = document(build_page([], title="")).words

    assert "0 targets of 0 models" in words


def test_jinja_is_loaded_only_to_make_a_page() -> None:
    script = "import sys, ovmake.report.html, ovmake.report.tables; sys.exit('jinja2' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", script], check=False)

    assert 0 == done.returncode
