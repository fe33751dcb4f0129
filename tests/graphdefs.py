"""Frozen graphs written byte by byte, where TensorFlow would take five seconds.

message((1, "name"), (2, 7)) -> bytes      a protobuf message
node("y", "MatMul", "x", "w", T=FLOAT)     a NodeDef
graph_def(node(...), ...) -> bytes         a GraphDef
dense(weights) -> bytes                    a whole model: y = x · weights
"""

from __future__ import annotations

import struct
from collections.abc import Sequence


def encoded(value: int) -> bytes:
    """Encode a number that is not negative."""
    head = b""
    while value >= 0x80:
        head += bytes([value & 0x7F | 0x80])
        value >>= 7
    return head + bytes([value])


def message(*pairs: tuple[int, int | bytes | str]) -> bytes:
    """Encode fields in the order given."""
    parts = []
    for number, value in pairs:
        if isinstance(value, int):
            parts.append(encoded(number << 3) + encoded(value))
        else:
            content = value.encode() if isinstance(value, str) else value
            parts.append(encoded(number << 3 | 2) + encoded(len(content)) + content)
    return b"".join(parts)


def node(name: str, op: str, *inputs: str, **attributes: bytes) -> bytes:
    """Encode a NodeDef; attributes are AttrValue messages."""
    entries = [(5, message((1, key), (2, value))) for key, value in attributes.items()]
    return message((1, name), (2, op), *[(3, name) for name in inputs], *entries)


def graph_def(*nodes: bytes, functions: tuple[bytes, ...] = ()) -> bytes:
    """Encode a GraphDef."""
    library = message(*[(1, function) for function in functions])
    return message(*[(1, content) for content in nodes], (2, library), (4, message((1, 2474))))


FLOAT = message((6, 1))
_ANY = (1 << 64) - 1  # -1, as protobuf writes it


def dense(weights: Sequence[Sequence[float]]) -> bytes:
    """Encode y = x · weights, with x of any batch."""
    rows, columns = len(weights), len(weights[0])
    content = struct.pack(f"<{rows * columns}f", *[value for row in weights for value in row])
    tensor = message((1, 1), (2, _shape(rows, columns)), (4, content))
    return graph_def(
        node("x", "Placeholder", dtype=FLOAT, shape=message((7, _shape(_ANY, rows)))),
        node("weights", "Const", dtype=FLOAT, value=message((8, tensor))),
        node("y", "MatMul", "x", "weights", T=FLOAT),
    )


def _shape(*sizes: int) -> bytes:
    return message(*[(2, message((1, size))) for size in sizes])
