"""Check that lookup tables are filled only from the model's own assets.

    assets = Assets.of(meta, folder, by_objects=False)
    assets.wrong                            [("../../secret", "…")]: names that are not assets of this model
    assets.fills(bodies, function, node)    whether a node's table is filled from an asset ("" is the main graph)

A loader joins an asset's name to `FOLDER/assets/NAME` without checking the name. TF1 feeds that path to a tensor of the
main graph when it runs the init op. TF2 runs nothing of the main graph; it passes the path to the functions that an
object of the model binds it to. Everywhere else the tensor has the value in the file: a path of the model's choice.

Schema: tensorflow/core/protobuf/{meta_graph,saved_object_graph}.proto. Standard library only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ovmake.sources.checkpoint import integers
from ovmake.sources.protobuf import Message, ProtobufError
from ovmake.sources.screening.bodies import Bodies, node_of

_COLLECTIONS, _ASSETS, _OBJECTS = 4, 6, 7  # of a MetaGraphDef
_ANY_LIST = 5  # of a CollectionDef
_NODES, _CONCRETE_FUNCTIONS = 1, 2  # of a SavedObjectGraph
_ASSET = 5  # of a SavedObject, a oneof of user object, asset, function, variable, ...
_KINDS = (4, 5, 6, 7, 8, 9, 10, 12)
_BOUND = 2  # of a SavedConcreteFunction
_CALLS = frozenset({"PartitionedCall", "StatefulPartitionedCall"})
_MOST_STEPS = 100  # functions that may hand on a file name to each other
_Known = dict[tuple[str, str], bool]
_FILE_NAME = 1  # input of InitializeTableFromTextFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Assets:
    """`tensors`: nodes that are fed an asset's path; `bound`: whether each object that a function binds is an asset."""

    tensors: frozenset[str]
    bound: Mapping[str, tuple[bool, ...]]
    wrong: tuple[str, ...]
    by_objects: bool  # TF2: the main graph does not run

    @classmethod
    def none(cls) -> Assets:
        """Return the assets of a model without any."""
        return cls(tensors=frozenset(), bound={}, wrong=(), by_objects=False)

    @classmethod
    def of(cls, meta: Message, folder: Path, *, by_objects: bool) -> Assets:
        """Read the assets of a SavedModel in `folder`.

        Raises:
            ProtobufError: the message is malformed.
        """
        files = meta.messages(_ASSETS) or _collected(meta)
        objects = meta.message(_OBJECTS)
        kinds = [_is_asset_object(Message(view)) for view in objects.views(_NODES)] if files else []
        bound = {}
        for name, view in objects.entries(_CONCRETE_FUNCTIONS).items() if files else ():
            numbers = integers(Message(view).views(_BOUND))
            bound[name] = tuple(number < len(kinds) and kinds[number] for number in numbers)
        return cls(
            tensors=frozenset(node_of(file.message(1).text(1)) for file in files),
            bound=bound,
            wrong=tuple(name for file in files if not _is_inside(folder, name := file.text(2))),
            by_objects=by_objects,
        )

    def fills(self, bodies: Bodies, function: str, node: str) -> bool:
        """Whether `node` initializes its table from an asset."""
        body = bodies.functions[function] if function else bodies.main
        inputs = [spelt for spelt in body.wires[node].inputs if not spelt.startswith("^")]
        return len(inputs) > _FILE_NAME and self._is_asset(bodies, function, inputs[_FILE_NAME], {})

    def _is_asset(self, bodies: Bodies, function: str, spelt: str, known: _Known) -> bool:
        """Whether an input is an asset's path. `known` has the answers found so far for this table."""
        key = function, spelt
        if key not in known:
            known[key] = False  # for a cycle
            known[key] = len(known) < _MOST_STEPS and self._follow(bodies, function, spelt, known)
        return known[key]

    def _follow(self, bodies: Bodies, function: str, spelt: str, known: _Known) -> bool:
        if function and spelt in bodies.functions[function].arguments:
            return self._is_handed_on(bodies, function, spelt, known)
        body = bodies.functions[function] if function else bodies.main
        name = node_of(spelt)
        if not function and name in self.tensors:
            return True
        node = body.wires.get(name)
        return (
            node is not None
            and node.op == "Identity"
            and bool(node.inputs)
            and self._is_asset(bodies, function, node.inputs[0], known)
        )

    def _is_handed_on(self, bodies: Bodies, function: str, argument: str, known: _Known) -> bool:
        """Whether every caller of a function passes it an asset, and its object binds one."""
        arguments = bodies.functions[function].arguments
        place = arguments.index(argument)
        bound = self.bound.get(function)
        if bound is not None:
            first = len(arguments) - len(bound)
            if place < first or not bound[place - first]:
                return False
        callers = dict(bodies.functions) if bound and self.by_objects else {"": bodies.main, **bodies.functions}
        for name, body in callers.items():
            for node, called in body.calls.items():
                if function not in called:
                    continue
                wired = body.wires[node]
                inputs = [spelt for spelt in wired.inputs if not spelt.startswith("^")]
                plain = wired.op in {*_CALLS, function} and len(called) == 1 and place < len(inputs)
                if not plain or not self._is_asset(bodies, name, inputs[place], known):
                    return False
        return True


def _collected(meta: Message) -> list[Message]:
    """Return the AssetFileDefs of older models: TensorFlow reads them if the newer field is empty."""
    collection = meta.entries(_COLLECTIONS).get("saved_model_assets")
    found: list[Message] = []
    if collection is None:
        return found
    # A list of one kind: if a file has two kinds, TensorFlow takes the last, and feeds no assets.
    for listed in Message(collection, (_ANY_LIST,)).messages(_ANY_LIST):
        for entry in listed.messages(1):
            if entry.text(1).rpartition("/")[2] != "tensorflow.AssetFileDef":
                raise ProtobufError(f"an asset that is a `{entry.text(1)}`")
            found.append(entry.message(2))
    return found


def _is_asset_object(message: Message) -> bool:
    """Whether a SavedObject is an asset and nothing else: of several kinds, TensorFlow takes the last."""
    return [kind for kind in _KINDS if kind in message] == [_ASSET]


def _is_inside(folder: Path, name: str) -> bool:
    """Whether an asset's name is a plain file name, and that file is really in the model's `assets`."""
    if not name or name in {".", ".."} or "/" in name or "\\" in name or "\0" in name:
        return False
    assets = folder / "assets"
    return (assets / name).resolve().parent == folder.resolve() / "assets"
