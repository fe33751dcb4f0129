"""Follow a TensorFlow GraphDef and its function library, without TensorFlow.

    graph = Graph(view)                   # a GraphDef's bytes
    class Meaning(Interpreter[V]): ...    # the meaning of one node, given the meanings of its inputs
    Meaning(graph).run(graph.main, roots, fed)

A *body* is the main graph or a library function: named nodes, and edges (producer, label). The
label is the index of the output as the file spells it: `1` in the main graph (`node:1`), `value:0` in
a function (`node:value:0`), nothing for a function's argument.

Rule 1: calls are inlined, as TensorFlow does. A signature that tf.saved_model re-saved has three
        wrapper functions where the first export had one; both mean what the innermost computes.
Rule 2: no recursion over nodes. Nested calls do recurse, MAX_DEPTH deep at most.
Rule 3: a body is decoded and ordered once; a call with the same inputs is evaluated once. Where
        inlining still explodes (calls doubling at every level), it ends at MAX_NODES.
Rule 4: anything unknown raises UnfollowableError.

Schemas: tensorflow/core/framework/{graph,node_def,function,attr_value,op_def}.proto.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from ovmake.sources.protobuf import Message, first_text, text

MAX_DEPTH = 40  # eleven Python frames each, at worst, of the 1,000 there are
MAX_NODES = 200_000  # MobileNetV2 has 1,090, EfficientNetB0 2,207; this many take three seconds

Edge = tuple[str, str]
V = TypeVar("V", bound=Hashable)

# Attributes that do not change the computation. All other attributes count, also those that begin
# with `_`: `_XlaMustCompile` picks a different compiler, whose rounding differs.
IGNORED_ATTRIBUTES = frozenset({
    "_class",  # placed with: loc:@x
    "_collective_manager_ids",
    "_construction_context",
    "_gradient_op_type",  # for training only, and carries a counter: CustomGradient-123
    "_has_manual_control_dependencies",
    "_input_shapes",  # results of shape inference, here and below
    "_num_original_outputs",
    "_output_shapes",
    "_read_only_resource_inputs",
    "_user_specified_name",
    "_lower_using_switch_merge",  # While and If, lowered or not, compute the same
    "_stateful_parallelism",
    "config_proto",  # the exporting session's devices and thread pools
    "executor_type",
    "backward_function_name",
    "forward_function_name",
})  # fmt: skip
_NUMBER_ATTR, _TYPE_LIST_ATTR, _FUNCTION_ATTRIBUTES = 5, 6, 2
_FALSE = b"\x28\x00"  # AttrValue.b: tf.function(jit_compile=False), the same as the default
_CALLS = frozenset({"PartitionedCall", "StatefulPartitionedCall"})
_CALL_ATTRIBUTES = IGNORED_ATTRIBUTES | {"f", "Tin", "Tout", "config"}


class UnfollowableError(ValueError):
    """The graph contains something that this module cannot interpret."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Node:
    """A NodeDef without its device, which does not change the computation."""

    name: str
    op: str
    inputs: tuple[Edge, ...]
    controls: tuple[str, ...]
    attributes: Mapping[str, memoryview]  # AttrValue by name, less IGNORED_ATTRIBUTES


