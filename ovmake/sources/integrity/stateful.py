"""Find stateful models: the variables that a graph assigns when it runs and that its outputs depend on.

    remembered(Bodies(graph_def), outputs) -> ["lstm/rnn_state"]
    of_signature(saved_model_pb, signature, tags) -> [...]
    refuse(source, variables)                                ActionError, if there are any

An IR keeps the values that the variables had at conversion. A value that the model assigns in one call is lost in the
next, and a comparison of single calls does not show it. A variable that is assigned but that no output depends on (a
counter of calls, averages that only training reads) does no harm.

For each tensor, the names of the variables that it depends on are found by a walk to a fixed point, for handles and
values alike.

Rule 1: an assignment in a branch is not counted: it belongs to training, behind a switch.
Rule 2: a random number depends on no variable. Random ops assign their seeds; that is not counted as state.
Rule 3: a loop, or another op that runs a function, is taken to pass on all its inputs. So the dependences may be
        overestimated. This matters only for a variable that is assigned outside of a branch.

Standard library only.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from ovmake.errors import ActionError
from ovmake.sources.integrity.unfrozen import VARIABLES
from ovmake.sources.protobuf import Message
from ovmake.sources.screening.bodies import Bodies, Body, node_of
from ovmake.sources.screening.runs import GRAPH

_META_GRAPHS, _INFO, _TAGS, _SIGNATURES, _OUTPUTS, _NAME = 2, 1, 4, 5, 2, 1
_ASSIGNS = re.compile(
    r"Assign(Add|Sub)?(VariableOp)?|(Resource)?Scatter(Nd)?(Add|Sub|Mul|Div|Min|Max|Update)|(Resource)?StridedSliceAssign"
    r"|(Resource)?(Sparse)?Apply\w+|LookupTable(Insert|Remove)(V2)?"
)
_TABLES = re.compile(r"(Mutable|MutableDense)HashTable(OfTensors)?(V2)?|AnonymousMutable\w+")
_DRAWS = re.compile(
    r"Stateless(Random|Truncated|Multinomial|Parameterized|Sample|Shuffle)\w*|Stateful\w*|Rng\w+|Random\w+"
)
_CALLS = frozenset({"PartitionedCall", "StatefulPartitionedCall"})
_BRANCHES = frozenset({"If", "StatelessIf", "Case", "StatelessCase"})
_DEEPEST = 40

_Set = frozenset[str]
_NONE: _Set = frozenset()


class _Walk:
    """The variables that each tensor depends on. `assigned` grows as bodies are walked."""

    def __init__(self, bodies: Bodies, handles: Collection[str]) -> None:
        self._bodies = bodies
        self._handles = handles
        self._known: dict[tuple[str, tuple[_Set, ...]], _Set] = {}
        self.assigned: set[str] = set()

    def main(self, nodes: Iterable[str]) -> Mapping[str, _Set]:
        """Walk nodes of the main graph."""
        return self._body(self._bodies.main, set(nodes), {}, depth=0)

    def _body(self, body: Body, nodes: set[str], fed: Mapping[str, _Set], depth: int) -> Mapping[str, _Set]:
        found: dict[str, _Set] = dict(fed)
        takers: dict[str, list[str]] = {}
        for name in nodes:
            for spelt in body.wires[name].inputs if name in body.wires else ():
                takers.setdefault(node_of(spelt), []).append(name)
        waiting = deque(name for name in body.wires if name in nodes)
        queued = set(waiting)
        while waiting:
            name = waiting.popleft()
            queued.discard(name)
            depends = self._node(body, name, found, depth)
            if depends != found.get(name, _NONE):
                found[name] = depends
                further = [taker for taker in takers.get(name, ()) if taker not in queued]
                waiting += further
                queued |= set(further)
        return found

    def _node(self, body: Body, name: str, found: Mapping[str, _Set], depth: int) -> _Set:
        node = body.wires[name]
        given = [found.get(node_of(spelt), _NONE) for spelt in node.inputs if not spelt.startswith("^")]
        if node.op in VARIABLES or _TABLES.fullmatch(node.op) or (body is self._bodies.main and name in self._handles):
            return frozenset({name})
        if _ASSIGNS.fullmatch(node.op) and given:
            self.assigned |= given[0]
        inner = _NONE
        for function in sorted(body.calls.get(name, ())) if node.op not in _BRANCHES else ():
            inner |= self._call(function, given, depth)
        if node.op in _CALLS:
            return inner
        return _NONE if _DRAWS.fullmatch(node.op) and not body.calls.get(name) else frozenset().union(inner, *given)

    def _call(self, name: str, given: list[_Set], depth: int) -> _Set:
        """Return the variables that a function's results depend on."""
        function = self._bodies.functions.get(name)
        if function is None or depth == _DEEPEST:
            return frozenset().union(*given)
        fits = len(given) == len(function.arguments)
        taken = tuple(given) if fits else (frozenset().union(*given),) * len(function.arguments)
        if (name, taken) not in self._known:
            self._known[name, taken] = _NONE  # for a function that calls itself
            found = self._body(
                function, set(function.wires), dict(zip(function.arguments, taken, strict=True)), depth + 1
            )
            self._known[name, taken] = frozenset().union(*(found.get(one, _NONE) for one in function.returned))
        return self._known[name, taken]


