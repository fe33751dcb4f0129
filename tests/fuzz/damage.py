"""Damage a file: its bytes, or what its format says, with lengths and checksums made right again.

    damaged(path, random) -> str      changes the file in place; returns what was done

What is a protobuf message, a table of a checkpoint or a zip is damaged inside half of the time: a flipped bit of a
compressed member or a block is found by its checksum at once, and a field too many is not.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random

from ovmake.sources.leveldb import table
from ovmake.sources.protobuf import ProtobufError, fields
from tests.graphdefs import encoded
from tests.workers.tables import written

Damage = Callable[[bytes, Random], bytes]
TRIES = 20
DEEPER = 0.8  # how often a field is damaged inside, where it has an inside


def damaged(path: Path, random: Random) -> str:
    """Damage a file in one to three ways. It is never what it was."""
    before = content = path.read_bytes()
    done: list[str] = []
    for _ in range(random.choice([1, 1, 1, 1, 2, 3])):
        inside = _inside(path) if random.random() < 0.5 else None
        way = inside or random.choice(BYTEWISE)
        try:
            content = way(content, random)
        except (ProtobufError, zipfile.BadZipFile, ValueError, IndexError, KeyError):
            continue  # it is damaged already, so that there is no inside any more
        done.append(way.__name__.strip("_"))
    if content == before:
        content = flip(content, random)
        done.append("flip")
    path.write_bytes(content)
    return f"{path.name}: {', '.join(done)}"


def _inside(path: Path) -> Damage | None:
    """Return what damages a file of this kind by its format."""
    if path.suffix in {".pb", ".meta"}:
        return field
    if path.suffix == ".index":
        return entry
    return member if path.suffix == ".keras" else None


# bytes


def _place(content: bytes, random: Random) -> int:
    return random.randrange(max(1, len(content)))


def _size(content: bytes, random: Random) -> int:
    return random.choice([1, 1, 4, 8, 64, max(1, len(content) // 10)])


def flip(content: bytes, random: Random) -> bytes:
    """Flip a bit."""
    at = _place(content, random)
    return content[:at] + bytes([(content + b"\0")[at] ^ 1 << random.randrange(8)]) + content[at + 1 :]


def overwrite(content: bytes, random: Random) -> bytes:
    """Write noise or zeros over a place."""
    at, size = _place(content, random), _size(content, random)
    noise = random.choice([bytes(size), random.randbytes(size)])
    return content[:at] + noise + content[at + size :]


def cut_out(content: bytes, random: Random) -> bytes:
    """Take a place out."""
    at, size = _place(content, random), _size(content, random)
    return content[:at] + content[at + size :]


def cut_off(content: bytes, random: Random) -> bytes:
    """End early: a copy that was interrupted."""
    return content[: _place(content, random)]


def insert(content: bytes, random: Random) -> bytes:
    """Put noise between."""
    at = _place(content, random)
    return content[:at] + random.randbytes(_size(content, random)) + content[at:]


def append(content: bytes, random: Random) -> bytes:
    """End late."""
    return content + random.choice([random.randbytes(_size(content, random)), bytes(8), content[-64:]])


def swap(content: bytes, random: Random) -> bytes:
    """Change two places with each other."""
    size = _size(content, random)
    first, second = sorted([_place(content, random), _place(content, random)])
    if second < first + size:
        return content
    end = second + size
    return (
        content[:first]
        + content[second:end]
        + content[first + size : second]
        + content[first : first + size]
        + content[end:]
    )


BYTEWISE: tuple[Damage, ...] = (*[flip] * 8, overwrite, cut_out, cut_off, insert, append, swap)


# formats


def field(content: bytes, random: Random) -> bytes:
    """Damage one field of a protobuf message, or of one inside; lengths stay right.

    Raises:
        WireError: it is none.
    """
    parts = _parts(content)
    if not parts:
        return flip(content, random)
    number, value = at = random.choice(parts)
    place = parts.index(at)
    inner = _message(value)
    if inner and random.random() < DEEPER:
        parts[place] = number, field(bytes(inner), random)
    else:
        parts[place : place + 1] = _changed(number, value, parts, random)
    return b"".join(_encoded(one, what) for one, what in parts)


Value = int | bytes | tuple[int, bytes]  # a varint, a length-delimited field, another of fixed width


def _parts(content: bytes) -> list[tuple[int, Value]]:
    """Return the fields in their order.

    Raises:
        WireError: there are none.
    """
    found: list[tuple[int, Value]] = []
    view, at = memoryview(content), 0
    for number, value in fields(view):
        kind = content[at] & 7
        if isinstance(value, int):
            found.append((number, value))
            at += len(encoded(number << 3)) + len(encoded(value))
            continue
        data = bytes(value)
        found.append((number, data if kind == 2 else (kind, data)))
        at += len(encoded(number << 3)) + (len(encoded(len(data))) if kind == 2 else 0) + len(data)
    return found


def _message(value: Value) -> bytes | None:
    """Return the value if it can be read as a message."""
    if not isinstance(value, bytes) or len(value) < 2:
        return None
    try:
        _parts(value)
    except ProtobufError:
        return None
    return value


def _changed(number: int, value: Value, parts: list[tuple[int, Value]], random: Random) -> list[tuple[int, Value]]:
    """Return what becomes of a field: another value, or none, two of it, another number, one field more."""
    renumbered = random.choice([number + 1, max(1, number - 1), random.randrange(1, 30)])
    other = [(number, _another(value, random))]
    return random.choice(
        [
            other,
            other,
            [],
            [(number, value), (number, value)],
            [(renumbered, value)],
            [(number, value), random.choice(parts)],
        ]
    )


def _another(value: Value, random: Random) -> Value:
    if isinstance(value, int):
        return random.choice([0, 1, value + 1, max(0, value - 1), value ^ 1 << random.randrange(63)])
    if isinstance(value, bytes):
        return flip(value, random) if value else b"x"
    return value[0], flip(value[1], random)


def _encoded(number: int, value: Value) -> bytes:
    if isinstance(value, int):
        return encoded(number << 3) + encoded(value)
    if isinstance(value, bytes):
        return encoded(number << 3 | 2) + encoded(len(value)) + value
    return encoded(number << 3 | value[0]) + value[1]


def entry(content: bytes, random: Random) -> bytes:
    """Damage an entry of a checkpoint's index, or its key, or take it out; the blocks' checksums are right.

    Raises:
        WireError: it is no index.
    """
    entries = {key: bytes(value) for key, value in table(memoryview(content))}
    key = random.choice(sorted(entries))
    other = random.choice(sorted(entries))
    match random.randrange(4):
        case 0:
            del entries[key]
        case 1:
            entries[flip(key or b"x", random)] = entries.pop(key)
        case 2:
            entries[key], entries[other] = entries[other], entries[key]
        case _:
            entries[key] = field(entries[key], random)
    return written(dict(sorted(entries.items())))


def member(content: bytes, random: Random) -> bytes:
    """Damage a member of a zip, which is then a sound zip.

    Raises:
        zipfile.BadZipFile: it is none.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    name = random.choice(sorted(members))
    match random.randrange(6):
        case 0:
            del members[name]
        case _:
            members[name] = random.choice(BYTEWISE)(members[name], random)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for one, data in members.items():
            archive.writestr(zipfile.ZipInfo(one), data)
    return made.getvalue()
