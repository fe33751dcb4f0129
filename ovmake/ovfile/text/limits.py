"""Limits on the size of an Ovfile: far above any real one, and low enough to read it within seconds.

    check_size(data)                     first of all
    check_text(text, file)               before parsing TOML: parts of a key
    check_document(document)             before checking its form: number of values, and levels
    check_targets(families, document)    before making targets: their number, and the number of their settings

An Ovfile may come from a stranger, and the work grows faster than its text: an empty variant makes two targets, and
each of ten thousand targets has all settings of `[defaults]`.

Rule: the error names the limit that was exceeded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ovmake.diagnostics import Diagnostic, OvmakeError, Span
from ovmake.ovfile.meaning.settings import table
from ovmake.ovfile.problems import Problem, Problems
from ovmake.ovfile.words import PRECISIONS, KeyPath

LARGEST_TEXT = 2_000_000
MOST_LEVELS = 32
MOST_VALUES = 300_000
MOST_VARIANTS = 1_000
MOST_TARGETS = 36_000
MOST_SETTINGS = 3_000_000
MOST_NAMES = 100_000
DEEP = "nest tables less deeply"
HELP = "split it into several Ovfiles, and choose one with `-f FILE`"

_MANY_DOTS = re.compile(rf"(?:\.[^.\n]*+){{{MOST_LEVELS}}}")
# As in `locate.py`, the alternatives in a repeated group must begin with different characters.
_TOKEN = re.compile(
    r"""
      (?P<long> \"{3} (?: [^"\\]++ | \\. | "(?!"") )* \"{3,5}+ | '{3} (?: [^']++ | '(?!'') )* '{3,5}+ )
    | (?P<part> [A-Za-z0-9_-]++ | "(?:[^"\\\n]++|\\.)*" | '[^'\n]*+' )
    | (?P<dot> \. )
    | (?P<blank> [ \t]++ )
    | \#[^\n]*+
    | .
    """,
    re.VERBOSE | re.DOTALL,
)


def check_size(data: str | bytes) -> None:
    """Refuse a text that takes long to read. The limit is the same for bytes and characters.

    Raises:
        OvmakeError: it is too large.
    """
    if len(data) > LARGEST_TEXT:
        raise _too_large(f"the Ovfile is larger than the limit of {LARGEST_TEXT // 1000:,} kB")


def check_text(text: str, file: str) -> None:
    """Refuse a key of hundreds of parts: a thousand such keys are a million nested tables.

    Raises:
        OvmakeError: a key has too many parts.
    """
    check_size(text)
    # Most texts have no line with so many dots.
    span = _long_key(text) if _MANY_DOTS.search(text) else None
    if span is not None:
        message = f"a key of the Ovfile has more than {MOST_LEVELS} parts"
        at = Span.of_offsets(file, text, *span)
        raise OvmakeError(Diagnostic(code="too-large", message=message, span=at, help=DEEP))


def _long_key(text: str) -> tuple[int, int] | None:
    """Return the start of a key with too many parts, and the end of its allowed parts; None if there is no such key.

    Outside of strings and comments, dots occur only in keys and numbers.
    """
    dots, start = 0, None
    for token in _TOKEN.finditer(text):
        if token.lastgroup == "part":
            start = token.start() if start is None else start
        elif token.lastgroup == "dot" and start is not None:
            dots += 1
            if dots >= MOST_LEVELS:
                return start, token.start()
        elif token.lastgroup != "blank":
            dots, start = 0, None
    return None


def check_document(document: dict[str, object]) -> None:
    """Refuse a document that takes long to check.

    Raises:
        OvmakeError: it has too many values or levels.
    """
    level: list[object] = [document]
    count = depth = 0
    while level:
        level = [inner for part in level for inner in _parts(part)]
        count += len(level)
        depth += 1
        if count > MOST_VALUES:
            raise _too_large(f"the Ovfile has more keys and values than the limit of {MOST_VALUES:,}")
        if depth > MOST_LEVELS:
            message = f"the Ovfile nests tables or arrays more than {MOST_LEVELS} levels deep"
            raise _too_large(message, DEEP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A model or a variant, and the number of its precisions, including the candidates of `auto`."""

    model: str
    variant: str
    precisions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Size:
    """The size of a table: the number of its values, and of the inputs and outputs that it names."""

    values: int = 0
    names: int = 0

    @classmethod
    def of(cls, said: object, *, but: str = "") -> _Size:
        """Count a table, without the key `but`."""
        tables = [said, *(table(said, (precision,)) for precision in PRECISIONS)]
        names = sum(len(table(one, (key,))) for one in tables for key in ("inputs", "outputs"))
        level = [inner for key, inner in said.items() if key != but] if isinstance(said, dict) else []
        values = 0
        while level:
            values += len(level)
            level = [inner for part in level for inner in _parts(part)]
        return cls(values=values, names=names)


def check_targets(families: Sequence[Family], document: dict[str, object], problems: Problems) -> bool:
    """Return whether the targets of `families` are within the limits; report the limit that is exceeded."""
    variants: dict[str, int] = {}
    models: dict[str, _Size] = {}
    defaults = _Size.of(table(document, ("defaults",)))
    targets = values = names = 0
    for family in families:
        at: KeyPath = ("models", family.model)
        if family.model not in models:
            models[family.model] = _Size.of(table(document, at), but="variants")
        own = _Size.of(table(document, (*at, "variants", family.variant))) if family.variant else _Size()
        variants[family.model] = variants.get(family.model, 0) + (family.variant != "")
        targets += family.precisions
        for said in (defaults, models[family.model], own):
            values += family.precisions * said.values
            names += family.precisions * said.names
    model, most = max(variants.items(), key=lambda item: item[1], default=("", 0))
    if most > MOST_VARIANTS:
        message = f"`{model}` has {most:,} variants; a model may have {MOST_VARIANTS:,}"
        problems.add(_too_many(message, ("models", model, "variants"), "remove some, or make them models"))
        return False
    counts = {
        f"has {targets:,} targets": (targets, MOST_TARGETS),
        f"has {values:,} settings for {targets:,} targets, counting [defaults] for each target": (
            values,
            MOST_SETTINGS,
        ),
        f"names {names:,} inputs and outputs in {targets:,} targets": (names, MOST_NAMES),
    }
    for what, (count, allowed) in counts.items():
        if count > allowed:
            problems.add(_too_many(f"the Ovfile {what}; the limit is {allowed:,}", ("models",), HELP))
            return False
    return True


def _parts(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _too_large(message: str, hint: str = HELP) -> OvmakeError:
    return OvmakeError(Diagnostic(code="too-large", message=message, help=hint))


def _too_many(message: str, at: KeyPath, hint: str) -> Problem:
    return Problem(code="too-large", at=at, on="key", message=message, help=hint)
