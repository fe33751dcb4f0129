"""The dataflow of a frozen TensorFlow graph: which op consumes which tensor, and which tensors carry data.

    ops = ops_of_graph(graph_def_bytes)
    dataflow = Dataflow(ops, outputs)
    dataflow.source("Identity:0") -> "model/dense/Softmax:0"      past plumbing
    name in dataflow.data                                          an input of the model flows through this op

*Plumbing* is left behind by function inlining: Identity ops called `Func/…/input/_2`, `…/ReadVariableOp`, and
`StatefulPartitionedCall/Identity`. It belongs to no layer. A layer's own Identity (Keras 2's dropout) is a layer.

*Data* depends on a Placeholder. Weights, and values computed from weights alone, are not data.

Rule 1: only the main graph is followed. The body of a loop belongs to the op that runs it.
Rule 2: tensors are spelt `op:0` everywhere; GraphDef's `op` means `op:0`.
Rule 3: a cycle (a TF1 while loop) is accepted.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from ovmake.sources.protobuf import Message

# A placeholder with a default need not be fed, but it may be.
REQUIRED = frozenset({"Placeholder", "PlaceholderV2"})
PLACEHOLDERS = REQUIRED | {"PlaceholderWithDefault"}
CALL_SCOPE = re.compile(r"(Stateful)?PartitionedCall(_\d+)?")
# Attributes that state an op's output type, the most reliable first: `T` mostly is its input type too.
_OUTPUT_TYPES = ("Tout", "DstT", "out_type", "output_type", "dtype", "value_dtype", "Tparams", "T")
_IDENTITY = re.compile(r"Identity(_\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Op:
    """A node. `inputs` are tensors, `a:0`; control edges are left out."""

    name: str
    type: str
    inputs: tuple[str, ...] = ()


def ops_of_graph(graph: bytes | memoryview) -> tuple[Op, ...]:
    """Return the ops of a GraphDef's main graph, in the file's order.

    Raises:
        ProtobufError: the bytes are no GraphDef.
    """
    nodes = (Message(view) for view in Message(memoryview(graph)).views(1))
    return tuple(
        Op(
            name=node.text(1),
            type=node.text(2),
            inputs=tuple(tensor_of(spelt) for spelt in node.texts(3) if not spelt.startswith("^")),
        )
        for node in nodes
    )


def declared_types(graph: bytes | memoryview, names: Collection[str]) -> dict[str, int]:
    """Return the TensorFlow DataType of each node in `names` that declares one for its output.

    Raises:
        ProtobufError: the bytes are no GraphDef.
    """
    found = {}
    for view in Message(memoryview(graph)).views(1):
        node = Message(view)
        if node.text(1) in names:
            attributes = node.entries(5)
            said = next((attributes[name] for name in _OUTPUT_TYPES if name in attributes), None)
            if said is not None:
                found[node.text(1)] = Message(said).integer(6)
    return found


def tensor_of(spelt: str) -> str:
    """Return a tensor's full name: `a:0` for `a`."""
    return spelt if ":" in spelt else f"{spelt}:0"


def op_of(tensor: str) -> str:
    """Return the name of the op that makes a tensor. TFLite's names may contain colons: op `x:0` makes `x:0:0`."""
    return tensor.rpartition(":")[0] or tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """A walk backwards from some tensors: the stops and the model inputs that it met, each with its consumer."""

    met: frozenset[str]
    inputs: Mapping[str, str]
    _takers: Mapping[str, str]

    def way(self, tensor: str) -> list[str]:
        """Return the ops on the path from an input of the model to the start of the walk."""
        found = []
        op = self.inputs[tensor]
        while op:
            found.append(op)
            op = self._takers[op]
        return found


