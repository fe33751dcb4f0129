"""Resolve layer names in a frozen TensorFlow graph: the meaning of `cut.inputs` and `cut.outputs` of an Ovfile.

    layers = Layers(ops_of_graph(graph_def), inputs={"image": "image:0"}, outputs={"probabilities": "Identity:0"})
    layers.layers()                          every layer that can be cut at, with the name to write
    layers.output("block_1_expand")          the tensor that comes out of it
    layers.inputs("block_1_expand")          the tensors that flow into it, weights left out
    layers.ops_in("block_1_expand", "")      the ops in it
    layers.check_cut(["block_1_expand"], []) the inputs and outputs of the cut model

The meaning of a name is the first of these that fits: a tensor (`x:0`); an op or a scope by its whole path; an input
or output of the model; a layer by its canonical name, as Keras has it; a scope; an op. The last three are named by the
end of their path, as much of it as makes the name unique.

Standard library only. `dataflow.py` follows the graph, `scopes.py` defines a layer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ovmake.diagnostics import did_you_mean
from ovmake.errors import ActionError
from ovmake.sources.dataflow import PLACEHOLDERS, REQUIRED, Dataflow, Op, Walk, op_of, ops_of_graph
from ovmake.sources.scopes import Scope, Tree

__all__ = ["Cut", "Layers", "Op", "SourceLayer", "ops_of_graph"]

INPUTS, OUTPUTS = "cut.inputs", "cut.outputs"
_SHOWN = 8
_WITHOUT_VALUE = frozenset({"Assert", "NoOp", "Print", "PrintV2"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLayer:
    """A layer that can be cut at. `name` is its name in an Ovfile; `types` are its operations, each once.

    `parts` counts the layers in it; 0 for a layer that is not a model itself.
    """

    name: str
    types: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    parts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Input and output tensors of the cut model. `originals`: the inputs that the whole model has too."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    originals: tuple[str, ...]


class Layers:
    """The layers of a graph."""

    def __init__(
        self,
        ops: Iterable[Op],
        inputs: Mapping[str, str] | None = None,
        outputs: Mapping[str, str] | None = None,
    ) -> None:
        """Read a graph. `inputs` and `outputs` are the model's: names to tensors.

        Without them: the Placeholders, and the tensors that nothing consumes.
        """
        ops = tuple(ops)
        self.model_inputs = dict(inputs) if inputs is not None else _placeholders(ops)
        self.model_outputs = dict(outputs) if outputs is not None else _ends(ops)
        self._dataflow = Dataflow(ops, self.model_outputs.values())
        self._tree = Tree(self._dataflow)
        _connect(self._tree, self._dataflow)

    def layers(self) -> list[SourceLayer]:
        """Return every layer in order of execution; a layer that contains layers comes before them."""
        order = self._dataflow.order
        ends = {id(place): max(order[name] for name in place.all_ops()) for place in self._tree.layers}
        # A layer is ordered by its last op; one that contains layers comes before the first of them.
        starts = {
            id(place): min(ends[id(inner)] for inner in self._tree.layers if place in inner.lineage)
            for place in self._tree.layers
            if place.parts
        }
        places = sorted(self._tree.layers, key=lambda p: ({**ends, **starts}[id(p)], len(p.lineage)))
        return [self._layer(place) for place in places if place.outputs]

    def operations(self) -> list[str]:
        """Return the type of every op that data flows through; ops on weights alone are left out."""
        return [self._dataflow.ops[name].type for name in self._dataflow.order if self._dataflow.computes(name)]

    def output(self, name: str) -> str:
        """Return the tensor that `cut.outputs = [name]` means.

        Raises:
            ActionError: the name is unknown or ambiguous, or means a layer with several outputs.
        """
        if self._is_tensor(name):
            return name
        place = self._exact(name)
        if place is None and name in self._dataflow.ops:
            return f"{name}:0"
        if place is None and name in self.model_outputs:
            return self.model_outputs[name]
        place = place or self._only(name, OUTPUTS)
        if len(place.outputs) != 1:
            listed = _listed(place.outputs)
            message = f"`{name}` has {len(place.outputs)} output tensors: {listed}"
            raise ActionError("ambiguous-layer", message, help="name the tensor", setting=OUTPUTS)
        return next(iter(place.outputs))

    def inputs(self, name: str) -> tuple[str, ...]:
        """Return the tensors that `cut.inputs = [name]` means.

        Raises:
            ActionError: the name is unknown or ambiguous, or only constants flow into the layer.
        """
        if self._is_tensor(name):
            return (name,)
        place = self._exact(name)
        if place is None and name in self._dataflow.ops:
            found = tuple(self._dataflow.data_inputs(name))
        elif place is None and name in self.model_inputs:
            found = (self.model_inputs[name],)
        else:
            found = tuple((place or self._only(name, INPUTS)).inputs)
        if not found:
            message = f"`{name}` is computed from constants: no input of the model flows into it"
            raise ActionError("cut-without-effect", message, setting=INPUTS)
        return found

    def ops_in(self, name: str, setting: str) -> frozenset[str]:
        """Return the ops of the layer that `name` means, or that contains the op or tensor `name`.

        Raises:
            ActionError: the name is unknown or ambiguous; the error points at `setting`.
        """
        place = None if self._is_tensor(name) else self._exact(name)
        if place is None or place.is_op:
            tensor = name if self._is_tensor(name) else self.model_outputs.get(name, f"{name}:0")
            op = op_of(tensor)
            place = self._innermost(op) if op in self._dataflow.ops else self._only(name, setting)
        return frozenset(place.all_ops())

    def check_cut(self, inputs: Sequence[str], outputs: Sequence[str]) -> Cut:
        """Return the inputs and outputs of the cut model. An empty list means the model's own.

        Raises:
            ActionError: a name is unknown, an input of the model is still needed around the cut, or a cut has no
                effect.
        """
        by_name = {name: self.inputs(name) for name in inputs}
        starts = tuple(dict.fromkeys(tensor for tensors in by_name.values() for tensor in tensors))
        ends = tuple(dict.fromkeys([self.output(name) for name in outputs] or self.model_outputs.values()))
        for name, tensor in zip(outputs, map(self.output, outputs), strict=True):
            if not self._dataflow.is_data(tensor):
                message = f"`{name}` is computed from constants: no input of the model leads to it"
                raise ActionError("cut-without-effect", message, setting=OUTPUTS)
        walk = self._dataflow.walk_back(ends, frozenset(starts))
        for name, tensors in by_name.items():
            self._check_start(name, tensors, walk, outputs, ends)
        originals = self._originals()
        if not starts:
            starts = tuple(tensor for tensor in originals if tensor in walk.inputs)
        elif walk.inputs:
            raise self._dangling(originals, walk, starts)
        sources = [self._dataflow.source(tensor) for tensor in starts if tensor in walk.met or not inputs]
        return Cut(
            inputs=tuple(tensor for tensor in starts if tensor in walk.met or not inputs),
            outputs=ends,
            originals=tuple(originals[tensor] for tensor in sources if tensor in originals),
        )

    # names

    def _is_tensor(self, name: str) -> bool:
        op, colon, index = name.rpartition(":")
        return bool(colon) and index.isdecimal() and op in self._dataflow.ops

    def _exact(self, name: str) -> Scope | None:
        return self._tree.by_path.get(name)

    def _only(self, name: str, setting: str) -> Scope:
        found = self._tree.find(name)
        if len(found) == 1:
            return found[0]
        if not found:
            known = [self._name_of(place) for place in self._tree.layers]
            near = did_you_mean(name, [*self._tree.by_path, *known])
            hint = f"{near} `ovmake inspect MODEL` lists all names".strip()
            raise ActionError("unknown-layer", f"the model has no layer `{name}`", help=hint, setting=setting)
        message = f"`{name}` may mean {_listed([self._name_of(place) for place in found[:_SHOWN]], len(found))}"
        raise ActionError("ambiguous-layer", message, help="write one of these names", setting=setting)

    def _name_of(self, place: Scope) -> str:
        """Return the shortest unambiguous name of `place`."""
        words = [tuple(word) for word in place.words]
        for length in range(1, len(words) + 1):
            *outer, last = words[-length:]
            for spelt in (
                [word[0] for word in (*outer, last)],
                [*(word[-1] for word in outer), last[0]],
                [*(word[0] for word in outer), last[-1]],
                [word[-1] for word in (*outer, last)],
            ):
                if self._means("/".join(spelt), place):
                    return "/".join(spelt)
        return place.path

    def _means(self, name: str, place: Scope) -> bool:
        exact = self._exact(name)
        if exact is not None or name in self._dataflow.ops:
            return exact is place
        source = self._dataflow.source
        if name in self.model_outputs and source(self.model_outputs[name]) not in place.outputs:
            return False
        if name in self.model_inputs and source(self.model_inputs[name]) not in place.outputs:
            return False
        return self._tree.find(name) == [place]

    def _layer(self, place: Scope) -> SourceLayer:
        names = sorted(place.all_ops(), key=self._dataflow.order.__getitem__)
        return SourceLayer(
            name=self._name_of(place),
            types=tuple(dict.fromkeys(self._dataflow.ops[name].type for name in names)),
            inputs=tuple(place.inputs),
            outputs=tuple(place.outputs),
            parts=place.parts,
        )

    # cuts

    def _originals(self) -> dict[str, str]:
        """Return the model's input tensors with their names; a Placeholder without one has the op's name."""
        tensors = {f"{name}:0": name for name, op in self._dataflow.ops.items() if op.type in REQUIRED}
        named = {self._dataflow.source(tensor): name for name, tensor in self.model_inputs.items()}
        return {**named, **{tensor: name for tensor, name in tensors.items() if tensor not in named}}

    def _check_start(
        self, name: str, tensors: Sequence[str], walk: Walk, outputs: Sequence[str], ends: Sequence[str]
    ) -> None:
        sources = {self._dataflow.source(tensor) for tensor in tensors}
        if sources & {self._dataflow.source(tensor) for tensor in ends}:
            message = f"the cut begins at `{name}`, whose input is already an output of the cut: nothing is left"
            hint = "" if outputs else "name the outputs to keep in cut.outputs"
            raise ActionError("cut-without-effect", message, setting=INPUTS, help=hint)
        if not walk.met & set(tensors):
            why = f"the cut ends at {_listed(outputs)}" if outputs else "other cuts are in between"
            message = f"`{name}` does not lead to any output: {why}"
            raise ActionError("cut-without-effect", message, setting=INPUTS)

    def _dangling(self, originals: Mapping[str, str], walk: Walk, starts: Sequence[str]) -> ActionError:
        """Return the error for an input that is still needed: which one, and where its path meets the cut's."""
        tensor = next(iter(walk.inputs))
        name = originals.get(tensor, op_of(tensor))
        way = [op for op in walk.way(tensor) if self._dataflow.computes(op)]
        below = self._dataflow.reached({op_of(start) for start in starts})
        meeting = next((op for op in way if op in below), "")
        who = f"`{self._layer_of(meeting)}` depends on it" if meeting else "an output depends on it"
        message = f"input `{name}` of the model is still needed: {who}, around the cut"
        hint = f'add "{name}" to cut.inputs to keep it, or move the cut'
        return ActionError("dangling-input", message, help=hint, setting=INPUTS)

    def _layer_of(self, op: str) -> str:
        """Return the name of the innermost layer that contains `op`."""
        place = self._innermost(op)
        return self._name_of(place) if place.is_layer else op

    def _innermost(self, op: str) -> Scope:
        """Return the innermost layer that contains an op, or the op by itself."""
        around = [place for place in [*self._tree.home[op].lineage, self._tree.ops[op]] if place.is_layer]
        return around[-1] if around else self._tree.ops[op]


