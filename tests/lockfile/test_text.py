"""The lock as text: what is written is read as it was, and nothing else is read."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from typing import Any

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st

from ovmake.contracts.sharing.lock import Lock
from ovmake.diagnostics import OvmakeError
from ovmake.diagnostics import render as rendered
from ovmake.lockfile.text import HEADER, blocks, decode, parse, render
from tests.lockfile.locks import LOCKS, block, lock, sha256

PLAIN = render(lock("digits:int8"))


def refusal(text: str) -> list[tuple[str, str, int]]:
    """Return code, message and line of each mistake."""
    with pytest.raises(OvmakeError) as caught:
        parse(text)
    assert caught.value.exit_status == 1
    assert all(rendered(one) for one in caught.value.diagnostics)
    return [(one.code, one.message, one.span.line if one.span else 0) for one in caught.value.diagnostics]


@given(LOCKS)
def test_what_is_written_is_read_as_it_was_and_written_the_same(one: Lock) -> None:
    text = render(one)

    assert one == parse(text)
    assert text == render(parse(text))


@given(LOCKS)
def test_it_is_toml_for_whoever_reads_toml(one: Lock) -> None:
    document: dict[str, Any] = tomli.loads(render(one))

    assert set(one.targets) == set(document)
    for name, found in one.targets.items():
        said = document[name]
        assert (found.inputs, dict(found.sources), dict(found.outputs), dict(found.versions), name) == (
            *(said[key] for key in ("inputs", "sources", "outputs", "versions")),
            said["end"],
        )
        assert (found.drop, found.reverted) == (said.get("drop"), tuple(said.get("reverted", ())))


@given(LOCKS, st.randoms(use_true_random=False))
def test_order_of_blocks_and_of_entries_changes_nothing(one: Lock, random: Any) -> None:
    names = list(one.targets)
    random.shuffle(names)
    turned = {
        name: replace(
            one.targets[name],
            sources=dict(sorted(one.targets[name].sources.items(), reverse=True)),
            outputs=dict(sorted(one.targets[name].outputs.items(), reverse=True)),
        )
        for name in names
    }

    assert render(one) == render(Lock(targets=turned))


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_any_text_is_a_lock_or_an_error_with_a_place(text: str) -> None:
    parsed = blocks(text)

    assert all(one.span is not None for one in parsed.problems)


@given(LOCKS, st.data())
def test_a_damaged_lock_is_the_same_lock_another_one_or_an_error(one: Lock, data: st.DataObject) -> None:
    text = render(one)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 80)))
    damaged = text[:start] + data.draw(st.text(max_size=5)) + text[end:]

    try:
        found = parse(damaged)
    except OvmakeError:
        return
    assert found == parse(render(found))


def test_block_reads_like_this() -> None:
    one = replace(block("digits:int8"), isa="avx2", drop_low=-1e-07, drop_high=1.0, reverted=("conv/Conv2D", 'a"b\\c'))

    text = render(Lock(targets={"digits:int8": one}))

    values = [line.split(" = ")[0] for line in text.splitlines()]
    assert values == [
        *(HEADER.rstrip(), "", '["digits:int8"]', "inputs", "settings", 'sources."data/val.npz"'),
        *('sources."models/digits"', 'outputs."digits/int8/digits.bin"', 'outputs."digits/int8/digits.xml"'),
        *('outputs."digits/int8/record.json"', 'versions."openvino"', 'versions."ovmake"', "isa", "metric"),
        *("tensorflow", "openvino", "drop", "drop-low", "drop-high", "reverted"),
        *('  "conv/Conv2D",', '  "a\\"b\\\\c",', "]", "digest", "end"),
    ]
    assert "drop-low = -1e-07\n" in text


def test_empty_text_is_an_empty_lock() -> None:
    assert Lock() == parse("") == parse(render(Lock()))


def test_windows_ends_of_line_are_read() -> None:
    assert lock("digits:int8") == parse(decode(PLAIN.replace("\n", "\r\n").encode(), file="Ovfile.lock"))


@pytest.mark.parametrize(
    ("old", "new", "message", "line"),
    [
        ("drop = 0.0042", "drop = nan", "`drop = nan` is not a line of a lock", 16),
        ("drop = 0.0042", "drop = 1e999", "`drop` is not a finite number", 16),
        ("drop = 0.0042", 'drop = "0"', "`drop` has a value of another type", 16),
        ("drop = 0.0042", "drop = 0.1\ndrop = 0.1", "`drop` appears twice", 17),
        ("drop = 0.0042", "dropped = 1", "unknown key `dropped`", 16),
        ("drop = 0.0042", "reverted = 1", "`reverted` has a value of another type", 16),
        ("drop = 0.0042", "reverted = [\n]\nreverted = [\n]", "`reverted` appears twice", 18),
        ("drop = 0.0042", "reverted = [\n  7,\n]", "`  7,` is not an element of `reverted`", 17),
        ('metric = "accuracy"', "metric = [", "`metric` has a value of another type", 13),
        ('metric = "accuracy"', 'metric = ""', "`metric`: `` is not a text of 1 to 4096 characters", 13),
        ('metric = "accuracy"', 'metric = "\\u001b[2J"', "`metric`: `\\x1b[2J` has control characters", 13),
        ('metric = "accuracy"', 'metric = "\\ud800"', '`metric = "\\ud800"` is not a line of a lock', 13),
        ("openvino = 0.9138", "openvino.a.b = 1", "`openvino.a.b = 1` is not a line of a lock", 15),
        ('end = "digits:int8"', 'end = "other:int8"', "`end`: `other:int8` is not `digits:int8`", 18),
        ('["digits:int8"]', '["digits:int8", "b"]', '`["digits:int8", "b"]` is not a line of a lock', 3),
    ],
)
def test_what_it_does_not_write_it_does_not_read(old: str, new: str, message: str, line: int) -> None:
    assert old in PLAIN
    found = refusal(PLAIN.replace(old, new))

    wanted = "a line outside of a block" if line == 3 else message
    assert ("lock-unreadable", f"Ovfile.lock: {wanted}", line) in found


@pytest.mark.parametrize(
    "path",
    [
        "../../etc/passwd",
        "/etc/passwd",
        "digits/int8/../../../x",
        "digits/int8/..",
        "digits/int8/",
        "digits/int8/a/b",
        "digits/int8/.hidden",
        "digits/fp32/digits.xml",
        "other/int8/digits.xml",
        "digits\\\\int8\\\\x",
        "digits/int8/a b",
        "x",
    ],
)
def test_output_lies_in_the_folder_of_its_target(path: str) -> None:
    found = refusal(PLAIN.replace('outputs."digits/int8/digits.xml"', f'outputs."{path}"'))

    assert [line for _, _, line in found] == [9]
    assert found[0][1].endswith("is not a file in `digits/int8/`")


@pytest.mark.parametrize(
    "name", ["..:fp32", "../x:fp32", "/x:fp32", "x", "x:", "x:../y", ".x:fp32", "a/b:fp32", "x\\u0000:fp32"]
)
def test_header_is_the_name_of_a_target(name: str) -> None:
    found = refusal(PLAIN.replace('["digits:int8"]', f'["{name}"]'))

    assert found[0][1].endswith("is not the name of a target, such as `digits:int8`")
    assert found[0][2] == 3


@pytest.mark.parametrize("missing", ["inputs", "settings", "sources", "outputs", "versions", "digest", "end"])
def test_block_without_a_needed_key_is_named(missing: str) -> None:
    left = "\n".join(line for line in PLAIN.split("\n") if not line.startswith(missing))

    said = "does not end with its `end`" if missing == "end" else f"has no `{missing}`"
    assert [("lock-unreadable", f"Ovfile.lock: the block of `digits:int8` {said}", 3)] == refusal(left)


def test_conflict_markers_are_a_conflict_and_no_syntax_error() -> None:
    assert ("lock-conflict", "Ovfile.lock has conflict markers", 1) == refusal(f"<<<<<<< HEAD\n{PLAIN}")[0]


def test_two_blocks_of_a_target_are_a_conflict() -> None:
    twice = PLAIN + PLAIN

    assert [("lock-conflict", "Ovfile.lock has two blocks of `digits:int8`", 21)] == refusal(twice)


@given(LOCKS.filter(lambda one: len(one.targets) > 0), st.data())
def test_block_of_which_any_fact_was_edited_is_a_conflict(one: Lock, data: st.DataObject) -> None:
    lines = render(one).split("\n")
    facts = [place for place, line in enumerate(lines) if re.match(r"(inputs|settings|drop|digest) = ", line)]
    place = data.draw(st.sampled_from(facts))
    lines[place] = "drop = 123.5" if lines[place].startswith("drop") else f'{lines[place].split(" ")[0]} = "{"0" * 64}"'
    if lines == render(one).split("\n"):
        return

    (said,) = refusal("\n".join(lines))

    assert "lock-conflict" == said[0]
    assert said[1].endswith("that was edited, or combined from two by a merge")


def test_at_most_a_hundred_mistakes_are_told() -> None:
    assert 100 == len(refusal("nonsense\n" * 10_000))


@pytest.mark.parametrize(
    "data",
    [b"\x00" * 1000, b"\xff\xfe\x00", b"caf\xe9\n", b"x" * 64_000_001, b"\n" * 2_000_001],
    ids=["NUL", "UTF-16", "Latin-1", "huge", "lines"],
)
def test_what_is_no_text_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(OvmakeError) as caught:
        parse(decode(data, file="Ovfile.lock"))

    assert {"lock-unreadable"} == {one.code for one in caught.value.diagnostics}


HOSTILE = {
    "dotted": '["m:fp32"]\n' + "a." * 500_000 + "b = 1\n",
    "brackets": '["m:fp32"]\nreverted = ' + "[" * 1_000_000,
    "quotes": '["m:fp32"]\nmetric = "' + '\\"' * 500_000,
    "escapes": '["m:fp32"]\nmetric = "' + "\\" * 999_999 + '"\n',
    "digits": '["m:fp32"]\ndrop = ' + "9" * 1_000_000,
    "headers": '["m:fp32"]\n' * 50_000,
    "markers": "=" * 1_000_000 + "\n",
    "one line": "x" * 10_000_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_refused_at_once(text: str) -> None:
    started = time.monotonic()

    refusal(text)

    assert time.monotonic() - started < 20  # it takes some 0.1 s


def test_ten_thousand_blocks_are_read() -> None:
    name = [f"m{number}:fp32" for number in range(10_000)]
    started = time.monotonic()

    many = parse(render(lock(*name)))

    assert sorted(name) == sorted(many.targets)
    assert time.monotonic() - started < 60  # it takes some 2 s
    assert many.targets["m7:fp32"].settings == sha256("settings", "m7:fp32")


def test_a_conflict_within_a_block_is_one_problem() -> None:
    lines = PLAIN.splitlines(keepends=True)
    place = next(number for number, line in enumerate(lines) if line.startswith("inputs"))
    sides = f"<<<<<<< HEAD\n{lines[place]}=======\n{lines[place]}>>>>>>> x\n"

    found = refusal("".join([*lines[:place], sides, *lines[place + 1 :]]))

    assert [("lock-conflict", "Ovfile.lock has conflict markers", place + 1)] == found