class Dataflow:
    """Producers and consumers of every tensor."""

    def __init__(self, ops: Iterable[Op], outputs: Collection[str]) -> None:
        """Build the maps. `outputs` are the model's output tensors."""
        self.ops = {op.name: op for op in ops}
        self._plumbing = {name for name, op in self.ops.items() if _is_plumbing(op)}
        self.order = {name: place for place, name in enumerate(self._ordered(outputs))}
        self.data = self.reached({name for name, op in self.ops.items() if op.type in PLACEHOLDERS})
        # Tensor -> the ops that consume it, plumbing left out; "" consumes the model's outputs.
        self.takers: dict[str, list[str]] = {}
        for name in self.order:
            if name not in self._plumbing:
                for tensor in self.ops[name].inputs:
                    self.takers.setdefault(self.source(tensor), []).append(name)
        for tensor in outputs:
            self.takers.setdefault(self.source(tensor), []).append("")

    def computes(self, name: str) -> bool:
        """Whether data flows through op `name`, and it is not plumbing."""
        return name in self.data and name not in self._plumbing

    def source(self, tensor: str) -> str:
        """Return the tensor before any plumbing that hands it on."""
        seen = set()
        while op_of(tensor) in self._plumbing and tensor not in seen:
            seen.add(tensor)
            tensor = self.ops[op_of(tensor)].inputs[0]
        return tensor

    def is_data(self, tensor: str) -> bool:
        """Whether a tensor depends on an input of the model."""
        return op_of(tensor) in self.data

    def data_inputs(self, name: str) -> list[str]:
        """Return the data tensors that op `name` consumes, past plumbing."""
        return [self.source(tensor) for tensor in self.ops[name].inputs if self.is_data(tensor)]

    def walk_back(self, ends: Iterable[str], stops: Collection[str]) -> Walk:
        """Walk backwards from the tensors `ends`, up to the tensors `stops` or the model's inputs."""
        met: set[str] = set()
        inputs: dict[str, str] = {}
        takers: dict[str, str] = {}
        pending = [(tensor, "") for tensor in ends]
        while pending:
            tensor, taker = pending.pop()
            op = self.ops.get(op_of(tensor))
            if tensor in stops:
                met.add(tensor)
            elif op is not None and op.type in REQUIRED:
                inputs.setdefault(tensor, taker)
            elif op is not None and op.name not in takers:
                takers[op.name] = taker
                pending += [(source, op.name) for source in reversed(op.inputs)]
        return Walk(met=frozenset(met), inputs=inputs, _takers=takers)

    def _ordered(self, outputs: Collection[str]) -> list[str]:
        """Return the names of all ops, producers first: those that the outputs need, then the rest."""
        found: dict[str, bool] = {}  # op -> whether all its producers are ordered
        order: list[str] = []
        for root in [*map(op_of, outputs), *self.ops]:
            stack = [root] if root in self.ops else []
            while stack:
                name = stack[-1]
                if name not in found:
                    found[name] = False
                    producers = [op_of(tensor) for tensor in self.ops[name].inputs]
                    stack += [p for p in reversed(producers) if p not in found and p in self.ops]
                    continue
                stack.pop()
                if not found[name]:
                    found[name] = True
                    order.append(name)
        return order

    def reached(self, roots: set[str]) -> set[str]:
        """Return the roots and everything that they flow into."""
        takers: dict[str, list[str]] = {}
        for name, op in self.ops.items():
            for tensor in op.inputs:
                takers.setdefault(op_of(tensor), []).append(name)
        reached = set(roots)
        pending = list(roots)
        while pending:
            for name in takers.get(pending.pop(), ()):
                if name not in reached:
                    reached.add(name)
                    pending.append(name)
        return reached


def _is_plumbing(op: Op) -> bool:
    if op.type != "Identity" or len(op.inputs) != 1:
        return False
    scope, _, last = op.name.rpartition("/")
    if op.name.startswith("Func/") or last == "ReadVariableOp":
        return True
    # The Identity of an inlined function's result is in the scope of the call, or at the top.
    return bool(_IDENTITY.fullmatch(last)) and (not scope or bool(CALL_SCOPE.fullmatch(scope.rpartition("/")[2])))
