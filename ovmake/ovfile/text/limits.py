"""How large an Ovfile may be: far more than anybody writes, and little enough to be read within seconds.

    check_size(data)                     before anything
    check_text(text, file)               before TOML: parts of a key
    check_document(document)             before its form: values, and levels
    check_targets(families, document)    before targets are made: how many, and how much is said of them

An Ovfile may come from a stranger, and what is made of it grows faster than its text: a variant without a word in it is
two targets, and each of ten thousand targets has all that `[defaults]` says.

Rule: a limit that is met says so, and names the number.
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
HELP = "split it into several Ovfiles: `-f FILE` says which one to read"

_MANY_DOTS = re.compile(rf"(?:\.[^.\n]*+){{{MOST_LEVELS}}}")
# See `locate.py` for what must be as it is here: what the groups repeat begins with different characters.
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
    """Refuse a text that takes long to read. Of bytes, as many may be read as of characters.

    Raises:
        OvmakeError: it is too large.
    """
    if len(data) > LARGEST_TEXT:
        raise _too_large(f"the Ovfile is larger than the {LARGEST_TEXT // 1000:,} kB that are read")


def check_text(text: str, file: str) -> None:
    """Refuse a key of hundreds of parts: a thousand such keys are a million tables in each other.

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
    """Return where a key with too many parts begins, and its last part that is allowed; None if there is none.

    Outside of strings and comments, dots stand between the parts of keys and in numbers only.
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
    """Refuse a document with more in it than takes a moment to look at.

    Raises:
        OvmakeError: it has too many values, or levels.
    """
    level: list[object] = [document]
    count = depth = 0
    while level:
        level = [inner for part in level for inner in _parts(part)]
        count += len(level)
        depth += 1
        if count > MOST_VALUES:
            raise _too_large(f"the Ovfile has more than the {MOST_VALUES:,} keys and values that are read")
        if depth > MOST_LEVELS:
            message = f"the Ovfile has tables or arrays in each other, more than {MOST_LEVELS} levels deep"
            raise _too_large(message, DEEP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A model or a variant, for which targets are to be made: its precisions, the candidates of `auto` among them."""

    model: str
    variant: str
    precisions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """How much a table says: all values in it, and the inputs and outputs that it has something to say of."""

    values: int = 0
    names: int = 0

    @classmethod
    def of(cls, said: object, *, but: str = "") -> _Said:
        """Count a table, without what is under the key `but`."""
        tables = [said, *(table(said, (precision,)) for precision in PRECISIONS)]
        names = sum(len(table(one, (key,))) for one in tables for key in ("inputs", "outputs"))
        level = [inner for key, inner in said.items() if key != but] if isinstance(said, dict) else []
        values = 0
        while level:
            values += len(level)
            level = [inner for part in level for inner in _parts(part)]
        return cls(values=values, names=names)


def check_targets(families: Sequence[Family], document: dict[str, object], problems: Problems) -> bool:
    """Whether targets can be made of `families`; report it where they are too many, or too much is said of them."""
    variants: dict[str, int] = {}
    models: dict[str, _Said] = {}
    defaults = _Said.of(table(document, ("defaults",)))
    targets = values = names = 0
    for family in families:
        at: KeyPath = ("models", family.model)
        if family.model not in models:
            models[family.model] = _Said.of(table(document, at), but="variants")
        own = _Said.of(table(document, (*at, "variants", family.variant))) if family.variant else _Said()
        variants[family.model] = variants.get(family.model, 0) + (family.variant != "")
        targets += family.precisions
        for said in (defaults, models[family.model], own):
            values += family.precisions * said.values
            names += family.precisions * said.names
    model, most = max(variants.items(), key=lambda item: item[1], default=("", 0))
    if most > MOST_VARIANTS:
        message = f"`{model}` has {most:,} variants, and up to {MOST_VARIANTS:,} are made of a model"
        problems.add(_too_many(message, ("models", model, "variants"), "take some out, or make them models"))
        return False
    counts = {
        f"asks for {targets:,} targets": (targets, MOST_TARGETS),
        f"says {values:,} settings of {targets:,} targets, those of [defaults] for each": (values, MOST_SETTINGS),
        f"names {names:,} inputs and outputs in {targets:,} targets": (names, MOST_NAMES),
    }
    for what, (count, allowed) in counts.items():
        if count > allowed:
            problems.add(_too_many(f"the Ovfile {what}, and up to {allowed:,} are read", ("models",), HELP))
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