class Body:
    """The main graph or a function. Of a function, the fields after `arguments` are filled too."""

    def __init__(self, nodes: Iterable[memoryview], function: Message | None = None) -> None:
        self._raw: dict[str, memoryview] = {}
        for view in nodes:
            name = first_text(view, 1)
            if not name or name in self._raw:
                raise UnfollowableError(f"node name `{name}` given twice")
            self._raw[name] = view
        self._nodes: dict[str, Node] = {}
        self._order: list[str] | None = None
        self._main = function is None
        self.arguments: tuple[str, ...] = ()
        self.outputs: tuple[Edge, ...] = ()
        self.controls: tuple[str, ...] = ()  # nodes that run although no output needs them
        self.attributes: Mapping[str, memoryview] = {}
        self.stateful = False
        if function is not None:
            self._read_function(function)

    def __iter__(self) -> Iterator[Node]:
        return (self.node(name) for name in self._raw)

    def _read_function(self, function: Message) -> None:
        signature = function.message(1)
        for argument in signature.messages(2) + signature.messages(3):
            if _NUMBER_ATTR in argument or _TYPE_LIST_ATTR in argument:
                raise UnfollowableError(f"function `{signature.text(1)}` takes or returns a list")
        returned = function.entries(4)
        self.arguments = tuple(argument.text(1) for argument in signature.messages(2))
        names = [output.text(1) for output in signature.messages(3)]
        if set(names) != set(returned) or set(self.arguments) & set(self._raw):
            raise UnfollowableError(f"function `{signature.text(1)}` is malformed")
        self.outputs = tuple(split(text(returned[name])) for name in names)
        self.controls = tuple(text(name) for name in function.entries(6).values())
        self.attributes = counted(function.entries(5))
        self.stateful = bool(signature.integer(17))

    def node(self, name: str) -> Node:
        """Return the node called `name`.

        Raises:
            UnfollowableError: there is no such node.
        """
        if name not in self._nodes:
            if name not in self._raw:
                raise UnfollowableError(f"node `{name}` is missing")
            self._nodes[name] = _node(Message(self._raw[name], range(1, 8)), main=self._main)
        return self._nodes[name]

    def order(self, roots: Iterable[str], fed: Mapping[Edge, object]) -> list[str]:
        """Return the nodes that `roots` need, producers first, by data and control edges.

        Edges in `fed` are not followed. The order depends on nothing but the roots' order and
        each node's own inputs.

        Raises:
            UnfollowableError: a cycle (a TF1 while loop), or a missing node.
        """
        done: dict[str, bool] = {}
        found: list[str] = []
        for root in roots:
            stack = [] if root in done else [(root, self._producers(root, fed))]
            while stack:
                name, producers = stack[-1]
                done.setdefault(name, False)
                for producer in producers:
                    if producer not in done:
                        stack.append((producer, self._producers(producer, fed)))
                        break
                    if not done[producer]:
                        raise UnfollowableError(f"node `{producer}` is in a cycle")
                else:
                    stack.pop()
                    done[name] = True
                    found.append(name)
        return found

    def whole_order(self, fed: Mapping[Edge, object]) -> list[str]:
        """Return all nodes of a function: those that its outputs need, then the rest.

        The rest counts too: TensorFlow always runs a function's stateful nodes.
        """
        if self._order is None:
            arguments = set(self.arguments)
            wanted = [name for name, _ in self.outputs if name not in arguments]
            self._order = self.order([*wanted, *self._raw], fed)
        return self._order

    def _producers(self, name: str, fed: Mapping[Edge, object]) -> Iterator[str]:
        node = self.node(name)
        yield from (edge[0] for edge in node.inputs if edge not in fed)
        yield from node.controls


class Graph:
    """A GraphDef: the main graph and the library. Functions are read when first called."""

    def __init__(self, view: memoryview) -> None:
        message = Message(view, range(1, 6))
        library = message.message(2, range(1, 4))
        self.main = Body(message.views(1))
        # Kernels may behave differently for graphs that an older TensorFlow wrote, and a graph may refuse readers.
        self.versions = bytes(message.view(4))
        self._functions: dict[str, Message] = {}
        self._bodies: dict[str, Body] = {}
        for function in library.messages(1):
            self._functions[function.message(1).text(1)] = function
        if len(self._functions) != len(library.views(1)):
            raise UnfollowableError("function name given twice")

    def __contains__(self, function: str) -> bool:
        return function in self._functions

    def function(self, name: str) -> Body:
        """Return the body of library function `name`.

        Raises:
            UnfollowableError: it is missing, or TensorFlow may run a different function in its place.
        """
        if name not in self._bodies:
            if name not in self._functions:
                raise UnfollowableError(f"function `{name}` is missing")
            body = Body(self._functions[name].views(3), self._functions[name])
            if "api_implements" in body.attributes:  # Keras 2 LSTM: grappler swaps implementations
                raise UnfollowableError(f"function `{name}` has alternative implementations")
            self._bodies[name] = body
        return self._bodies[name]

    def called(self, node: Node) -> str | None:
        """Return the function that `node` calls, or None when it is not a plain call."""
        name, plain = node.op, not node.attributes
        if node.op in _CALLS:
            function = Message(Message(node.attributes.get("f", memoryview(b""))).view(10))
            name = function.text(1)
            plain = node.attributes.keys() <= _CALL_ATTRIBUTES and _FUNCTION_ATTRIBUTES not in function
        if name not in self or not plain or self.function(name).attributes:
            return None
        return name


@dataclass(frozen=True, slots=True)
class Returned(Generic[V]):
    """The outputs of a call, or of a node that only hands on its inputs."""

    outputs: tuple[V, ...]
    effects: frozenset[V] = frozenset()


