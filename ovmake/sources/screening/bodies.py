"""Find the nodes with side effects in the main graph and the functions of a GraphDef.

    graph = Bodies(view, allowed)               a GraphDef's bytes
    graph.main.refused                          [Refused(node="x", op="WriteFile", why="writes files")]
    graph.functions["f"].calls                  node -> the functions that it may run
    graph.leading_to(functions)                 these functions, and all functions that may run one of them

Rule 1: every node of every body is checked, also one that nothing depends on.
Rule 2: never guess. A node with two ops, or two nodes with one name, is a ProtobufError: TensorFlow might read one of
        them and ovmake the other.
Rule 3: fast, since graphs have up to 100,000 nodes: of a harmless node only name and op are read.

Schemas: tensorflow/core/framework/{graph,node_def,function,attr_value}.proto. Standard library only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from ovmake.sources.protobuf import Message, ProtobufError, Value, fields, text
from ovmake.sources.screening.allowed_ops import ALLOWED, CALLERS, CONDITIONS, is_known, refusal_reason

# Fields of messages.
_NODE_NAME, _NODE_OP, _NODE_INPUTS, _NODE_ATTRIBUTES = 1, 2, 3, 5
_GRAPH_NODES, _GRAPH_LIBRARY = 1, 2
_LIBRARY_FUNCTIONS = 1
_FUNCTION_SIGNATURE, _FUNCTION_NODES, _FUNCTION_RETURNED, _FUNCTION_ATTRIBUTES = 1, 3, 4, 5
_SIGNATURE_NAME, _SIGNATURE_ARGUMENTS = 1, 2
_ATTRIBUTE_LIST, _ATTRIBUTE_FUNCTION, _LIST_FUNCTIONS = 1, 10, 9
_DEEPEST = 40  # functions among the attributes of functions among the attributes ...


_Head = tuple[bytes, bytes, list[Value]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A node that may not run. `why` is a phrase with its op as the subject."""

    node: str
    op: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wired:
    """A node and its inputs as the file spells them."""

    op: str
    inputs: tuple[str, ...]


class Body:
    """The main graph, or a function's nodes."""

    def __init__(self, nodes: Iterable[memoryview], allowed: frozenset[str], functions: frozenset[str]) -> None:
        """Check every node.

        Raises:
            ProtobufError: malformed, or ambiguous.
        """
        self._nodes: list[_Head] = []
        self.refused: list[Refused] = []
        self.calls: dict[str, frozenset[str]] = {}
        names = set()
        verdicts: dict[bytes, bool] = {}  # op -> whether its nodes are harmless without further checks
        for view in nodes:
            head = name, op, _ = _head(view)
            self._nodes.append(head)
            names.add(name)
            harmless = verdicts.get(op)
            if harmless is None:
                word = text(memoryview(op))
                harmless = word in ALLOWED and word not in CONDITIONS and word not in CALLERS | functions
                verdicts[op] = harmless
            if not harmless:
                self._look(view, text(memoryview(name)), text(memoryview(op)), allowed, functions)
        if len(names) != len(self._nodes):
            raise ProtobufError("a node's name is given twice")

    def _look(self, view: memoryview, name: str, op: str, allowed: frozenset[str], functions: frozenset[str]) -> None:
        attributes = Message(view).entries(_NODE_ATTRIBUTES)
        called = {op} & functions | set(_functions(attributes.values(), 0))
        if called:
            self.calls[name] = frozenset(called)
        # A function may have the name of an operation. Either may run, so both must be harmless.
        own = op in functions and not is_known(op)
        why = "" if own or op in allowed else refusal_reason(op, attributes)
        if why:
            self.refused.append(Refused(node=name, op=op, why=why))

    @property
    def ops(self) -> set[str]:
        """The operations in it."""
        return {text(memoryview(op)) for op in {op for _, op, _ in self._nodes}}

    @cached_property
    def wires(self) -> Mapping[str, Wired]:
        """All nodes by name."""
        return {
            text(memoryview(name)): Wired(op=text(memoryview(op)), inputs=tuple([text(one) for one in inputs]))
            for name, op, inputs in self._nodes
        }

    def before(self, roots: Iterable[str]) -> set[str]:
        """Return the nodes that run when `roots` (nodes or tensors) are fetched."""
        stack = [node_of(root) for root in roots]
        found: set[str] = set()
        while stack:
            name = stack.pop()
            if name not in found and name in self.wires:
                found.add(name)
                stack += [node_of(spelt) for spelt in self.wires[name].inputs]
        return found

    def after(self, roots: Iterable[str], through: frozenset[str] | None = None) -> set[str]:
        """Return `roots` (nodes) and all nodes that depend on them; if given, only `through` nodes of these ops."""
        takers: dict[str, list[str]] = {}
        for name, node in self.wires.items():
            for spelt in node.inputs if through is None or node.op in through else ():
                takers.setdefault(node_of(spelt), []).append(name)
        return _closure(roots, takers)


