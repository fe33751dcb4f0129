"""Diagnostics as text and as JSON."""

from __future__ import annotations

import errno
import json

import pytest

from ovmake.contracts.codec import ContractError
from ovmake.diagnostics import (
    Diagnostic,
    Label,
    OvmakeError,
    Span,
    did_you_mean,
    in_order,
    of_error,
    render,
    to_json,
)


def span(text: str, column: int = 1, length: int = 1, line: int = 5) -> Span:
    return Span(file="Ovfile", line=line, column=column, length=length, text=text)


def caret(text: str, column: int, length: int) -> list[str]:
    """Return the line and its marks as they are shown, without the margin."""
    lines = render(Diagnostic(code="c", message="m", span=span(text, column, length))).splitlines()
    return [line[4:] for line in lines[3:5]]


# --- text -------------------------------------------------------------------------------------------------


def test_message_alone_is_one_line() -> None:
    assert render(Diagnostic(code="no-ovfile", message="there is none")) == "error[no-ovfile]: there is none"


def test_help_and_notes_without_a_span() -> None:
    diagnostic = Diagnostic(code="c", message="m", notes=("first", "second"), help="do it")

    assert render(diagnostic).splitlines() == ["error[c]: m", "  = note: first", "  = note: second", "help: do it"]


def test_value_with_span_label_note_and_help() -> None:
    diagnostic = Diagnostic(
        code="unknown-preset",
        message="unknown quantization preset `perfomance`",
        span=span('preset = "perfomance"', 10, 12),
        label="expected `performance` or `mixed`",
        notes=("presets are NNCF's",),
        help="did you mean `performance`?",
    )

    assert render(diagnostic).splitlines() == [
        "error[unknown-preset]: unknown quantization preset `perfomance`",
        " --> Ovfile:5:10",
        "  |",
        '5 | preset = "perfomance"',
        "  |          ^^^^^^^^^^^^ expected `performance` or `mixed`",
        "  |",
        "  = note: presets are NNCF's",
        "help: did you mean `performance`?",
    ]


def test_two_spans_share_a_margin_and_have_different_marks() -> None:
    second = Label(span=span("[b]", 1, 3, line=7), text="first declared here")
    diagnostic = Diagnostic(code="c", message="m", span=span("[a]", 1, 3, line=123), also=(second,))

    assert render(diagnostic).splitlines() == [
        "error[c]: m",
        "   --> Ovfile:123:1",
        "    |",
        "123 | [a]",
        "    | ^^^",
        "   --> Ovfile:7:1",
        "    |",
        "  7 | [b]",
        "    | --- first declared here",
    ]


def test_second_span_alone_has_no_caret() -> None:
    also = (Label(span=span("[b]", 1, 3), text="see here"),)

    assert "^" not in render(Diagnostic(code="c", message="m", also=also))


def test_a_warning_begins_with_its_severity() -> None:
    assert render(Diagnostic(code="c", message="m", severity="warning")) == "warning[c]: m"


def test_note_of_several_lines_stays_one_block() -> None:
    diagnostic = Diagnostic(code="c", message="m", notes=("Check failed\n  at op\n\nend",))

    assert render(diagnostic).splitlines()[1:] == ["  = note: Check failed", "            at op", "", "          end"]


# --- columns ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "column", "length", "marks"),
    [
        ("key = 1", 7, 1, "      ^"),
        ("# 模型 x", 6, 1, "       ^"),  # two columns each
        ('"数字" = 1', 1, 4, "^^^^^^"),
        ("# 😀 x", 5, 1, "     ^"),
        ("# e\u0301 x", 6, 1, "    ^"),  # a combining mark takes none
        ("# ☁\ufe0f x", 6, 1, "    ^"),  # nor does a variation selector
        ("\tkey = 1", 2, 3, " ^^^"),  # a tab is shown as one space
        ("key = ", 7, 1, "      ^"),  # just after the end
        ("", 1, 1, "^"),
    ],
)
def test_caret_is_under_the_value(text: str, column: int, length: int, marks: str) -> None:
    assert marks == caret(text, column, length)[1]


def test_long_line_is_cut_around_the_caret() -> None:
    line, marks = caret("a" * 500 + "VALUE" + "b" * 500, 501, 5)

    assert (line[0], line[-1], len(line)) == ("…", "…", 112)
    assert line[marks.index("^") : marks.rindex("^") + 1] == "VALUE"


def test_the_shown_part_of_a_long_value_is_marked() -> None:
    line, marks = caret("key = " + "v" * 500, 7, 500)

    assert line == "key = " + "v" * 104 + "…"
    assert marks == " " * 6 + "^" * 104


