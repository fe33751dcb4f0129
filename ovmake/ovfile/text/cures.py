"""What people write that is no TOML, and how it is written: for the help of a syntax error. Pure.

    cure(text, position) -> str        `position` is where tomli stopped; "" where nothing is known
    plain_name(name) -> str            the nearest name that a model may have, "" if there is none

Each cure looks at the line that tomli stopped in, and shows how that line, or the value in it, should read.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable

from ovmake.ovfile.problems import BARE, clipped

# A longer line is shown in no help.
LONGEST_LINE = 200
# Quotes as word processors, keyboards and web pages make them.
DOUBLE, SINGLE = "\u201c\u201d\u201e\u201f\u00ab\u00bb\uff02\u2033", "\u2018\u2019\u201a\u201b\u2039\u203a\uff07\u2032"
QUOTES = str.maketrans(dict.fromkeys(DOUBLE, '"') | dict.fromkeys(SINGLE, "'"))
PERCENT = "%\uff05"  # as a Chinese keyboard has it, too
# What looks like a space, and TOML's spaces are two.
SPACES = re.compile("[\u00a0\u2000-\u200b\u202f\u3000\ufeff]")
_UNITS = r"[kKMGT]?i?B|ms|s|min|minutes|hours?|h|d"
_UNQUOTED = re.compile(rf"([+-]?[0-9][0-9_.]*)\s*([{PERCENT}]|(?:{_UNITS})\b)")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
_NOT_BARE = re.compile(rf"{_STRING.pattern}|'[^']*'|#.*")
_WORD = re.compile(r"[^\s,\]\[}{#=\"']+")
_SAID_OTHERWISE = {"True": "true", "False": "false", "yes": "true", "no": "false", "on": "true", "off": "false"}
_NOTHING = {"None", "null", "nil", "Null", "NULL"}
# Tables whose keys become folders: by the key before the name, and how many keys stand before that.
_STRICT = {("models", 0), ("datasets", 0), ("variants", 2)}


def cure(text: str, position: int) -> str:
    """Return what to write instead; one line, without a full stop."""
    start = text.rfind("\n", 0, position) + 1
    end = text.find("\n", position)
    line = text[start : len(text) if end < 0 else end].removesuffix("\r")
    if len(line) > LONGEST_LINE:
        return ""
    at = position - start
    return next((found for look in _CURES if (found := look(line, at))), "")


def plain_name(name: str) -> str:
    """Return a name with the letters and signs that a model's may have, "" if nothing of it is left."""
    letters = unicodedata.normalize("NFKD", name.replace("ß", "ss"))
    plain = "".join(letter for letter in letters if letter.isascii())
    return re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip("-._")


def _quotes(line: str, _: int) -> str:
    bare = _NOT_BARE.sub("", line)  # a sound string may hold any quotes
    return f"quotes are straight ones: `{line.translate(QUOTES).strip()}`" if bare.translate(QUOTES) != bare else ""


def _spaces(line: str, _: int) -> str:
    return "a space in this line is none of TOML's: type it anew" if SPACES.search(_NOT_BARE.sub("", line)) else ""


def _backslash(line: str, at: int) -> str:
    for string in _STRING.finditer(line):
        if "\\" in string[1] and string.start() <= at <= string.end():
            slashes = re.sub(r"\\+", "/", string[1])
            return f'a backslash begins an escape: paths take slashes, `"{slashes}"`'
    return ""


def _header(line: str, _: int) -> str:
    """A table's name: keys with dots between; a key of other signs stands in quotes."""
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
        return "such names are of the letters a to z, digits, `.`, `_` and `-`" if all(parts) else ""
    table = f"`[{clipped('.'.join(named))}]`"
    if wrong:
        strict = any(_is_strict(parts, place) for place, part in enumerate(parts) if part in wrong)
        why = "such names are of the letters a to z, digits, `.`, `_` and `-`" if strict else "quotes hold other signs"
        return f"{why}: {table}"
    return "" if closed else f"a table's name ends with a bracket: {table}"


def _key(parts: list[str], place: int) -> str:
    part = parts[place]
    if BARE.match(part):
        return part
    return plain_name(part) if _is_strict(parts, place) else json.dumps(part, ensure_ascii=False) if part else ""


def _is_strict(parts: list[str], place: int) -> bool:
    return place > 0 and (parts[place - 1], place - 1) in _STRICT


def _comment(line: str, _: int) -> str:
    return "comments begin with `#`" if re.match(r"\s*(;|//|/\*|--)", line) else ""


def _colon(line: str, at: int) -> str:
    """`source: "m.pb"`, as YAML and Python have it."""
    found = re.match(r"\s*([A-Za-z0-9_.-]+|\"[^\"]*\")\s*:\s*(?=\S)", line)
    if found and ":" in line[at : at + 1]:
        return f"a key and its value have `=` between them: `{found[1]} = {line[found.end() :].strip()}`"
    return "a key and its value have `=` between them" if line[at : at + 1] == ":" else ""


def _unit(line: str, at: int) -> str:
    for found in _UNQUOTED.finditer(line):
        if found.start() <= at <= found.end():
            unit = "%" if found[2] in PERCENT else f" {found[2]}"
            return f'what has a unit stands in quotes: `"{found[1]}{unit}"`'
    return ""


def _number(line: str, at: int) -> str:
    if found := re.search(r"=\s*([+-]?[0-9]+),([0-9]+)\s*(#.*)?$", line):
        return f"a decimal point is a point: `{found[1]}.{found[2]}`; several numbers stand in brackets"
    if found := re.match(r"([+-]?)\.([0-9]+)", line[at:]):
        return f"a digit stands before the point: `{found[1]}0.{found[2]}`"
    if found := re.search(r"(?<![\w.])0+([0-9]+)\b", line):
        return f"a whole number begins with no 0: `{int(found[1])}`"
    return ""


def _ending(line: str, at: int) -> str:
    if re.match(r"\s*[,;]\s*(#.*)?$", line[at:]) and "=" in line[:at]:
        return f"nothing stands after a value: `{line[:at].strip()}`"
    return ""


def _unclosed(line: str, at: int) -> str:
    value = line.partition("=")[2].strip()
    if at >= len(line) and value[:1] in {'"', "'"} and value.count(value[0]) == 1:
        return f"the quote is not closed: `{line.strip()}{value[0]}`"
    return ""


def _word(line: str, at: int) -> str:
    """A word where a value should stand."""
    found = _WORD.match(line, at)
    if found is None or not line[:at].rstrip().endswith(("=", "[", ",")):
        return ""
    word = found[0]
    if word in _NOTHING:
        return "what has no value is left out, with its key"
    if word in _SAID_OTHERWISE:
        return f"written `{_SAID_OTHERWISE[word]}`"
    return f"text stands in quotes: `{json.dumps(word, ensure_ascii=False)}`"


_CURES: tuple[Callable[[str, int], str], ...] = (
    *(_quotes, _spaces, _backslash, _header, _comment, _colon, _unit, _number, _ending, _unclosed, _word),
)