class Function(Body):
    """A function of the library: a body and its arguments."""

    def __init__(self, view: memoryview, allowed: frozenset[str], functions: frozenset[str]) -> None:
        message = Message(view)
        super().__init__(message.views(_FUNCTION_NODES), allowed, functions)
        signature = message.message(_FUNCTION_SIGNATURE)
        # The nodes and arguments that its results come from.
        self.returned = [node_of(text(spelt)) for spelt in message.entries(_FUNCTION_RETURNED).values()]
        self.arguments = [argument.text(1) for argument in signature.messages(_SIGNATURE_ARGUMENTS)]
        # TensorFlow may replace a function by another one that claims to implement the same.
        self.stands_in = "api_implements" in message.entries(_FUNCTION_ATTRIBUTES)


class Bodies:
    """A GraphDef."""

    def __init__(self, view: memoryview, allowed: frozenset[str] = frozenset()) -> None:
        """Check every node of every body; ops in `allowed` are not refused.

        Raises:
            ProtobufError: malformed, or ambiguous.
        """
        graph = Message(view)
        library = graph.message(_GRAPH_LIBRARY)
        views = {
            Message(function).message(_FUNCTION_SIGNATURE).text(_SIGNATURE_NAME): function
            for function in library.views(_LIBRARY_FUNCTIONS)
        }
        if len(views) != len(library.views(_LIBRARY_FUNCTIONS)):
            raise ProtobufError("a function's name is given twice")
        names = frozenset(views)
        self.main = Body(graph.views(_GRAPH_NODES), allowed, names)
        self.functions = {name: Function(function, allowed, names) for name, function in views.items()}
        # The rest of the library: names of functions and of their gradients.
        self.gradients = [bytes(part) for number in (2, 3) for part in library.views(number)]

    def leading_to(self, functions: Iterable[str]) -> set[str]:
        """Return these functions, and all functions that may run one of them."""
        callers: dict[str, list[str]] = {}
        for name, body in self.functions.items():
            for called in body.calls.values():
                for one in called:
                    callers.setdefault(one, []).append(name)
        return _closure(functions, callers)

    def run_by(self, nodes: Iterable[str]) -> set[str]:
        """Return the functions that these nodes of the main graph may run."""
        called = {name: set().union(*body.calls.values()) for name, body in self.functions.items()}
        return _closure((one for node in nodes for one in self.main.calls.get(node, ())), called)


def node_of(spelt: str) -> str:
    """Return the node of an input: `a` for `a:1`, `a:value:0` and `^a`."""
    return spelt.removeprefix("^").partition(":")[0]


def _closure(roots: Iterable[str], further: Mapping[str, Iterable[str]]) -> set[str]:
    stack, found = list(roots), set()
    while stack:
        name = stack.pop()
        if name not in found:
            found.add(name)
            stack += further.get(name, ())
    return found


def _head(view: memoryview) -> _Head:
    """Return name, op and inputs of a NodeDef."""
    name = op = None
    inputs = []
    for number, value in fields(view):
        if number == _NODE_NAME:
            if name is not None:
                raise ProtobufError("a node with two names")
            name = value
        elif number == _NODE_OP:
            if op is not None:
                raise ProtobufError("a node with two operations")
            op = value
        elif number == _NODE_INPUTS:
            inputs.append(value)
    if not isinstance(name, memoryview) or not isinstance(op, memoryview):
        raise ProtobufError("a node without a name or an operation")
    return bytes(name), bytes(op), inputs


def _functions(attributes: Iterable[memoryview], depth: int) -> Iterator[str]:
    """Yield the names of functions in AttrValues."""
    if depth == _DEEPEST:
        raise ProtobufError(f"functions in attributes, {_DEEPEST} deep")
    for attribute in attributes:
        value = Message(attribute)
        named = value.messages(_ATTRIBUTE_FUNCTION) if _ATTRIBUTE_FUNCTION in value else []
        for listed in value.messages(_ATTRIBUTE_LIST) if _ATTRIBUTE_LIST in value else []:
            named += listed.messages(_LIST_FUNCTIONS)
        for function in named:
            yield function.text(1)
            yield from _functions(function.entries(2).values(), depth + 1)
