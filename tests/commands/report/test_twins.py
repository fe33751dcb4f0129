"""The report in other forms: JSON and its schema, Markdown, JUnit. Also with hostile names."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from markdown_it import MarkdownIt

from ovmake.commands.report.document import document, reported
from ovmake.commands.report.facts.history import compare, compared, read
from ovmake.commands.report.render.junit import to_junit
from ovmake.commands.report.render.markdown import HEADS, to_markdown
from ovmake.commands.report.render.schema import text
from ovmake.commands.report.tables import Page, build_page
from ovmake.contracts.codec import encode, encode_object, from_bytes, to_bytes
from ovmake.contracts.files.report import Report
from tests.commands.report.targets import (
    EVERY_CASE,
    elsewhere,
    every_case,
    json_of,
    measured,
    not_built,
    required,
    target,
)

HOSTILE = {
    "script": "<script>alert(1)</script>",
    "quotes": "\"'`\\",
    "markdown": "a|b *c* _d_ [e](http://f) ![g](h) # ~~i~~ &amp;\n\n| x |",
    "long": "m" * 300,
    "right to left": "\u202egnp.exe\u2066 שלום مرحبا",
    "control": "a\x00b\x1bc\x07",
}


def against(page: Page) -> Page:
    before = json_of(build_page([target(measurement=measured(2.0, 1.9, 2.1))], title="t"))
    now = [compared(encode_object(reported(row))) for row in page.rows]
    return replace(page, history=compare(read(json.dumps(before), "old.json"), now, against="git:main"))


def hostile(name: str) -> Page:
    given = HOSTILE[name]
    reports = [
        target(f"{given}:int8", gate_text=given, options={given: given}, place=given),
        not_built(f"{given}:fp32", why=given),
        required(f"{given}:fp16"),
    ]
    return build_page(reports, title=given)


# ----------------------------------------------------------------------------------------------------------------------
# report.json


def complaints(page: Page) -> list[str]:
    body = json_of(page)
    return [
        f"{list(error.path)}: {error.message}" for error in Draft202012Validator(json.loads(text())).iter_errors(body)
    ]


def test_what_is_written_is_read_back() -> None:
    report = document(against(every_case()))

    assert encode(report) == encode(from_bytes(Report, to_bytes(report), "report.json"))


def test_the_schema_is_valid() -> None:
    Draft202012Validator.check_schema(json.loads(text()))


@pytest.mark.parametrize("report", EVERY_CASE, ids=lambda report: report.name)
def test_every_page_fits_the_schema(report: Any) -> None:
    assert [] == complaints(build_page([report], title="t"))


def test_a_comparison_and_an_empty_page_fit_the_schema() -> None:
    assert [] == complaints(against(every_case()))
    assert [] == complaints(build_page([], title=""))


def test_the_schema_knows_every_key() -> None:
    body = json_of(every_case())
    body["targets"][0]["surprise"] = 1

    found = list(Draft202012Validator(json.loads(text())).iter_errors(json.loads(json.dumps(body))))

    assert ["Additional properties are not allowed ('surprise' was unexpected)"] == [error.message for error in found]


# ----------------------------------------------------------------------------------------------------------------------
# Markdown


def tokens(page: Page) -> list[Any]:
    found = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(to_markdown(page))
    return [*found, *(child for token in found for child in token.children or ())]


def cells(page: Page) -> list[list[str]]:
    """Return the body of the table of all targets, as it reads."""
    found = MarkdownIt("commonmark").enable("table").parse(to_markdown(page))
    rows: list[list[str]] = []
    for at, token in enumerate(found):
        if token.type == "tr_open":
            rows.append([])
        if token.type in {"td_open", "th_open"}:
            rows[-1].append("".join(child.content for child in found[at + 1].children or ()))
    return rows[1:]


def test_markdown_has_a_row_for_every_target_and_every_reason_once() -> None:
    page = every_case()

    rows = cells(page)

    assert [report.name for report in EVERY_CASE] == [row[0] for row in rows]
    assert {len(HEADS)} == {len(row) for row in rows}
    text = to_markdown(page)
    assert 1 == text.count("there is no IR to measure")
    assert "4.7× (3.1 to 6.4×, unstable)" in text  # noqa: RUF001


def test_markdown_tells_what_is_required_and_not_reached() -> None:
    (row,) = cells(build_page([required()], title="t"))

    assert "passed, speedup missed [1], p95-ms not measured [2]" == row[1]


def test_markdown_tells_changes_of_results_and_versions() -> None:
    page = against(build_page([target(versions={"openvino": "2027.1"}), target("other:fp32")], title="t"))

    text = to_markdown(page)

    assert "## Since git:main" in text
    assert "- fashion:int8: faster: 2.4×" in text  # noqa: RUF001
    assert "openvino 2026.4.1 → 2027.1" in text
    assert "New: other:fp32." in text


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_breaks_no_markdown(name: str) -> None:
    page = hostile(name)

    found = tokens(page)

    assert {"html_block", "html_inline", "link_open", "image", "code_inline", "em_open", "s_open"}.isdisjoint(
        token.type for token in found
    )
    assert [3, 8] == [len(cells(page)), *{len(row) for row in cells(page)}]
    assert not {"\u202e", "\u2066", "\x00", "\x1b"} & set(to_markdown(page))


# ----------------------------------------------------------------------------------------------------------------------
# JUnit


def suites(page: Page) -> ET.Element:
    return ET.fromstring(to_junit(page))  # noqa: S314 - our own


def test_junit_counts_what_it_holds() -> None:
    top = suites(every_case())

    kinds = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    for element in (top, *top):
        assert len(list(element.iter("testcase"))) == int(element.get("tests", ""))
        for count, kind in kinds.items():
            assert len(list(element.iter(kind))) == int(element.get(count, ""))
    assert len(EVERY_CASE) == len([case for case in top.iter("testcase") if case.get("name") == "accuracy"])


def test_junit_shows_what_is_missed_as_failed_and_what_was_not_measured_as_skipped() -> None:
    top = suites(build_page([required(), not_built("gone:fp32"), *EVERY_CASE[6:8]], title="t"))

    found = {(case.get("classname"), case.get("name")): [child.tag for child in case] for case in top.iter("testcase")}
    assert {
        ("fashion:int8", "accuracy"): ["system-out"],
        ("fashion:int8", "speedup"): ["failure"],
        ("fashion:int8", "size"): ["system-out"],
        ("fashion:int8", "p95-ms"): ["skipped"],
        ("gone:fp32", "accuracy"): ["error"],
        ("mobilenet:int8", "accuracy"): ["failure"],
        ("mobilenet:fp32", "accuracy"): ["skipped"],
    } == found


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_breaks_no_junit(name: str) -> None:
    top = suites(hostile(name))

    kept = "".join(sign if sign >= " " or sign in "\t\n\r" else "\ufffd" for sign in HOSTILE[name])
    names = {case.get("classname") for case in top.iter("testcase")}
    # XML parsers turn a line end in an attribute into a space, unless it is a character reference.
    assert {f"{kept}:int8", f"{kept}:fp32", f"{kept}:fp16"} == names


def test_other_devices_are_in_the_json() -> None:
    (found,) = json_of(build_page([elsewhere()], title="t"))["targets"]

    devices = found["devices"]

    assert {"median": 4.1, "low": 4.0, "high": 4.2} == devices["AUTO:CPU"]["speedup"]
    assert "is not registered" in devices["GPU"]["not_available"]
