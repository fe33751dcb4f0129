"""Answer a word after `ovmake help`.

    answer("precisions") -> Markdown      a page
    answer("gate-missed") -> Markdown     the entry of an error
    answer("on-drop") -> Markdown         the keys of the Ovfile with this name
    answer("unstable") -> Markdown        the sections that mention the word
    read_more("gc") -> Markdown           the sections about a command
    index() -> Markdown                   the topics

`answer` tries these in this order. `cli` itself shows the options of a command, and then `read_more`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NoReturn

from ovmake.commands.help import pages
from ovmake.diagnostics import Diagnostic, OvmakeError, did_you_mean

# Words that people may try, and the topic that answers them.
ALSO_CALLED = {
    **dict.fromkeys(("gate", "gates", "quantization", "control"), "precisions"),
    **dict.fromkeys(("data", "metrics"), "datasets"),
    **dict.fromkeys(("sources", "cuts", "preprocessing", "variant"), "surgery"),
    **dict.fromkeys(("speed", "benchmarks", "speed-up"), "measuring"),
    **dict.fromkeys(("rebuild", "stale", "staleness", "reproducible"), "engine"),
    **dict.fromkeys(("s3", "team", "signing", "lock file"), "sharing"),
    **dict.fromkeys(("keys", "reference"), "ovfile"),
    **dict.fromkeys(("error", "warnings", "codes"), "errors"),
}
# Keys that a topic explains under a different spelling.
READ_ON = {"speedup": "measuring"}
# Commands whose sections use other words than `ovmake COMMAND`.
ABOUT_COMMAND = {"cache": r"\bthe cache\b"}
WRONG_USE = 2
# Levels of headings: a chapter of a page, and an error.
_CHAPTER, _ERROR = 2, 3
# Maximum number of sections to list.
_MOST = 12


def index() -> str:
    """Return the topics, one per line."""
    known = pages.topics()
    width = max(map(len, known))
    lines = [f"  {topic:{width}}  {title}" for topic, title in known.items()]
    also = "An error's code, such as `gate-missed`, and a key of the Ovfile, such as `on-drop`, are topics too."
    return "\n".join(["topics:", *lines, "", also, ""])


def answer(word: str, *, commands: Iterable[str] = ()) -> str:
    """Return what the pages say about a word. `commands` are suggestions for a misspelt word.

    Raises:
        OvmakeError: the pages do not mention it.
    """
    known, word = pages.topics(), word.strip(" .,:;!?`'\"").lower()
    if word in known:
        return pages.page(word)
    found = _error(word) or _keys(word)
    if not found and word in ALSO_CALLED:
        return pages.page(ALSO_CALLED[word])
    return found or _mentions(word, list(known)) or _refuse(word, [*commands, *known])


def read_more(command: str) -> str:
    """Return the chapters about a command, "" if there are none."""
    pattern = "|".join([rf"`ovmake {re.escape(command)}(?![\w-])", *filter(None, [ABOUT_COMMAND.get(command)])])
    found = _sections_with(pattern, [topic for topic in pages.ORDER if topic != "errors"])
    return "\n".join(["Read more:\n", *found, ""]) if found else ""


def _error(word: str) -> str:
    found = (one for one in pages.sections(pages.page("errors")) if one.level == _ERROR and one.title == word)
    return next((one.text for one in found), "")


def _keys(word: str) -> str:
    known = pages.keys(pages.page("ovfile"))
    rows = [row for row in known if row.key == word]
    parts = [f"# `{word}` in the Ovfile\n"]
    for row in rows:
        _, _, value, default, what, *_ = (cell.strip() for cell in re.split(r"(?<!\\)\|", row.line))
        where = f"In `{row.table}`" if row.table.startswith("[") else row.table
        said = "" if not default or default == "required" else f" Default: {default}."
        parts.append(f"{where}: {what}.\n\nValue: {value}.{said}{' Required.' if default == 'required' else ''}\n")
        if also := row.also_in:
            parts.append(f"Also allowed in: {', '.join(f'`{table}`' for table in also)}.\n")
    inner = [row.key for row in known if row.table.endswith((f".{word}]", f"[{word}]"))]
    inner += [row.key for row in known if word in row.precisions]
    if inner:
        parts.append(f"Keys in it: {', '.join(f'`{key}`' for key in dict.fromkeys(inner))}.\n")
    if word in pages.OF_PRECISION:
        parts.append("It also takes the keys marked `p` in `ovmake help ovfile`, for this precision only.\n")
    more = _sections_with(rf"`{re.escape(word)}(?![\w-])", pages.ORDER)
    more += [f"- `ovmake help {READ_ON[word]}`"] if word in READ_ON else []
    read = ["Read more:\n", *more, ""] if more else []
    return "\n".join([*parts, *read]).replace("\\|", "|") if rows else ""


def _mentions(word: str, known: list[str]) -> str:
    found = _sections_with(rf"(?<![\w-])(?:--)?{re.escape(word)}", known)
    return "\n".join([f"There is no topic `{word}`. These sections mention it:\n", *found, ""]) if found else ""


def _sections_with(pattern: str, known: Iterable[str]) -> list[str]:
    """Return a line for each chapter and each error that mentions a word; the reference of keys is left out."""
    wanted = re.compile(pattern, re.IGNORECASE)
    found = [
        f"- `ovmake help {section.title}`" if topic == "errors" else f"- `ovmake help {topic}`: {section.title}"
        for topic in known
        if topic != "ovfile"
        for section in pages.sections(pages.page(topic))
        if section.level == (_ERROR if topic == "errors" else _CHAPTER) and wanted.search(section.text)
    ]
    return found[:_MOST]


def _refuse(word: str, known: list[str]) -> NoReturn:
    codes = [one.title for one in pages.sections(pages.page("errors")) if one.level == _ERROR]
    names = [row.key for row in pages.keys(pages.page("ovfile"))]
    hint = did_you_mean(word, [*known, *codes, *names]) or "`ovmake help` lists the topics"
    message = f"there is nothing to read about `{word}`"
    raise OvmakeError(Diagnostic(code="unknown-topic", message=message, help=hint), exit_status=WRONG_USE)