class Interpreter(ABC, Generic[V]):
    """Give every node a meaning, producers first. Subclasses define the meaning of one node."""

    inlines = True

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.effects: set[V] = set()  # of the body being evaluated; subclasses add to it
        self._returned: dict[tuple[str, tuple[V, ...]], Returned[V]] = {}
        self._depth = 0
        self._visited = 0

    @abstractmethod
    def meaning(self, body: Body, node: Node, inputs: tuple[V, ...], controls: tuple[V, ...]) -> V | Returned[V]:
        """Return the meaning of `node`. `controls` is filled only where calls are not inlined."""

    @abstractmethod
    def port(self, meaning: V, label: str) -> V:
        """Return the value of output `label` of a node."""

    def run(self, body: Body, order: Iterable[str], fed: Mapping[Edge, V]) -> Values[V]:
        """Evaluate the nodes of `order` (see `Body.order`) and return their values."""
        values = Values(self, fed)
        for name in order:
            self._visited += 1
            if self._visited > MAX_NODES:
                raise UnfollowableError(f"more than {MAX_NODES} nodes once functions are inlined")
            node = body.node(name)
            inputs = tuple([values.read(edge) for edge in node.inputs])
            function = self.graph.called(node) if self.inlines else None
            if function is not None:
                values.nodes[name] = self.call(function, inputs)
                continue
            controls = () if self.inlines else tuple([values.node(c) for c in node.controls])
            values.nodes[name] = self.meaning(body, node, inputs, controls)
        return values

    def call(self, name: str, inputs: tuple[V, ...]) -> Returned[V]:
        """Evaluate library function `name`; its effects become the caller's."""
        key = (name, inputs)
        if key not in self._returned:
            outer, self.effects = self.effects, set()
            outputs = self.enter(name, inputs)[0]
            self._returned[key] = Returned(outputs, frozenset(self.effects))
            self.effects = outer
        self.effects |= self._returned[key].effects
        return self._returned[key]

    def enter(self, name: str, inputs: tuple[V, ...]) -> tuple[tuple[V, ...], Values[V]]:
        """Evaluate library function `name` and return its outputs and its nodes' values."""
        body = self.graph.function(name)
        if len(inputs) != len(body.arguments):
            raise UnfollowableError(f"function `{name}` is called with {len(inputs)} inputs")
        if self._depth == MAX_DEPTH:
            raise UnfollowableError(f"function `{name}` is called {MAX_DEPTH} calls deep")
        self._depth += 1
        fed = {(argument, ""): value for argument, value in zip(body.arguments, inputs, strict=True)}
        values = self.run(body, body.whole_order(fed), fed)
        self._depth -= 1
        return tuple([values.read(edge) for edge in body.outputs]), values


class Values(Generic[V]):
    """The values in one body."""

    def __init__(self, interpreter: Interpreter[V], fed: Mapping[Edge, V]) -> None:
        self._interpreter = interpreter
        self._fed = fed
        self.nodes: dict[str, V | Returned[V]] = {}

    def read(self, edge: Edge) -> V:
        """Return the value on `edge`."""
        if edge in self._fed:
            return self._fed[edge]
        value = self.nodes[edge[0]]
        if not isinstance(value, Returned):
            return self._interpreter.port(value, edge[1])
        # `1` in the main graph, `output:1` in a function.
        place = edge[1].removeprefix("output:")
        if not place.isdecimal() or int(place) >= len(value.outputs):
            raise UnfollowableError(f"call `{edge[0]}` has no output `{edge[1]}`")
        return value.outputs[int(place)]

    def node(self, name: str) -> V:
        """Return the meaning of the node itself, for control edges."""
        value = self.nodes[name]
        if isinstance(value, Returned):
            raise UnfollowableError(f"call `{name}` was inlined and is no longer a node")
        return value


def split(spelt: str, *, main: bool = False) -> Edge:
    """Split an input as the file spells it.

    `split("a:1", main=True) == ("a", "1")`; `split("a:value:0") == ("a", "value:0")`;
    `split("argument") == ("argument", "")`, but in the main graph `a` is short for `a:0`.
    """
    name, _, label = spelt.partition(":")
    return name, label or ("0" if main else "")


def counted(attributes: Mapping[str, memoryview]) -> dict[str, memoryview]:
    """Return the attributes that change the computation."""
    return {
        name: view
        for name, view in attributes.items()
        if name not in IGNORED_ATTRIBUTES and not (name == "_XlaMustCompile" and bytes(view) == _FALSE)
    }


def _node(message: Message, *, main: bool) -> Node:
    inputs = message.texts(3)
    return Node(
        name=message.text(1),
        op=message.text(2),
        inputs=tuple(split(name, main=main) for name in inputs if not name.startswith("^")),
        controls=tuple(name[1:] for name in inputs if name.startswith("^")),
        attributes=counted(message.entries(5)),
    )
