"""Find what TensorFlow must not run in a MetaGraphDef: a SavedModel has one per set of tags, a .meta file has one.

    refused_nodes(meta, allowed, assets) -> [RefusedNode(...)]

TensorFlow runs the signatures, the init op, the restore op, and functions of the library; in TF2 the objects beside the
graph call the functions. So:

Rule 1: every function must be harmless, also one that nothing calls. The only exception is a saver's, see rule 3.
Rule 2: the main graph may contain refused ops that no running op depends on, if TensorFlow never runs them on import
        (`ONLY_WHEN_RUN`): the input pipeline of training, for example.
Rule 3: a saver writes, but no running op depends on that part. It also reads: a RestoreV2 may run only as part of the
        restore op, on the file name that the loader passes, which is the SavedModel's own. Anywhere else the model
        would choose the file name. In TF2 these are two functions, called from the main graph.
Rule 4: an init op or a function may fill a table from a file, if that file is an asset: see `assets.py`.

`runs.py` says which nodes run. Standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from ovmake.sources.protobuf import Message
from ovmake.sources.screening.allowed_ops import ONLY_WHEN_RUN
from ovmake.sources.screening.assets import Assets
from ovmake.sources.screening.bodies import Bodies, Function, Refused, node_of
from ovmake.sources.screening.runs import GRAPH, OBJECTS, SAVER, VARIABLES, Run, run_of

SAVES = frozenset({"Save", "SaveSlices", "SaveV2", "MergeV2Checkpoints"})
RESTORES = frozenset({"Restore", "RestoreSlice", "RestoreV2"})
TABLES = frozenset({"InitializeTableFromTextFile", "InitializeTableFromTextFileV2"})

# Ops by which the main graph calls a saver's function. Importing a graph may run other ops.
_CALL = "StatefulPartitionedCall"
_ITERATOR = "OneShotIterator"
_MOST_SAVERS = 100  # functions: a model has two, and all objects are searched for each
# Ops that hand on a variable's value, and ops that train, save or show it.
_HANDS_ON = frozenset({"Identity", "ReadVariableOp", "Enter", "Cast"})
_OF_TRAINING_OPS = re.compile(
    r"(Resource|Sparse|ResourceSparse)?Apply.*|Assign.*|(Resource)?Scatter.*|Is\w*Initialized|VarIsInitializedOp|NoOp"
    r"|.*Summary(V2)?|Assert|Print(V2)?|Identity|ReadVariableOp"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedNode:
    """A node that may not run. `place`: "init op", "function `f`", "" if nothing that runs depends on it."""

    place: str
    node: str
    op: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Superfluous:
    """The parts of a checkpoint's graph that only training needs.

    `iterators` are nodes of the main graph whose data set is made by a function that may not run. Their output is an
    input of the model, so they stay, without the function. `needed` are nodes that may not run and cannot be removed:
    the model's results depend on them.
    """

    nodes: frozenset[str]
    functions: frozenset[str]
    iterators: frozenset[str]
    needed: tuple[RefusedNode, ...]


class MetaGraph:
    """A checked MetaGraphDef.

    `of_training`: it is a checkpoint's, whose init op does not run. `lenient`: nodes that no running op depends on are
    not checked, because they are removed before TensorFlow loads the graph.
    """

    def __init__(
        self,
        meta: Message,
        allowed: frozenset[str] = frozenset(),
        assets: Assets | None = None,
        *,
        of_training: bool = False,
        lenient: bool = False,
    ) -> None:
        self.bodies = Bodies(meta.view(GRAPH), allowed)
        self._saver = meta.message(SAVER)
        self._assets = assets or Assets.none()
        self._exposed: dict[str, bool] = {}
        self._beside = [bytes(meta.view(OBJECTS)), *self.bodies.gradients]
        self._meta = meta
        self._of_training = of_training
        self._lenient = lenient
        # Functions that only a saver may run.
        self._saving = self.bodies.leading_to(self._holding(SAVES))
        self._restoring = self.bodies.leading_to(self._holding(RESTORES))

    def refused_nodes(self) -> list[RefusedNode]:
        """Return the nodes that may not run.

        Raises:
            ProtobufError: the message is malformed, or ambiguous.
        """
        main = self.bodies.main
        savers = self._saving | self._restoring
        filling = self.bodies.leading_to(self._holding(TABLES))
        if not main.refused and not savers and not any(body.refused for body in self.bodies.functions.values()):
            return []
        run = run_of(self._meta, main, of_training=self._of_training)
        reached = None
        if self._lenient:
            nodes = run.restore | run.beside_restore()
            reached = self.bodies.run_by(nodes)
        found = self._in_functions(reached)
        for node in main.refused:
            if not self._may_stand(node, run):
                found.append(RefusedNode(place=run.place(node.node), node=node.node, op=node.op, why=node.why))
        for name, called in main.calls.items():
            if called & savers and not self._may_call(name, called, run):
                found += self._told(run.place(name), called & savers)
            if called & filling and name in run.restore | run.unfed():
                found += self._told(run.place(name), called & filling)
        return _once(found)

    def superfluous(self) -> Superfluous:
        """Return the parts to remove from a checkpoint's graph: all that may not run, except the restore op.

        Raises:
            ProtobufError: the message is malformed, or ambiguous.
        """
        main = self.bodies.main
        run = run_of(self._meta, main, of_training=self._of_training)
        harmful = self.bodies.leading_to(name for name, body in self.bodies.functions.items() if body.refused)
        kept = {name for name, called in main.calls.items() if called & harmful and self._restores(name, called, run)}
        nodes = [one.node for one in main.refused if one.node not in run.restore or not self._may_stand(one, run)]
        iterators = set()
        for name, called in main.calls.items():
            if called & harmful and name not in kept:
                if main.wires[name].op == _ITERATOR:
                    iterators.add(name)
                else:
                    nodes.append(name)
        out = main.after(nodes)
        return Superfluous(
            nodes=frozenset(out),
            needed=self._needed(nodes, out),
            functions=frozenset(harmful - self.bodies.run_by(kept)),
            iterators=frozenset(iterators),
        )

    def _needed(self, refused: Collection[str], out: Collection[str]) -> tuple[RefusedNode, ...]:
        """Return the refused nodes that a use of a variable depends on, except uses that train, save or show it."""
        main = self.bodies.main
        values = main.after((name for name, node in main.wires.items() if node.op in VARIABLES), _HANDS_ON)
        using = [
            name
            for name in out
            if name not in refused
            and not _OF_TRAINING_OPS.fullmatch(main.wires[name].op)
            and any(node_of(one) in values for one in main.wires[name].inputs if not one.startswith("^"))
        ]
        before = main.before(using)
        return tuple(
            RefusedNode(place="inference", node=one.node, op=one.op, why=one.why)
            for one in main.refused
            if one.node in before and one.node in refused
        )

    def _restores(self, name: str, called: frozenset[str], run: Run) -> bool:
        return name in run.restore and bool(called & self._restoring) and self._may_call(name, called, run)

    # functions

    def _holding(self, ops: frozenset[str]) -> list[str]:
        functions = self.bodies.functions.items()
        return [name for name, body in functions if any(node.op in ops for node in body.refused)]

    def _in_functions(self, reached: set[str] | None) -> list[RefusedNode]:
        found = []
        for name, body in self.bodies.functions.items():
            if reached is not None and name not in reached:
                continue
            found += [
                RefusedNode(place=f"function `{name}`", node=node.node, op=node.op, why=node.why)
                for node in body.refused
                if not self._may_stand_in(name, node)
            ]
            for caller, called in body.calls.items():
                if called & (self._saving | self._restoring) and body.wires[caller].op != _CALL:
                    found += self._told(f"function `{name}`", called & (self._saving | self._restoring))
        return found

    def _may_stand_in(self, name: str, node: Refused) -> bool:
        if node.op in TABLES:
            return self._assets.fills(self.bodies, name, node.node)
        if node.op in SAVES:
            return not self._is_exposed(name, self._saving)
        return node.op in RESTORES and not self._is_exposed(name, self._restoring)

    def _is_exposed(self, name: str, savers: set[str]) -> bool:
        """Whether anything but the main graph's saver may call a saver's function.

        Objects and gradients name functions in many ways, so any mention counts.
        """
        if len(savers) > _MOST_SAVERS:
            return True
        if name not in self._exposed:
            around = self.bodies.leading_to([name]) & savers
            self._exposed[name] = any(
                self.bodies.functions[one].stands_in or any(one.encode() in part for part in self._beside)
                for one in around
            )
        return self._exposed[name]

    def _told(self, place: str, functions: Iterable[str]) -> list[RefusedNode]:
        """Return the refused nodes in a saver's functions, reported at the node that calls them."""
        found = []
        for name in self._called_from(functions):
            for node in self.bodies.functions[name].refused:
                within = f"{place}, function `{name}`" if place else f"function `{name}`"
                found.append(RefusedNode(place=within, node=node.node, op=node.op, why=node.why))
        return found

    def _called_from(self, functions: Iterable[str]) -> list[str]:
        stack, found = list(functions), dict[str, None]()
        while stack:
            name = stack.pop()
            if name not in found:
                found[name] = None
                stack += [one for called in self.bodies.functions[name].calls.values() for one in called]
        return [name for name in found if name in self.bodies.functions]

    # the main graph

    def _may_stand(self, node: Refused, run: Run) -> bool:
        name = node.node
        if self._lenient and name not in run.restore and name not in run.beside_restore():
            return True
        if node.op in TABLES:
            return name not in run.restore | run.unfed() and self._assets.fills(self.bodies, "", name)
        if node.op not in ONLY_WHEN_RUN or name in run.beside_restore():
            return False
        if name not in run.restore:
            return True
        inputs = self.bodies.main.wires[name].inputs
        return node.op in RESTORES and bool(inputs) and self._is_file_name(inputs[0])

    def _may_call(self, name: str, called: frozenset[str], run: Run) -> bool:
        """Whether a node of the main graph may call a saver's function."""
        node = self.bodies.main.wires[name]
        if self._lenient and name not in run.restore and name not in run.beside_restore():
            return True
        if node.op != _CALL or name in run.beside_restore():
            return False
        if name not in run.restore:
            return True
        if called & self._saving or len(called) != 1:
            return False
        (function,) = called
        data = [spelt for spelt in node.inputs if not spelt.startswith("^")]
        places = self._file_names(function)
        return places is not None and all(place < len(data) and self._is_file_name(data[place]) for place in places)

    def _is_file_name(self, spelt: str) -> bool:
        """Whether a loader feeds this tensor with the SavedModel's own file name."""
        name = self._saver.text(1)
        return bool(name) and _tensor(spelt) == _tensor(name)

    def _file_names(self, function: str, depth: int = 0) -> set[int] | None:
        """Return the arguments that name the files a function restores from; None if it also restores from others."""
        body = self.bodies.functions[function]
        found: set[int] = set()
        spelt = [body.wires[node.node].inputs for node in body.refused if node.op in RESTORES]
        for name, called in body.calls.items():
            if not called & self._restoring:
                continue
            inner = self._file_names(next(iter(called)), depth + 1) if len(called) == 1 and depth < len(SAVES) else None
            data = [one for one in body.wires[name].inputs if not one.startswith("^")]
            if inner is None or body.wires[name].op != _CALL or any(place >= len(data) for place in inner):
                return None
            spelt += [(data[place],) for place in inner]
        for inputs in spelt:
            argument = argument_of(body, inputs[0]) if inputs else None
            if argument is None:
                return None
            found.add(argument)
        return found


def refused_nodes(
    meta: Message, allowed: frozenset[str] = frozenset(), assets: Assets | None = None
) -> list[RefusedNode]:
    """Return the nodes of a SavedModel's MetaGraphDef that may not run.

    Raises:
        ProtobufError: the message is malformed, or ambiguous.
    """
    return MetaGraph(meta, allowed, assets).refused_nodes()


def _once(found: Iterable[RefusedNode]) -> list[RefusedNode]:
    """Return the refused nodes without duplicates: one per node, with its first place."""
    nodes: dict[tuple[str, str], RefusedNode] = {}
    for one in found:
        nodes.setdefault((one.place.rpartition("function `")[2], one.node), one)
    return list(nodes.values())


def argument_of(body: Function, spelt: str) -> int | None:
    """Return the index of the function argument that an input is, through Identity; None if it is not an argument."""
    seen = set()
    while spelt not in body.arguments:
        name = node_of(spelt)
        node = body.wires.get(name)
        if node is None or node.op != "Identity" or name in seen or not node.inputs:
            return None
        seen.add(name)
        spelt = node.inputs[0]
    return body.arguments.index(spelt)


def _tensor(spelt: str) -> str:
    return spelt if ":" in spelt else f"{spelt}:0"
