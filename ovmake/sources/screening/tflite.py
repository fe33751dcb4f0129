"""Find TensorFlow's own operations in a .tflite file: the interpreter's flex delegate has kernels for all of them.

    flex_refusals(data, allowed) -> [RefusedNode(op="WriteFile", ...)]

An operator with the code `FlexWriteFile` is TensorFlow's WriteFile. But the code is only a label: a NodeDef in the
operator's options states the operation and its attributes. So an operator is refused for its label, and for any refused
operation that its options name. Custom operators with other labels are not TensorFlow's: the interpreter knows
only a few, which only compute.

Schema: tensorflow/compiler/mlir/lite/schema/schema.fbs. Standard library only.
"""

from __future__ import annotations

import re

from ovmake.sources.screening.allowed_ops import CONDITIONS, REASONS, refusal_reason
from ovmake.sources.screening.meta_graph import RefusedNode
from ovmake.sources.tflite_graph import Table

_FLEX = "Flex"
# Indexes of fields in their tables.
_CODES, _SUBGRAPHS = 1, 2  # of the model
_CUSTOM_CODE = 1  # of an OperatorCode
_OPERATORS = 3  # of a SubGraph
_CODE, _OPTIONS, _FAR_OPTIONS = 0, 5, (9, 10)  # of an Operator
# Reasons of the policy that state an effect. Ops for tests, and ops that TensorFlow inserts, have no effects, and their
# names are too short to search for.
_EFFECTS = {why: ops for why, ops in REASONS.items() if "tests" not in why and "itself" not in why}


def flex_refusals(data: bytes, allowed: frozenset[str]) -> list[RefusedNode]:
    """Return the operators of a .tflite file that may not run.

    Raises:
        struct.error, IndexError, UnicodeDecodeError: it is truncated or is not a FlatBuffer.
    """
    root = Table.root(data)
    codes = [code.text(_CUSTOM_CODE) for code in root.tables(_CODES)]
    found = []
    for subgraph in root.tables(_SUBGRAPHS):
        for place, operator in enumerate(subgraph.tables(_OPERATORS)):
            code = codes[operator.number(_CODE)]
            if code.startswith(_FLEX):
                op = code.removeprefix(_FLEX)
                why = "" if op in allowed else refusal_reason(op, {}) or _hidden(operator, op, allowed)
                if why:
                    found.append(RefusedNode(place="", node=f"operator {place}", op=op, why=why))
    return found


def _hidden(operator: Table, op: str, allowed: frozenset[str]) -> str:
    """Return a reason to refuse an operator that is in its options and not in its label; "" if there is none."""
    if any(operator.has(place) for place in _FAR_OPTIONS):
        return "has options outside of the file's tables, which are not checked"
    options = operator.content(_OPTIONS).decode("latin-1")
    for why, ops in _EFFECTS.items():
        named = next((word[0] for word in re.finditer(ops, options) if word[0] not in allowed), None)
        if named is not None:
            return f"has `{named}` in its options, which {why}"
    return "has conditions that cannot be checked here" if op in CONDITIONS else ""
