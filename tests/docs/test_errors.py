"""Each code in ovmake's source has an entry in `ovmake/docs/errors.md`, and each entry has a code."""

from __future__ import annotations

import re

from ovmake.commands.help import pages
from tests.docs.codes import CHOSEN, CODE, codes, passed_on, spelt

# `ovmake.cli` prints this one itself, before anything of ovmake is loaded.
PRINTED = {"cannot-write"}
ENTRY = 3
FORM = re.compile(r"### `[a-z0-9-]+`\n\n(?:[A-Z`]|ovmake ).*?\n\n- Usual causes: .+?\n- What to do: .+", re.DOTALL)


def entries() -> list[pages.Section]:
    return [one for one in pages.sections(pages.page("errors")) if one.level == ENTRY]


def test_every_code_is_found_in_the_source() -> None:
    assert [] == passed_on()
    assert set(CHOSEN) == spelt() & set(CHOSEN)
    assert [] == [code for code in codes() if not CODE.fullmatch(code)]


def test_every_code_has_an_entry_and_every_entry_a_code() -> None:
    said = set(codes()) | PRINTED

    assert sorted(said) == sorted(one.title for one in entries())


def test_every_entry_has_a_meaning_causes_and_a_cure() -> None:
    assert [] == [one.title for one in entries() if not FORM.fullmatch(one.text.rstrip())]
