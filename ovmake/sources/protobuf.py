"""Read protobuf messages without their descriptors.

    message = Message(view)
    message.text(1), message.integer(2), message.messages(3), message.entries(4)

This module knows the wire format only. Field numbers come from the caller, who knows the schema
(https://protobuf.dev/programming-guides/encoding/).

Rule 1: nothing is copied. Length-delimited fields are slices of the caller's buffer, so a
        1 GB constant costs a few bytes here.
Rule 2: stricter than protobuf. A singular field given twice, a repeated map key, a field the
        caller did not list as known: each is a ProtobufError. protobuf would merge or keep the
        last, so that the meaning of a file could depend on its reader.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

Value = int | memoryview

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MAX_VARINT_BITS = 64
_LARGEST_FIELD = (1 << 29) - 1  # protobuf's readers drop the bits above, and so would see a different field
_CONTINUED = 0x80  # set in every byte of a varint but the last
_EMPTY = memoryview(b"")


class ProtobufError(ValueError):
    """The bytes are not a valid message."""


def varint(view: memoryview, at: int) -> tuple[int, int]:
    """Return the varint at offset `at`, and the offset after it.

    Raises:
        ProtobufError: the buffer ends inside it, or it is wider than 64 bits.
    """
    value = shift = 0
    while at < len(view):
        byte = view[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return value, at
        shift += 7
        if shift >= _MAX_VARINT_BITS:
            raise ProtobufError("varint of more than 64 bits")
    raise ProtobufError("truncated varint")


def fields(view: memoryview) -> Iterator[tuple[int, Value]]:
    """Yield (field number, value) in the order of the buffer.

    A varint is an int; anything else (bytes, fixed32, fixed64) is a slice of `view`.

    Raises:
        ProtobufError: truncated, or a group (wire types 3 and 4; proto3 has none).
    """
    at, end = 0, len(view)
    while at < end:
        # Nearly every tag and length is one byte, so it is read here, without a call.
        tag, at = (view[at], at + 1) if view[at] < _CONTINUED else varint(view, at)
        number, kind = tag >> 3, tag & 7
        if not 0 < number <= _LARGEST_FIELD:
            raise ProtobufError(f"field number {number}")
        if kind == _VARINT:
            value, at = varint(view, at)
            yield number, value
            continue
        if kind == _BYTES and at < end and view[at] < _CONTINUED:
            size, at = view[at], at + 1
        else:
            size, at = _size(view, at, kind)
        stop = at + size
        if stop > end:
            raise ProtobufError(f"field {number} ends {stop - end} bytes past the message")
        yield number, view[at:stop]
        at = stop


def _size(view: memoryview, at: int, kind: int) -> tuple[int, int]:
    if kind == _BYTES:
        return varint(view, at)
    if kind == _FIXED64:
        return 8, at
    if kind == _FIXED32:
        return 4, at
    raise ProtobufError(f"wire type {kind}")


def first_text(view: memoryview, number: int) -> str:
    """Return the first string field `number` and read no further; "" if it is absent.

    This is enough to index a graph of 10,000 nodes by name.
    """
    for found, value in fields(view):
        if found == number:
            return text(value)
    return ""


class Message:
    """One message, its fields by number. Nested messages are parsed on request."""

    __slots__ = ("_fields",)

    def __init__(self, view: memoryview, known: Collection[int] | None = None) -> None:
        """Split `view` into fields.

        Raises:
            ProtobufError: malformed, or a field that is not in `known` (None: any may come).
        """
        found: dict[int, list[Value]] = {}
        for number, value in fields(view):
            if number in found:
                found[number].append(value)
            else:
                found[number] = [value]
        self._fields = found
        if known is not None:
            for number in found:
                if number not in known:
                    raise ProtobufError(f"unknown field {number}")

    def __contains__(self, number: int) -> bool:
        return number in self._fields

    def views(self, number: int) -> list[memoryview]:
        """Return a repeated length-delimited field."""
        return [_view(value) for value in self._fields.get(number, ())]

    def view(self, number: int) -> memoryview:
        """Return a singular length-delimited field; empty when absent, as in protobuf."""
        value = self._single(number)
        return _EMPTY if value is None else _view(value)

    def messages(self, number: int) -> list[Message]:
        """Return a repeated message field."""
        return [Message(view) for view in self.views(number)]

    def message(self, number: int, known: Collection[int] | None = None) -> Message:
        """Return a singular message field; an empty message when absent."""
        return Message(self.view(number), known)

    def texts(self, number: int) -> list[str]:
        """Return a repeated string field."""
        return [text(value) for value in self._fields.get(number, ())]

    def text(self, number: int) -> str:
        """Return a singular string field; "" when absent."""
        return text(self.view(number))

    def integer(self, number: int) -> int:
        """Return a singular varint field; 0 when absent."""
        value = self._single(number)
        if isinstance(value, memoryview):
            raise ProtobufError(f"field {number} is not a varint")
        return value or 0

    def entries(self, number: int) -> dict[str, memoryview]:
        """Return a `map<string, message-or-string>` field."""
        found: dict[str, memoryview] = {}
        for view in self.views(number):
            entry = Message(view, (1, 2))
            key = entry.text(1)
            if key in found:
                raise ProtobufError(f"map key `{key}` given twice")
            found[key] = entry.view(2)
        return found

    def _single(self, number: int) -> Value | None:
        values = self._fields.get(number, [])
        if len(values) > 1:
            raise ProtobufError(f"singular field {number} given {len(values)} times")
        return values[0] if values else None


def _view(value: Value) -> memoryview:
    if isinstance(value, int):
        raise ProtobufError("a varint instead of bytes")
    return value


def text(value: Value) -> str:
    """Return a field's value as a string.

    Raises:
        ProtobufError: a varint, or not UTF-8.
    """
    try:
        return str(_view(value), "utf-8")
    except UnicodeDecodeError as error:
        raise ProtobufError("a string that is not UTF-8") from error
