"""Which nodes of a MetaGraphDef's main graph TensorFlow runs, and when: nodes by the op that depends on them.

    run = run_of(meta, main, of_training=False)
    run.init, run.restore, run.signatures["serving_default"], run.others         names of nodes
    run.place("x")                                                               "init op", "signature `s`", ""

Uncertain nodes count as run: collections count too, except collections that only training uses.

Schema: tensorflow/core/protobuf/{meta_graph,saver}.proto. Standard library only.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

from ovmake.sources.protobuf import Message, ProtobufError, fields, text
from ovmake.sources.screening.bodies import Body

# Fields of a MetaGraphDef.
GRAPH, SAVER, _COLLECTIONS, _SIGNATURES, OBJECTS = 2, 3, 4, 5, 7
_INIT_SIGNATURE = "__saved_model_init_op"
# Collections whose nodes a loader never runs.
_OF_TRAINING = frozenset({
    *("variables", "trainable_variables", "model_variables", "moving_average_variables", "queue_runners", "savers"),
    *("summaries", "_summary_op", "summary_op", "train_op", "losses", "regularization_losses", "update_ops"),
    *("global_step", "weights", "biases", "activations", "init_op", "ready_op", "while_context", "cond_context"),
})  # fmt: skip

# The nodes that freezing fetches: a variable's node, or the node that TF1 adds beside a resource variable.
VARIABLES = frozenset({"Variable", "VariableV2", "AutoReloadVariable", "VarHandleOp"})
_READ = "/Read/ReadVariableOp"


@dataclass(frozen=True, slots=True)
class Run:
    """The nodes of the main graph that run, by what runs them."""

    init: frozenset[str]
    restore: frozenset[str]
    signatures: Mapping[str, frozenset[str]]
    others: frozenset[str]

    def unfed(self) -> frozenset[str]:
        """Return the nodes that run while no paths of assets are fed."""
        return self.others.union(*self.signatures.values())

    def beside_restore(self) -> frozenset[str]:
        """Return the nodes that run while the saver's file name is not fed."""
        return self.init | self.unfed()

    def place(self, node: str) -> str:
        """Return what runs a node, in words for a message."""
        if node in self.init:
            return "init op"
        if node in self.restore:
            return "restore op"
        named = [f"signature `{name}`" for name, nodes in self.signatures.items() if node in nodes]
        return named[0] if named else ("variables" if node in self.others else "")


def run_of(meta: Message, main: Body, *, of_training: bool) -> Run:
    """Return the nodes that run in a SavedModel's graph, or in a checkpoint's, whose init op does not run.

    Raises:
        ProtobufError: the message is malformed.
    """
    signatures = {name: Message(view) for name, view in meta.entries(_SIGNATURES).items()}
    tensors = {name: _tensors(signature) for name, signature in signatures.items()}
    init = [*tensors.pop(_INIT_SIGNATURE, []), *_collected(meta)]
    read = [name for name, node in main.wires.items() if node.op in VARIABLES or name.endswith(_READ)]
    return Run(
        init=frozenset(main.before([] if of_training else init)),
        restore=frozenset(main.before([meta.message(SAVER).text(3)])),
        signatures={name: frozenset(main.before(roots)) for name, roots in tensors.items()},
        others=frozenset(main.before(read)),
    )


def _collected(meta: Message) -> list[str]:
    """Return the nodes that collections name, as text or in a message such as a VariableDef."""
    found: list[str] = []
    for name, view in meta.entries(_COLLECTIONS).items():
        if name in _OF_TRAINING:
            continue
        collection = Message(view)
        found += [one for listed in collection.messages(1) for one in listed.texts(1)]
        for listed in collection.messages(2):
            for entry in listed.views(1):
                found += _strings(entry)
    return found


def _tensors(signature: Message) -> list[str]:
    """Return all tensors of a SignatureDef, including the parts of sparse and composite ones."""
    found: list[str] = []
    for side in (1, 2):
        for view in signature.entries(side).values():
            stack = [Message(view)]
            while stack:
                info = stack.pop()
                found.append(info.text(1))
                found += [sparse.text(part) for sparse in info.messages(4) for part in (1, 2, 3)]
                stack += [part for composite in info.messages(5) for part in composite.messages(2)]
    return [name for name in found if name]


def _strings(entry: memoryview) -> list[str]:
    """Return the strings in a message of any kind, and the entry itself if it is text."""
    found: list[str] = []
    with contextlib.suppress(ProtobufError):
        found.append(text(entry))
    with contextlib.suppress(ProtobufError):
        for _, value in fields(entry):
            if isinstance(value, memoryview):
                with contextlib.suppress(ProtobufError):
                    found.append(text(value))
    return found