def _connect(tree: Tree, dataflow: Dataflow) -> None:
    """Fill in the inputs and outputs of every scope."""
    around = {name: [*home.lineage] for name, home in tree.home.items()}
    for tensor, takers in sorted(dataflow.takers.items(), key=lambda entry: dataflow.order.get(op_of(entry[0]), 0)):
        maker = op_of(tensor)
        if maker in around:
            tree.ops[maker].outputs[tensor] = None
            for taker in takers:
                _cross(tensor, around[maker], around.get(taker, []))
    for name, places in around.items():
        for tensor in dataflow.data_inputs(name):
            tree.ops[name].inputs[tensor] = None
        if dataflow.ops[name].type in PLACEHOLDERS:
            for place in [*places, tree.ops[name]]:
                place.inputs[f"{name}:0"] = None
    ends = [name for name in around if dataflow.ops[name].type not in _WITHOUT_VALUE and not tree.ops[name].outputs]
    for place, tensor in [(p, f"{name}:0") for name in ends for p in [*around[name], tree.ops[name]] if not p.outputs]:
        place.outputs[tensor] = None


def _cross(tensor: str, made_in: Sequence[Scope], taken_in: Sequence[Scope]) -> None:
    for place in made_in:
        if place not in taken_in:
            place.outputs[tensor] = None
    for place in taken_in:
        if place not in made_in:
            place.inputs[tensor] = None


def _placeholders(ops: Iterable[Op]) -> dict[str, str]:
    return {op.name: f"{op.name}:0" for op in ops if op.type in REQUIRED}


def _ends(ops: Sequence[Op]) -> dict[str, str]:
    taken = {op_of(tensor) for op in ops for tensor in op.inputs}
    skipped = PLACEHOLDERS | _WITHOUT_VALUE | {"Const"}
    return {op.name: f"{op.name}:0" for op in ops if op.name not in taken and op.type not in skipped}


def _listed(names: Iterable[str], count: int = 0) -> str:
    shown = [f"`{name}`" for name in names]
    return ", ".join(shown[:_SHOWN]) + (f" and {count - _SHOWN} more" if count > _SHOWN else "")
