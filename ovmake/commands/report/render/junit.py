"""Render gates as JUnit XML, which CI systems show: a test case for each gate of each target. Pure.

    to_junit(page) -> bytes

A missed gate is a failure. A gate that was not measured is skipped. A target that was not built is an error. Jenkins,
GitLab and GitHub Actions read this form: testsuites, a testsuite per model, testcases with `classname` and `name`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ovmake.commands.report.tables import Page, Row, Section

# Characters that XML 1.0 cannot hold, escaped or not (2.2, Char).
IMPOSSIBLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
ELEMENTS = {"missed": "failure", "not-measured": "skipped", "error": "error"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A gate: `result` is passed, missed, not-measured or error; `text` has its figures, or why there are none."""

    name: str
    result: str
    text: str


def to_junit(page: Page) -> bytes:
    """Return the XML document, UTF-8."""
    # Imported here: only `--junit` needs it.
    import xml.etree.ElementTree as ET  # noqa: PLC0415

    top = ET.Element("testsuites", name=_clean(page.title))
    for section in page.sections:
        suite = ET.SubElement(top, "testsuite", name=_clean(section.model))
        cases = [(row, case) for row in section.rows for case in cases_of(row)]
        for row, case in cases:
            element = ET.SubElement(
                suite, "testcase", classname=_clean(row.report.name), name=_clean(case.name), time="0"
            )
            if case.result in ELEMENTS:
                found = ET.SubElement(element, ELEMENTS[case.result], message=_clean(case.text))
                found.text = _clean(row.verdict)
            else:
                ET.SubElement(element, "system-out").text = _clean(case.text)
        for name, count in _counts(section).items():
            suite.set(name, str(count))
    for name in ("tests", "failures", "errors", "skipped"):
        top.set(name, str(sum(int(suite.get(name, "0")) for suite in top)))
    ET.indent(top)
    return bytes(ET.tostring(top, encoding="utf-8", xml_declaration=True)) + b"\n"


def cases_of(row: Row) -> Iterator[Case]:
    """Yield the gates of a target: accuracy or agreement, and each requirement."""
    report = row.report
    result = "error" if report.place is None and report.gate != "missed" else report.gate
    yield Case(name="accuracy", result=result, text=report.gate_text or report.gate)
    for one in report.requirements:
        yield Case(name=one.name, result=one.result, text=one.text)


def _counts(section: Section) -> dict[str, int]:
    results = [case.result for row in section.rows for case in cases_of(row)]
    return {
        "tests": len(results),
        "failures": results.count("missed"),
        "errors": results.count("error"),
        "skipped": results.count("not-measured"),
    }


def _clean(given: str) -> str:
    return IMPOSSIBLE.sub("\ufffd", given)
