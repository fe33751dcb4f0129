"""The JSON Schema accepts every valid Ovfile, and refuses all mistakes that a schema can find.

Ovfiles in the tests are found by their form: a string with a table of models in it that parses.
"""

from __future__ import annotations

import ast
import contextlib
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import jsonschema
import pytest
import tomli
from hypothesis import given, settings

from ovmake.cli import main
from ovmake.diagnostics import OvmakeError
from ovmake.ovfile.parse import parse
from ovmake.ovfile.problems import Problems
from ovmake.ovfile.schema import form
from ovmake.ovfile.schema import json_schema as printed_schema
from ovmake.ovfile.schema.json_schema import json_schema
from tests.examples import tries
from tests.ovfile.test_any_ovfile import documents

ROOT = Path(__file__).parents[2]
INVALID = sorted((ROOT / "tests/ovfile/invalid").glob("*.ovfile"))
# Mistakes of form that only ovmake finds, and why.
OVMAKE_ALONE = {
    "bad-pattern": "Python does not compile it",
    "bad-value-7": "a 32-bit float cannot hold it, and JSON has no NaN",
}


@cache
def validator() -> jsonschema.Draft202012Validator:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def is_valid(written: str) -> bool:
    """Whether the schema takes an Ovfile."""
    return bool(validator().is_valid(tomli.loads(written)))


def in_the_tests() -> Iterator[str]:
    """Yield the Ovfiles that stand in the tests as one string."""
    for module in sorted((ROOT / "tests").rglob("*.py")):
        source = module.read_text()
        if "[models." not in source:
            continue
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and "[models." in node.value:
                yield node.value


def is_taken(written: str) -> bool:
    """Whether ovmake takes an Ovfile."""
    try:
        parse(written)
    except OvmakeError:
        return False
    return True


@pytest.mark.parametrize("place", ["Ovfile.example", "examples/fashion/Ovfile", "examples/zoo/Ovfile"])
def test_it_takes_the_examples(place: str) -> None:
    jsonschema.Draft202012Validator(json_schema()).validate(tomli.loads((ROOT / place).read_text()))


def test_it_takes_every_ovfile_of_the_tests() -> None:
    taken = [written for written in dict.fromkeys(in_the_tests()) if is_taken(written)]

    assert [] == [written for written in taken if not is_valid(written)]
    assert len(taken) > 50


def test_its_patterns_are_those_of_any_dialect() -> None:
    patterns = {json.loads(found) for found in re.findall(r'"pattern": ("[^"]*")', printed_schema.text())}

    assert [] == [one for one in patterns if re.search(r"\\[ZA0-9]|\(\?[!<=P]", one)]
    assert len(patterns) > 5


def invalid() -> list[tuple[str, dict[str, object]]]:
    """Return the invalid Ovfiles that are TOML, by name."""
    found = []
    for case in INVALID:
        with contextlib.suppress(ValueError, RecursionError):
            found.append((case.stem, tomli.loads(case.read_text())))
    return found


@pytest.mark.parametrize(("name", "document"), invalid(), ids=lambda value: value if isinstance(value, str) else "")
def test_it_refuses_mistakes_of_form_and_nothing_else(name: str, document: dict[str, object]) -> None:
    problems = Problems()
    form.check(document, problems)

    assert validator().is_valid(document) == (not problems.found or name in OVMAKE_ALONE)


@settings(max_examples=tries(daily=40, ci=150, long=5_000))
@given(text=documents)
def test_it_accepts_any_document_of_the_right_form(text: str) -> None:
    try:
        document = tomli.loads(text)
    except (ValueError, RecursionError):
        return
    problems = Problems()
    form.check(document, problems)

    assert problems.found or validator().is_valid(document)


def test_the_command_prints_it(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["init", "--schema", "-C", str(tmp_path)]) == 0

    printed = capsys.readouterr().out
    assert printed_schema.text() == printed
    assert json.loads(printed) == json_schema()
    assert [] == [*tmp_path.iterdir()]
