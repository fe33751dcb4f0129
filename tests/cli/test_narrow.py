"""Narrow terminals: no line is wider, a caret stays under what it points at, and nothing is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovmake.cli.narrow import fit
from ovmake.diagnostics import OvmakeError, render
from ovmake.ovfile.parse import parse

LONG = "x" * 60


def test_lines_that_fit_are_as_they_are() -> None:
    lines = ["m:int8                   built    gate passed", "", "  two  blanks"]

    assert lines == fit(lines, 80)


def test_line_is_parted_between_words_and_indented() -> None:
    line = "m:int8                   built    gate passed, drop 0.0020     build/m/int8/m.xml"

    assert ["m:int8 built gate passed, drop 0.0020", "    build/m/int8/m.xml"] == fit([line], 40)
    assert ["    a reason that is as long as", "        this one"] == fit(
        ["    a reason that is as long as this one"], 32
    )


def test_path_stays_whole() -> None:
    assert ["wrote", f"    {LONG}"] == fit([f"wrote {LONG}"], 40)


@pytest.mark.parametrize(
    ("line", "wrong", "width"),
    [
        ('metric = "acuracy"    # some words that reach beyond the edge', '"acuracy"', 40),
        (f'metric = "acuracy"    # {LONG}', '"acuracy"', 30),
        (f'note = "{LONG}"; metric = "acuracy"', '"acuracy"', 40),
        (f'metric = "{LONG}"', f'"{LONG}"', 40),
        (f"{'a ' * 60}b", "b", 40),
    ],
)
def test_caret_stays_under_what_it_points_at(line: str, wrong: str, width: int) -> None:
    start = line.index(wrong)
    source, marks, label = f"4 | {line}", f"  | {' ' * start}{'^' * len(wrong)} expected another", "  |"

    shown, under, *rest = fit([source, marks, label], width)

    assert max(map(len, (shown, under, *rest))) <= width
    caret = under.index("^")
    assert wrong.startswith(shown[caret : under.rindex("^") + 1].rstrip("…"))
    said = " ".join(" ".join((under, *rest)).replace("^", " ").replace("|", " ").split())
    assert said == "expected another"


def test_diagnostic_at_40_columns() -> None:
    with pytest.raises(OvmakeError) as caught:
        parse('[models.m]\nsource = "m.pb"\naccuracy.metric = "acuracy"  # what the team has agreed on\n')

    (found,) = caught.value.diagnostics
    assert fit(render(found).splitlines(), 40) == [
        "error[unknown-metric]: unknown metric",
        "    `acuracy`",
        " --> Ovfile:3:19",
        "  |",
        '3 | accuracy.metric = "acuracy"  # what…',
        "  |                   ^^^^^^^^^",
        "  | expected `accuracy`, `top-3`,",
        "  |     `top-5`, `precision`, `recall`,",
        "  |     `f1`, `mae`, `rmse`, `r2`,",
        "  |     `cosine`, `miou` or `coco-map`",
        "  |",
        "help: did you mean `accuracy`?",
    ]


@given(st.lists(st.text(st.sampled_from("ab \u00b7-"), max_size=80), max_size=4), st.integers(20, 100))
def test_no_word_is_lost_and_none_is_added(lines: list[str], width: int) -> None:
    fitted = fit(lines, width)

    assert " ".join(lines).split() == " ".join(fitted).split()
    assert [] == [line for line in fitted if len(line) > width and len(line.split()) > 1]
