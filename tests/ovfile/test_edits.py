"""The models that an edit of an Ovfile changes, and parsing some models only."""

from __future__ import annotations

import pytest

from ovmake.diagnostics import OvmakeError
from ovmake.ovfile.parse import parse, parse_some
from ovmake.ovfile.text.edits import edited_models

A = '[models.a]\nsource = "a"\nprecisions = ["fp32"]\n'
B = '[models.b]\nsource = "b"\nbatch = 1\n'


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (A + B, set()),
        (f"# a comment\n{A}\n{B}", set()),
        (A + B.replace("batch = 1", "batch = 2"), {"b"}),
        (A + B.replace("batch = 1", "batch = true"), {"b"}),
        (A + B.replace("batch = 1", "batch = 1.0"), {"b"}),
        (A + B + '[models.c]\nsource = "c"\n', {"c"}),
        (A, set()),
        ("device = 'CPU'\n" + A + B, None),
        (A + B + "[defaults]\nbatch = 1\n", None),
        ("models = 1\n", None),
        (A + B + "[", None),
    ],
    ids=lambda value: str(value).replace("\n", " "),
)
def test_models_whose_tables_differ(after: str, expected: set[str] | None) -> None:
    assert expected == edited_models(A + B, after)


def test_some_models_are_parsed_as_among_all_models() -> None:
    everything = parse(A + B)

    some = parse_some(A + B, {"b"})

    assert ("a", "b") == some.models == everything.models
    assert [target for target in everything.targets if target.model == "b"] == list(some.targets)


def test_no_model_at_all_is_no_mistake() -> None:
    some = parse_some(A + B, set())

    assert ((), ("a", "b")) == (some.targets, some.models)


def test_mistake_in_one_of_them_is_reported() -> None:
    wrong = A + B.replace("batch = 1", 'batch = "one"')

    with pytest.raises(OvmakeError) as caught:
        parse_some(wrong, {"b"})

    assert ["wrong-type"] == [diagnostic.code for diagnostic in caught.value.diagnostics]
    assert ["a:fp32"] == [target.name for target in parse_some(wrong, {"a"}).targets]
