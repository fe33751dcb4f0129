"""A damaged Ovfile is read or refused, within seconds and without a traceback.

The damage: bytes of the example and of all samples of mistakes are changed, removed, repeated, and copied from another
Ovfile. Ovfiles that can be read are also lowered. `OVMAKE_LONG=1` tries 10,000.
"""

from __future__ import annotations

import random
import re
import time
from pathlib import Path

import pytest

from ovmake.diagnostics import OvmakeError, render, to_json
from ovmake.graph.lower import lower
from ovmake.ovfile.parse import decode, parse
from ovmake.rules import build_target
from tests.examples import tries

ROOT = Path(__file__).parents[2]
SAMPLES = [ROOT / "Ovfile.example", ROOT / "examples/fashion/Ovfile", *sorted((ROOT / "tests").rglob("*.ovfile"))]
TEXTS = [sample.read_bytes() for sample in SAMPLES if sample.stat().st_size < 1 << 16]
# Garbage collection and other processes make a run in this process slower.
SECONDS = 10
EACH = 50

PIECES = [
    *(b"'", b'"', b"[", b"]", b"[[", b"{", b"}", b"=", b",", b".", b"#", b"\n", b"\r\n", b"\\", b"\0", b"\xff", b"\t"),
    *(b'"""', b"'''", b"-", b"1e400", b"9" * 30, b"nan", b"true", b"false", b"[]", b"{}", b'""', b"2026-01-31"),
    *("é模😀\u2028\ufeff\u202e".encode(), b"auto", b"int8", b"fp32", b"models", b"variants", b"defaults", b"datasets"),
]


def mutated(chance: random.Random) -> bytes:
    """Return one of the samples with a few changes."""
    data = chance.choice(TEXTS)
    change = chance.choice([changed_bytes, changed_lines])
    for _ in range(chance.choice([1, 1, 1, 2, 3, 8, 30])):
        data = change(data, chance)
    return data


def changed_bytes(data: bytes, chance: random.Random) -> bytes:
    """Take bytes out, put some in, repeat some, or flip a bit; mostly the end of all TOML."""
    at = chance.randrange(len(data) + 1)
    end = min(len(data), at + chance.choice([0, 1, 1, 3, 10, 80, 2000]))
    other = chance.choice(TEXTS)
    start = chance.randrange(len(other) + 1)
    put = chance.choice(
        [
            b"",
            data[at:end] * chance.choice([2, 3, 20]),
            chance.choice(PIECES) * chance.choice([1, 1, 2, 50, 2000]),
            other[start : start + chance.choice([1, 20, 300, 5000])],
            bytes(byte ^ 1 << chance.randrange(8) for byte in data[at : at + 1]) + data[at + 1 : end],
        ]
    )
    return data[:at] + put + data[end:]


def changed_lines(data: bytes, chance: random.Random) -> bytes:
    """Take a line out, put one in of another Ovfile, or give a key the value of another; mostly TOML still."""
    lines, others = (text.splitlines(keepends=True) or [b"\n"] for text in (data, chance.choice(TEXTS)))
    at, line = chance.randrange(len(lines)), chance.choice(others)
    key, equals, _ = lines[at].partition(b"=")
    match chance.randrange(4):
        case 0:
            lines[at : at + chance.choice([1, 3])] = []
        case 1:
            lines[at:at] = [line]
        case 2 if equals:
            lines[at] = key + equals + (line.partition(b"=")[2] or chance.choice(PIECES) + b"\n")
        case _:
            chance.shuffle(lines)
    return b"".join(lines)


def look_at(data: bytes) -> None:
    """Read an Ovfile as the commands do; what is wrong must be shown, and nothing else happen."""
    try:
        found = parse(decode(data))
        diagnostics = found.warnings
        lower(found, build_target, {})
    except OvmakeError as error:
        diagnostics = error.diagnostics
        assert diagnostics
    for one in diagnostics:
        assert to_json(one)
        assert re.match(r"(error|warning)\[[a-z0-9-]+\]: \S", render(one))


@pytest.mark.unmeasured
@pytest.mark.parametrize("turn", range(tries(daily=200, ci=1_000, long=10_000) // EACH))
def test_damaged_ovfile_is_read_or_refused(turn: int) -> None:
    for number in range(turn * EACH, (turn + 1) * EACH):
        data = mutated(random.Random(number))  # noqa: S311 - no secret
        began = time.process_time()

        look_at(data)

        assert time.process_time() - began < SECONDS, f"random.Random({number})"
