"""Read the features of a tf.train.Example.

features(view) -> name -> message       tensorflow/core/example/example.proto, feature.proto
value_of(view) -> numbers or strings

Example { Features features = 1; }      Features { map<string, Feature> feature = 1; }
Feature { BytesList = 1; FloatList = 2; Int64List = 3; }       each list { repeated ... value = 1; }
"""

from __future__ import annotations

import numpy as np

from ovmake.sources.protobuf import Message, ProtobufError, fields
from ovmake.workers.inputs.preparing import Array

# The numbers of a feature, f32 or i64 [n]; or its byte strings, which may be encoded images.
Value = Array | list[memoryview]

_STRINGS, _FLOATS, _INTEGERS = 1, 2, 3
_CONTINUED, _BITS = 0x80, 7


def features(view: memoryview) -> dict[str, memoryview]:
    """Return an example's features.

    Raises:
        ProtobufError: it is not an example.
    """
    return Message(view, (1,)).message(1, (1,)).entries(1)


def value_of(feature: memoryview) -> Value:
    """Return the value of a feature; an empty array if it is empty.

    Raises:
        ProtobufError: it is not a feature.
    """
    lists = Message(feature, (_STRINGS, _FLOATS, _INTEGERS))
    if _STRINGS in lists:
        return Message(lists.view(_STRINGS), (1,)).views(1)
    if _FLOATS in lists:
        # Packed into one string or given one by one, the bytes and their order are the same.
        parts = Message(lists.view(_FLOATS), (1,)).views(1)
        return np.frombuffer(b"".join(parts), dtype="<f4")
    packed = [value for _, value in fields(lists.view(_INTEGERS))]
    found = [_integers(part) if isinstance(part, memoryview) else np.array([part], np.uint64) for part in packed]
    return np.concatenate([np.zeros(0, np.uint64), *found]).view(np.int64)


def _integers(packed: memoryview) -> Array:
    """Return packed varints as int64. It is vectorized: an image may have 150,000 numbers."""
    octets = np.frombuffer(packed, dtype=np.uint8)
    ends = np.flatnonzero(octets < _CONTINUED)
    if not len(octets):
        return np.zeros(0, np.uint64)
    if not len(ends) or ends[-1] != len(octets) - 1:
        raise ProtobufError("truncated varint")
    starts = np.concatenate([[0], ends[:-1] + 1])
    places = np.arange(len(octets)) - np.repeat(starts, ends - starts + 1)
    parts = (octets & (_CONTINUED - 1)).astype(np.uint64) << (_BITS * places).astype(np.uint64)
    return np.add.reduceat(parts, starts)
