"""Help for common mistakes in TOML, for the help line of a syntax error. Pure.

    cure(text, position) -> str        `position` is where tomli stopped; "" if no mistake is recognised
    plain_name(name) -> str            the nearest name that a model may have, "" if there is none

Each cure checks the line in which tomli stopped, and shows the corrected line or value.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable

from ovmake.ovfile.problems import BARE, clipped

# A longer line gets no help.
LONGEST_LINE = 200
# Quotes that word processors, keyboards and web pages insert.
DOUBLE, SINGLE = "\u201c\u201d\u201e\u201f\u00ab\u00bb\uff02\u2033", "\u2018\u2019\u201a\u201b\u2039\u203a\uff07\u2032"
QUOTES = str.maketrans(dict.fromkeys(DOUBLE, '"') | dict.fromkeys(SINGLE, "'"))
PERCENT = "%\uff05"  # the second is that of Chinese keyboards
# Characters that look like a space. TOML allows only the space and the tab.
SPACES = re.compile("[\u00a0\u2000-\u200b\u202f\u3000\ufeff]")
_UNITS = r"[kKMGT]?i?B|ms|s|min|minutes|hours?|h|d"
_UNQUOTED = re.compile(rf"([+-]?[0-9][0-9_.]*)\s*([{PERCENT}]|(?:{_UNITS})\b)")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
_NOT_BARE = re.compile(rf"{_STRING.pattern}|'[^']*'|#.*")
_WORD = re.compile(r"[^\s,\]\[}{#=\"']+")
_SAID_OTHERWISE = {"True": "true", "False": "false", "yes": "true", "no": "false", "on": "true", "off": "false"}
_NOTHING = {"None", "null", "nil", "Null", "NULL"}
# Tables whose keys become folders: the key before the name, and the number of keys before that key.
_STRICT = {("models", 0), ("datasets", 0), ("variants", 2)}


def cure(text: str, position: int) -> str:
    """Return the help: one line, without a full stop."""
    start = text.rfind("\n", 0, position) + 1
    end = text.find("\n", position)
    line = text[start : len(text) if end < 0 else end].removesuffix("\r")
    if len(line) > LONGEST_LINE:
        return ""
    at = position - start
    return next((found for look in _CURES if (found := look(line, at))), "")


def plain_name(name: str) -> str:
    """Return the name reduced to the characters that a model's name may have, "" if nothing is left."""
    letters = unicodedata.normalize("NFKD", name.replace("ß", "ss"))
    plain = "".join(letter for letter in letters if letter.isascii())
    return re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip("-._")


def _quotes(line: str, _: int) -> str:
    bare = _NOT_BARE.sub("", line)  # a valid string may hold any quotes
    return f"use straight quotes: `{line.translate(QUOTES).strip()}`" if bare.translate(QUOTES) != bare else ""


def _spaces(line: str, _: int) -> str:
    return (
        "this line has a space character that TOML does not allow: retype it"
        if SPACES.search(_NOT_BARE.sub("", line))
        else ""
    )


def _backslash(line: str, at: int) -> str:
    for string in _STRING.finditer(line):
        if "\\" in string[1] and string.start() <= at <= string.end():
            slashes = re.sub(r"\\+", "/", string[1])
            return f'a backslash begins an escape: write paths with slashes, `"{slashes}"`'
    return ""


def _header(line: str, _: int) -> str:
    """A table's name: keys separated by dots; a key with other characters needs quotes."""
    found = re.match(r"\s*\[(?!\[)([^#]*)", line)
    if found is None:
        return ""
    inside = found[1].rstrip()
    closed = inside.endswith("]")
    parts = [part.strip() for part in inside.removesuffix("]").split(".")]
    if '"' in inside or "'" in inside or "]" in inside[:-1]:
        return ""
    wrong = [part for part in parts if not BARE.match(part)]
    named = [_key(parts, place) for place in range(len(parts))]
    if not all(named):
        return "such a name may have the letters a to z, digits, `.`, `_` and `-`" if all(parts) else ""
    table = f"`[{clipped('.'.join(named))}]`"
    if wrong:
        strict = any(_is_strict(parts, place) for place, part in enumerate(parts) if part in wrong)
        why = (
            "such a name may have the letters a to z, digits, `.`, `_` and `-`"
            if strict
            else "other characters need quotes"
        )
        return f"{why}: {table}"
    return "" if closed else f"close the bracket after the table's name: {table}"


def _key(parts: list[str], place: int) -> str:
    part = parts[place]
    if BARE.match(part):
        return part
    return plain_name(part) if _is_strict(parts, place) else json.dumps(part, ensure_ascii=False) if part else ""


def _is_strict(parts: list[str], place: int) -> bool:
    return place > 0 and (parts[place - 1], place - 1) in _STRICT


def _comment(line: str, _: int) -> str:
    return "a comment begins with `#`" if re.match(r"\s*(;|//|/\*|--)", line) else ""


def _colon(line: str, at: int) -> str:
    """`source: "m.pb"`, as in YAML and Python."""
    found = re.match(r"\s*([A-Za-z0-9_.-]+|\"[^\"]*\")\s*:\s*(?=\S)", line)
    if found and ":" in line[at : at + 1]:
        return f"write `=` between a key and its value: `{found[1]} = {line[found.end() :].strip()}`"
    return "write `=` between a key and its value" if line[at : at + 1] == ":" else ""


def _unit(line: str, at: int) -> str:
    for found in _UNQUOTED.finditer(line):
        if found.start() <= at <= found.end():
            unit = "%" if found[2] in PERCENT else f" {found[2]}"
            return f'a value with a unit needs quotes: `"{found[1]}{unit}"`'
    return ""


def _number(line: str, at: int) -> str:
    if found := re.search(r"=\s*([+-]?[0-9]+),([0-9]+)\s*(#.*)?$", line):
        return f"write a decimal point: `{found[1]}.{found[2]}`; several numbers need brackets"
    if found := re.match(r"([+-]?)\.([0-9]+)", line[at:]):
        return f"write a digit before the point: `{found[1]}0.{found[2]}`"
    if found := re.search(r"(?<![\w.])0+([0-9]+)\b", line):
        return f"a whole number must not begin with 0: `{int(found[1])}`"
    return ""


def _ending(line: str, at: int) -> str:
    if re.match(r"\s*[,;]\s*(#.*)?$", line[at:]) and "=" in line[:at]:
        return f"remove the text after the value: `{line[:at].strip()}`"
    return ""


def _unclosed(line: str, at: int) -> str:
    value = line.partition("=")[2].strip()
    if at >= len(line) and value[:1] in {'"', "'"} and value.count(value[0]) == 1:
        return f"the quote is not closed: `{line.strip()}{value[0]}`"
    return ""


def _word(line: str, at: int) -> str:
    """A word in place of a value."""
    found = _WORD.match(line, at)
    if found is None or not line[:at].rstrip().endswith(("=", "[", ",")):
        return ""
    word = found[0]
    if word in _NOTHING:
        return "TOML has no null: leave the key out"
    if word in _SAID_OTHERWISE:
        return f"write `{_SAID_OTHERWISE[word]}`"
    return f"text needs quotes: `{json.dumps(word, ensure_ascii=False)}`"


_CURES: tuple[Callable[[str, int], str], ...] = (
    *(_quotes, _spaces, _backslash, _header, _comment, _colon, _unit, _number, _ending, _unclosed, _word),
)
