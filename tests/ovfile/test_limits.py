"""A stranger's Ovfile is read within seconds, or refused with an error that names the limit.

Times are CPU times of this process, with generous limits: without the code under test, these cases took minutes.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from ovmake.diagnostics import OvmakeError, did_you_mean, render, to_json
from ovmake.ovfile.parse import decode, parse, parse_some
from ovmake.ovfile.problems import ENOUGH
from ovmake.ovfile.text import limits
from ovmake.ovfile.text.edits import edited_models

MODEL = '[models.m]\nsource = "models/m"\n'
SECONDS = 15


def refusal(text: str) -> OvmakeError:
    with pytest.raises(OvmakeError) as caught:
        parse(text)
    return caught.value


def message(text: str) -> str:
    (found,) = refusal(text).diagnostics
    assert ("too-large", True) == (found.code, bool(found.help))
    return found.message


def lines(line: Callable[[int], str], count: int) -> str:
    return "\n".join(map(line, range(count))) + "\n"


# --- limits -------------------------------------------------------------------------------------------------


def test_text_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(OvmakeError) as caught:
        decode(b"\xff" * (limits.LARGEST_TEXT + 1))

    assert "the Ovfile is larger than the limit of 2,000 kB" == caught.value.diagnostics[0].message
    assert "the Ovfile is larger than the limit of 2,000 kB" == message("#" * (limits.LARGEST_TEXT + 1))


def test_values_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_VALUES", 12)

    assert parse(MODEL + "inputs.x.mean = [1, 1, 1, 1, 1, 1]\n")
    words = "the Ovfile has more keys and values than the limit of 12"
    assert words == message(MODEL + "inputs.x.mean = [1, 1, 1, 1, 1, 1, 1]\n")


@pytest.mark.parametrize(
    "key",
    [
        ".".join(["a"] * 33),
        " . ".join(['"a"', "'a'"] * 17),
        "[" + ".".join(["a"] * 33) + "]",
        "x = {" + ".".join(["a"] * 33),
        "x = '''a''' \n" + ".".join(["a"] * 900_000),
    ],
    ids=["bare", "quoted", "header", "inline", "long"],
)
def test_key_of_many_parts_is_refused_at_its_position(key: str) -> None:
    (found,) = refusal(f"{key} = 1").diagnostics

    assert ("too-large", "a key of the Ovfile has more than 32 parts") == (found.code, found.message)
    assert found.span is not None
    assert "a" in found.span.text[found.span.column - 1 :][:2]


DOTTED = ".".join(["a"] * 100)


@pytest.mark.parametrize(
    "sound",
    [
        f"# {DOTTED}\n",
        f'title = "{DOTTED}"\n',
        f"title = '{DOTTED}'\n",
        f'title = """\n{DOTTED}\n"""\n',
        f"title = '''\n{DOTTED}\n'''\n",
        "title = 'x'\n" + ".".join(["a"] * 32) + " = [" + ", ".join(["1.5"] * 100) + "]\n",
    ],
)
def test_dots_outside_of_keys_are_not_counted(sound: str) -> None:
    limits.check_text(f"[report]\n{sound}", "Ovfile")


def test_targets_are_counted_with_the_candidates_of_auto(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_TARGETS", 5)
    text = '[defaults]\nprecisions = ["fp32", "auto"]\n[models.a]\nsource = "a"\n'

    assert parse(text)
    words = "the Ovfile has 10 targets; the limit is 5"
    assert words == message(text + '[models.b]\nsource = "b"\n')


def test_settings_count_for_each_target(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_SETTINGS", 30)
    text = MODEL + 'tags = ["a", "b", "c"]\n[models.m.variants.v]\nbatch = 1\n'

    assert parse(text)
    said = "has 57 settings for 6 targets, counting [defaults] for each target"
    assert f"the Ovfile {said}; the limit is 30" == message(DEFAULTS + text)


DEFAULTS = '[defaults]\nprecisions = ["fp32", "fp16", "bf16"]\n'


def test_inputs_and_outputs_count_for_each_target(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_NAMES", 7)
    text = MODEL + "inputs.x.mean = 1\ninputs.y.mean = 1\n"

    assert parse(text)
    words = "the Ovfile names 8 inputs and outputs in 2 targets; the limit is 7"
    assert words == message(f'{text}outputs.a = "b"\nfp16.outputs.c = "d"\n')


def test_edit_that_makes_an_ovfile_too_large_is_looked_at_as_a_whole() -> None:
    assert edited_models(MODEL, f"{MODEL}{'.'.join(['a'] * 33)} = 1\n") is None


# --- many mistakes ------------------------------------------------------------------------------------------


def test_a_hundred_mistakes_are_shown_and_the_last_says_that_there_are_more() -> None:
    found = refusal(MODEL + lines(lambda number: f"k{number} = 1", 300)).diagnostics

    assert ENOUGH == len(found)
    assert ("only the first 100 are shown",) == found[-1].notes
    assert not any(one.notes for one in found[:-1])
    assert "help: known here:" in render(found[0])


def test_exactly_a_hundred_mistakes_have_no_note() -> None:
    assert not refusal(MODEL + lines(lambda number: f"k{number} = 1", ENOUGH)).diagnostics[-1].notes


def test_warnings_stop_nothing_and_are_shown_in_part() -> None:
    found = parse(MODEL + "[models.m.variants]\n" + lines(lambda number: f"v{number}.int8.batch = 1", 300))

    assert (602, ENOUGH) == (len(found.targets), len(found.warnings))
    assert ("only the first 100 are shown",) == found.warnings[-1].notes


def test_mistakes_of_meaning_are_shown_in_part() -> None:
    text = MODEL + lines(lambda number: f'outputs.x{number} = "y"', 300)

    assert ENOUGH == len(refusal(text).diagnostics)
    with pytest.raises(OvmakeError):
        parse_some(text, ["m"])


def test_unknown_version_is_the_only_mistake() -> None:
    (found,) = refusal("version = 9\n" + lines(lambda number: f"k{number} = 1", 300)).diagnostics

    assert ("unknown-version", ()) == (found.code, found.notes)


# --- time ---------------------------------------------------------------------------------------------------

# Texts as large as the limits allow, or of a size that took minutes.
SLOW: dict[str, Callable[[], str]] = {
    "variants": lambda: MODEL + "[models.m.variants]\n" + lines(lambda number: f"v{number} = {{}}", 8_000),
    "unknown keys": lambda: MODEL + lines(lambda number: f"k{number} = 1", 30_000),
    "models with unknown keys": lambda: lines(lambda number: f'[models.m{number}]\nsource="m"\nfoo=1', 10_000),
    "models without a source": lambda: lines(lambda number: f"[models.m{number}]", 20_000),
    "unknown datasets": lambda: (
        lines(lambda number: f'[models.m{number}]\nsource="m"\naccuracy.dataset="d{number}x"', 3000)
        + lines(lambda number: f'[datasets.d{number}]\npath="v.npz"', 3000)
    ),
    "precisions": lambda: f"{MODEL}precisions = {[f'p{number}' for number in range(60_000)]}\n",
    "files": lambda: f"{MODEL}[datasets.d]\npath = 'd.csv'\nfiles = {[f'p{number}' for number in range(60_000)]}\n",
    "keys of 1,000 parts": lambda: lines(lambda number: f"a{number}." + ".".join(["b"] * 900) + " = 1", 500),
    "mistakes in one line": lambda: f"{MODEL}inputs.x.mean = [{'true,' * 50_000}]\n",
    "brackets": lambda: "a = " + "[" * 900_000,
    "quotes": lambda: 'a = """' + '""x' * 300_000 + "." * 1000,
    "long word": lambda: f'{MODEL}calibration = "{"q" * 1_000_000}"\n[datasets.qqq]\npath = "v.npz"\n',
    "inputs of all": lambda: (
        "[defaults]\n"
        + lines(lambda number: f"inputs.x{number}.mean = 1", 500)
        + lines(lambda number: f'[models.m{number}]\nsource = "m"', 5000)
    ),
}


@pytest.mark.unmeasured
@pytest.mark.parametrize("name", SLOW)
def test_nothing_takes_long(name: str) -> None:
    text = SLOW[name]()
    assert len(text) < limits.LARGEST_TEXT
    began = time.process_time()

    try:
        found = parse(text).warnings
    except OvmakeError as error:
        found = error.diagnostics

    shown = "".join(f"{render(one)}{to_json(one)}" for one in found)
    assert time.process_time() - began < SECONDS
    assert len(shown) < 200_000


def test_long_words_get_no_suggestion() -> None:
    assert not did_you_mean("a" * 101, ["a" * 101])
    assert "did you mean `ab`?" == did_you_mean("abc", ["ab", "x" * 101])