def remembered(bodies: Bodies, outputs: Iterable[str], handles: Collection[str] | None = None) -> list[str]:
    """Return the variables, sorted, that are assigned on the way to `outputs` and that `outputs` depend on.

    With `handles`, the main graph is a function's: all of it runs, and these inputs are variables.

    Raises:
        ProtobufError: the graph is malformed.
    """
    ends = [node_of(output) for output in outputs]
    nodes = bodies.main.before(ends) if handles is None else set(bodies.main.wires)
    if not _assigns(bodies.main, nodes) and not any(
        _assigns(bodies.functions[name]) for name in bodies.run_by(nodes) if name in bodies.functions
    ):
        return []
    walk = _Walk(bodies, handles or ())
    found = walk.main(nodes)
    needed = frozenset().union(*(found.get(end, _NONE) for end in ends))
    return sorted(walk.assigned & needed)


def _assigns(body: Body, nodes: set[str] | None = None) -> bool:
    if not any(_ASSIGNS.fullmatch(op) for op in body.ops):
        return False
    return nodes is None or any(_ASSIGNS.fullmatch(body.wires[name].op) for name in nodes if name in body.wires)


def of_signature(source: Path, signature: str, tags: Iterable[str]) -> list[str]:
    """Return the state variables of a signature of a SavedModel folder; nothing if it has no such signature.

    Raises:
        OSError, ProtobufError: `saved_model.pb` cannot be read.
    """
    wanted = set(tags)
    for meta in Message(memoryview((source / "saved_model.pb").read_bytes())).messages(_META_GRAPHS):
        signatures = meta.entries(_SIGNATURES)
        if set(meta.message(_INFO).texts(_TAGS)) == wanted and signature in signatures:
            given = Message(signatures[signature]).entries(_OUTPUTS).values()
            return remembered(Bodies(meta.view(GRAPH)), [Message(info).text(_NAME) for info in given])
    return []


def refuse(source: Path, variables: list[str]) -> None:
    """Refuse a stateful model.

    Raises:
        ActionError: `stateful-source`.
    """
    if not variables:
        return
    more = f" and {len(variables) - 1} more" if variables[1:] else ""
    message = f"`{source.name}` assigns variables between calls (`{variables[0]}`{more}): the IR would forget"
    hint = (
        "export it without state, `stateful=False` in Keras, or so that it takes its state as an input and returns it "
        "as an output"
    )
    raise ActionError("stateful-source", message, setting="source", help=hint)
