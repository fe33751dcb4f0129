"""A text with conflict markers, taken apart: plain ones, with a base, in each other, and broken ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovmake.diagnostics import OvmakeError
from ovmake.lockfile.conflicts import Sides, has_markers, sides_of

PLAIN = "a\n<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> other\nd\n"
DIFF3 = "a\n<<<<<<< ours\nb\n||||||| 1234567\nx\n=======\nc\n>>>>>>> theirs\nd\n"


def sides(text: str) -> Sides:
    return sides_of(text, file="Ovfile.lock")


def test_both_sides_are_whole_texts() -> None:
    assert Sides(ours="a\nb\nd\n", theirs="a\nc\nd\n") == sides(PLAIN)


def test_base_is_read_where_git_writes_one() -> None:
    assert Sides(ours="a\nb\nd\n", theirs="a\nc\nd\n", base="a\nx\nd\n") == sides(DIFF3)


def test_base_is_known_only_if_each_conflict_has_one() -> None:
    assert sides(DIFF3 + PLAIN).base is None


def test_empty_sides_are_deletions() -> None:
    assert ("a\n", "b\n") == (
        sides("<<<<<<<\na\n=======\n>>>>>>>\n").ours,
        sides("<<<<<<<\n=======\nb\n>>>>>>>\n").theirs,
    )


def test_conflict_in_a_conflict_has_a_text_for_each_way() -> None:
    # A conflict that was committed, and came into a second one in a rebase.
    nested = f"<<<<<<< HEAD\n{PLAIN}=======\ne\n>>>>>>> second\n"

    found = sides(nested)

    assert ("a\nb\nd\n", "e\n") == (found.ours, found.theirs)
    assert "a\nc\nd\n" in found.more
    assert found.base is None


def test_longer_markers_of_a_criss_cross_merge_are_of_the_base() -> None:
    inner = "<<<<<<<<< Temporary merge branch 1\nx\n=========\ny\n>>>>>>>>> Temporary merge branch 2\n"

    found = sides(DIFF3.replace("x\n", inner))

    assert Sides(ours="a\nb\nd\n", theirs="a\nc\nd\n") == found


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("<<<<<<< a\nb\n", 1, "a conflict has no end marker"),
        ("<<<<<<< a\nb\n=======\n", 1, "a conflict has no end marker"),
        ("=======\n", 1, "this conflict marker belongs to no conflict"),
        (">>>>>>> a\n", 1, "this conflict marker belongs to no conflict"),
        ("<<<<<<< a\n========\n", 2, "this conflict marker belongs to no conflict"),
        ("<<<<<<< a\n>>>>>>> b\n", 2, "this conflict marker is in the wrong place"),
        ("<<<<<<< a\n=======\n=======\n>>>>>>> b\n", 3, "this conflict marker is in the wrong place"),
        ("<<<<<<< a\n=======\n|||||||\n>>>>>>> b\n", 3, "this conflict marker is in the wrong place"),
        ("<<<<<<<\n" * 4, 4, "conflicts are nested more than 3 deep"),
        ("<<<<<<<\n" * 1_000_000, 4, "conflicts are nested more than 3 deep"),
    ],
)
def test_broken_markers_are_told_with_their_line(text: str, line: int, message: str) -> None:
    with pytest.raises(OvmakeError) as caught:
        sides(text)

    (said,) = caught.value.diagnostics
    assert ("lock-conflict", f"Ovfile.lock: {message}") == (said.code, said.message)
    assert said.span is not None
    assert said.span.line == line


@given(st.lists(st.sampled_from(["a", "b", "<<<<<<< x", "=======", "|||||||", ">>>>>>> y", "========="])))
def test_any_markers_are_taken_apart_or_told(lines: list[str]) -> None:
    text = "\n".join(lines)
    try:
        found = sides(text)
    except OvmakeError:
        assert has_markers(text)
        return
    assert not any(map(has_markers, found.all))


def test_what_is_no_marker_is_none() -> None:
    assert not has_markers("<<<<<< six\n =======\n<<<<<<<x\n")