def test_end_of_a_long_line_is_shown_to_its_end() -> None:
    line, marks = caret("a" * 300, 301, 1)

    assert line == "…" + "a" * 110
    assert marks == " " * 111 + "^"


# --- what may not reach a terminal ------------------------------------------------------------------------


@pytest.mark.parametrize("character", ["\x1b", "\r", "\x07", "\x9b", "\u202e", "\u2028", "\x00", "\x7f"])
def test_control_characters_are_written_out(character: str) -> None:
    diagnostic = Diagnostic(
        code="c",
        message=f"unknown key `a{character}b`",
        span=span(f"a{character}b = 1", 3),
        label=character,
        notes=(f"a{character}b",),
        help=character,
    )

    shown = render(diagnostic)

    assert character not in shown.replace("\n", "")
    assert shown.splitlines()[3:5] == ["5 | a\ufffdb = 1", f"  |   ^ {character.encode('unicode_escape').decode()}"]


def test_a_newline_in_a_message_is_escaped() -> None:
    assert render(Diagnostic(code="c", message="a\nb")) == r"error[c]: a\nb"


# --- JSON -------------------------------------------------------------------------------------------------


def test_json_has_everything_that_the_text_has() -> None:
    diagnostic = Diagnostic(
        code="c",
        message="m",
        span=span("key = 1", 7),
        label="here",
        also=(Label(span=span("x = 2", 5, 1, line=9), text="there"),),
        notes=("n",),
        help="h",
    )

    assert to_json(diagnostic) == {
        "severity": "error",
        "code": "c",
        "message": "m",
        "at": {"file": "Ovfile", "line": 5, "column": 7, "length": 1},
        "label": "here",
        "also": [{"at": {"file": "Ovfile", "line": 9, "column": 5, "length": 1}, "label": "there"}],
        "notes": ["n"],
        "help": "h",
    }
    assert json.dumps(to_json(diagnostic))


def test_json_leaves_out_empty_values() -> None:
    assert to_json(Diagnostic(code="c", message="m")) == {"severity": "error", "code": "c", "message": "m"}


# --- order, spans, hints ----------------------------------------------------------------------------------


def test_errors_are_in_the_order_of_the_file_and_those_without_a_span_last() -> None:
    places = [None, span("", 9, line=2), span("", 1, line=10), span("", 2, line=2)]
    diagnostics = [Diagnostic(code=str(index), message="", span=place) for index, place in enumerate(places)]

    assert [diagnostic.code for diagnostic in in_order(diagnostics)] == ["3", "1", "2", "0"]


def test_error_says_all_its_messages() -> None:
    error = OvmakeError(Diagnostic(code="c", message="a"), Diagnostic(code="c", message="b"))

    assert (str(error), error.exit_status) == ("a; b", 2)


def test_full_disk_says_what_to_do_and_names_the_file() -> None:
    full = of_error(OSError(errno.ENOSPC, "No space left on device", "/repo/x"))
    other = of_error(OSError(errno.EIO, "Input/output error"))

    assert full is not None
    assert other is not None
    assert "No space left on device: /repo/x" == full.diagnostics[0].message
    assert "free space on that disk, and run ovmake again" == full.diagnostics[0].help
    assert ("Input/output error", "") == (other.diagnostics[0].message, other.diagnostics[0].help)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0, 1, (1, 1, 1, "ab")),
        (4, 6, (2, 1, 2, "cd")),
        (4, 9, (2, 1, 2, "cd")),  # to the end of its first line
        (6, 7, (2, 3, 1, "cd")),  # the line's end itself
        (8, 8, (3, 1, 1, "e")),
        (9, 9, (3, 2, 1, "e")),  # the text's end
    ],
)
def test_span_of_offsets(start: int, end: int, expected: tuple[int, int, int, str]) -> None:
    actual = Span.of_offsets("f", "ab\r\ncd\r\ne", start, end)

    assert expected == (actual.line, actual.column, actual.length, actual.text)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("perfomance", "did you mean `performance`?"),
        ("MIXED", "did you mean `mixed`?"),
        ("max_drop", "did you mean `max-drop`?"),
        ("zzz", ""),
        ("", ""),
    ],
)
def test_did_you_mean(word: str, expected: str) -> None:
    assert expected == did_you_mean(word, ["performance", "mixed", "max-drop"])


def test_a_stored_file_of_another_form_is_no_bug() -> None:
    found = of_error(ContractError("record has format 1, expected 2"))

    assert found is not None
    (told,) = found.diagnostics
    assert 1 == found.exit_status
    assert "a stored result is not of the form that ovmake writes: record has format 1, expected 2" == told.message
