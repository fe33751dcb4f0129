"""`ovmake help`: topics, errors, keys and commands, as Markdown in a pipe and rendered on a terminal."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from ovmake.cli import main, sharing
from ovmake.cli.observing import COMMANDS
from ovmake.cli.sharing import COMMANDS as SHARING
from ovmake.commands.help import pages
from ovmake.commands.help.asked import ABOUT_COMMAND, ALSO_CALLED, answer, index, read_more
from ovmake.diagnostics import OvmakeError
from ovmake.ovfile.schema.form import NAME, walk
from ovmake.ovfile.schema.keys import WITH_SETTINGS


def test_every_page_is_a_topic_and_every_topic_a_page() -> None:
    assert sorted(pages.ORDER) == sorted(path.stem for path in pages.DOCS.glob("*.md"))
    assert set(ALSO_CALLED.values()) <= set(pages.ORDER)
    assert set(ABOUT_COMMAND) <= {*COMMANDS, *SHARING}


def test_other_words_for_topics_are_needed() -> None:
    known = {*pages.ORDER, *COMMANDS, *sharing.COMMANDS, *(row.key for row in pages.keys(pages.page("ovfile")))}

    assert [] == [word for word in ALSO_CALLED if word in known]


def test_help_lists_commands_and_topics(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == main(["help"])

    out = capsys.readouterr().out
    assert "    build     bring IRs up to date\n" in out
    assert out.endswith(index())
    assert "  precisions  Precisions and gates\n" in out


@pytest.mark.parametrize("topic", pages.ORDER)
def test_a_topic_in_a_pipe_is_its_markdown(topic: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == main(["help", topic])

    written = (pages.DOCS / f"{topic}.md").read_text(encoding="utf-8")
    expected = "".join(line for line in written.splitlines(keepends=True) if not line.startswith("<!--"))
    assert expected.rstrip("\n") + "\n" == capsys.readouterr().out


def test_an_error_has_its_own_entry() -> None:
    entry = answer("gate-missed")

    assert entry.startswith("### `gate-missed`\n\nThe IR is less accurate than the Ovfile allows")
    assert 1 == entry.count("###")


def test_a_key_says_what_it_is_for_and_where_more_stands() -> None:
    said = answer("on-drop")

    assert said.startswith("# `on-drop` in the Ovfile\n\nIn `[models.NAME]`: int8 only: ")
    assert "\n\nValue: `fail` or `mixed`. Default: fail.\n" in said
    assert "- `ovmake help precisions`: What on-drop does\n" in said


def test_a_key_that_is_a_word_of_a_topic_leads_to_it() -> None:
    assert "- `ovmake help measuring`\n" in answer("speedup")


@pytest.mark.parametrize("word", ["Unstable", "unstable.", "`unstable`"])
def test_how_a_word_is_written_makes_no_difference(word: str) -> None:
    assert answer("unstable") == answer(word)


def test_a_key_of_several_tables_has_each_of_them() -> None:
    said = answer("ignored")

    assert ["In `[models.NAME]`", "In `[models.NAME.accuracy]`"] == [
        line.partition(":")[0] for line in said.splitlines() if line.startswith("In ")
    ]


def test_a_table_names_the_keys_in_it() -> None:
    assert "Keys in it: `cosine`, `max-error`.\n" in answer("agreement")
    assert "Keys in it: `minutes`, `memory`.\n" in answer("limits")


def test_a_precision_names_its_keys_and_leads_to_its_page() -> None:
    said = answer("int8")

    assert "Keys in it: `calibration`, `samples`, `preset`, `model-type`, `ignored`, " in said
    assert "It also takes the keys marked `p` in `ovmake help ovfile`, for this precision only.\n" in said
    assert "- `ovmake help precisions`: The precisions\n" in said
    assert "Keys in it: `mode`, `ignored`, `speed-check`.\n" in answer("int8-weights")
    assert set(WITH_SETTINGS) == set(pages.OF_PRECISION)


@pytest.mark.parametrize(
    ("key", "tables"),
    [
        ("batch", "`[defaults]`, `[models.NAME.int8]`, `[models.NAME.variants.VARIANT]`"),
        ("auto", "`[defaults]`, `[models.NAME.variants.VARIANT]`"),
        ("mean", "`[defaults.inputs.INPUT]`, `[models.NAME.int8.inputs.INPUT]`, "),
        ("candidates", "`[defaults.auto]`, `[models.NAME.variants.VARIANT.auto]`"),
    ],
)
def test_a_key_names_the_other_tables_that_take_it(key: str, tables: str) -> None:
    assert f"\nAlso allowed in: {tables}" in answer(key)


def test_the_other_tables_are_those_of_the_schema() -> None:
    known = {(at, key.name) for at, key in walk()}

    def takes(table: str, key: str) -> bool:
        at = (NAME if part in {"INPUT", "VARIANT"} else part for part in table.strip("[]").split("."))
        return (tuple(at), key) in known

    for row in pages.keys(pages.page("ovfile")):
        inner = row.table.removeprefix("[models.NAME")
        tables = [f"{table}{inner}" for table in ("[defaults", "[models.NAME.int8", "[models.NAME.variants.VARIANT")]
        expected = [table for table in tables if inner != row.table and takes(table, row.key)]
        assert expected == list(row.also_in), row


@pytest.mark.parametrize("key", ["source", "variants", "labels", "minutes"])
def test_a_key_of_one_table_names_no_other(key: str) -> None:
    assert "Also allowed in: " not in answer(key)


def test_required_keys_say_so() -> None:
    assert "Value: a string. Required.\n" in answer("source")


def test_another_word_for_a_topic_is_answered() -> None:
    assert pages.page("precisions") == answer("gates")


def test_a_word_that_is_no_topic_names_the_sections_that_mention_it() -> None:
    expected = "- `ovmake help measuring`: Why a speed-up is called unstable\n"

    assert expected in answer("unstable")


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("precisons", "did you mean `precisions`?"),
        ("gate-mised", "did you mean `gate-missed`?"),
        ("on_dropp", "did you mean `on-drop`?"),
        ("xyzzy", "`ovmake help` lists the topics"),
    ],
)
def test_an_unknown_word_is_met_with_the_one_that_was_meant(word: str, hint: str) -> None:
    with pytest.raises(OvmakeError) as caught:
        answer(word)

    (diagnostic,) = caught.value.diagnostics
    assert ("unknown-topic", hint) == (diagnostic.code, diagnostic.help)
    assert 2 == caught.value.exit_status


def test_a_command_has_its_own_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["gc", "--help"])
    expected = capsys.readouterr().out

    assert 0 == main(["help", "gc"])
    more = "Read more:\n\n- `ovmake help engine`: Proof, and cleaning up\n"
    assert f"{expected}\n{more}" == capsys.readouterr().out


def test_a_command_leads_to_the_chapters_about_it() -> None:
    more = read_more("cache")

    assert "- `ovmake help engine`: Proof, and cleaning up\n" in more
    assert "- `ovmake help security`: The walls\n" in more
    assert "" == read_more("version")


class Terminal(io.StringIO):
    """Stdout, as a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_it_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "60")

    assert 0 == main(["help", "gate-missed"])

    lines = terminal.getvalue().splitlines()
    assert "###" not in terminal.getvalue()
    assert "\x1b[" in terminal.getvalue()
    assert any("Usual causes: " in line for line in lines)


def test_a_dumb_terminal_gets_it_as_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("TERM", "dumb")

    assert 0 == main(["help", "gate-missed"])

    assert terminal.getvalue().startswith("### `gate-missed`\n")


def test_sections_are_cut_at_headings_and_not_in_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "# A\n\n## B\n\n```sh\n# no heading\n```\n\n### C\n\nc\n\n## D\n"
    (tmp_path / "a.md").write_text("<!-- hidden -->\n" + text)
    monkeypatch.setattr(pages, "DOCS", tmp_path)

    found = [(one.level, one.title, one.text.count("\n")) for one in pages.sections(pages.page("a"))]

    assert [(1, "A", 13), (2, "B", 9), (3, "C", 3), (2, "D", 1)] == found


def test_an_option_is_a_word_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == main(["help", "--frozen"])

    assert "- `ovmake help sharing`: 6. Lock what was built\n" in capsys.readouterr().out
