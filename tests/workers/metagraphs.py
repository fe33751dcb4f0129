"""SavedModels written byte by byte, with operations in every place from which TensorFlow may run them.

PLACES["init op"](node) -> bytes        a saved_model.pb with `node`, a NodeDef called `harm`, in that place
saver(...) -> the nodes and the SaverDef of a harmless TF1 saver
"""

from __future__ import annotations

from collections.abc import Callable

from tests.graphdefs import message, node

SIGNATURE = {"serving_default": ("x", "y")}
MODEL = (node("x", "Placeholder"), node("w", "VariableV2"), node("y", "Add", "x", "w"))


def entry(key: str, value: bytes) -> bytes:
    """Encode an entry of a map."""
    return message((1, key), (2, value))


def info(tensor: str) -> bytes:
    """Encode a TensorInfo."""
    return message((1, tensor))


def signature(taken: str, given: str) -> bytes:
    """Encode a SignatureDef."""
    return message((1, entry("x", info(taken))), (2, entry("y", info(given))))


def listed(*names: str) -> bytes:
    """Encode a CollectionDef of nodes."""
    return message((1, message(*((1, name) for name in names))))


def function(name: str, *nodes: bytes, takes: tuple[str, ...] = (), attributes: tuple[str, ...] = ()) -> bytes:
    """Encode a FunctionDef."""
    arguments = [(2, message((1, argument), (3, 1))) for argument in takes]
    return message(
        (1, message((1, name), *arguments)),
        *((3, one) for one in nodes),
        *((5, entry(key, message((2, "x")))) for key in attributes),
    )


def named(name: str) -> bytes:
    """Encode an AttrValue that is a function."""
    return message((10, message((1, name))))


def meta_graph(
    *nodes: bytes,
    functions: tuple[bytes, ...] = (),
    gradients: tuple[bytes, ...] = (),
    saver: tuple[str, str, str] | None = ("save/Const:0", "save/control:0", "save/restore_all"),
    collections: dict[str, bytes] | None = None,
    signatures: dict[str, tuple[str, str]] | None = None,
    assets: dict[str, str] | None = None,
    objects: bytes = b"",
    tags: tuple[str, ...] = ("serve",),
) -> bytes:
    """Encode a MetaGraphDef."""
    library = message(*((1, one) for one in functions), *((2, one) for one in gradients))
    graph = message(*((1, one) for one in nodes), (2, library))
    given = SIGNATURE if signatures is None else signatures
    return message(
        (1, message((5, "2.21"), *((4, tag) for tag in tags))),
        (2, graph),
        *([(3, message((1, saver[0]), (2, saver[1]), (3, saver[2])))] if saver else []),
        *((4, entry(key, value)) for key, value in (collections or {}).items()),
        *((5, entry(key, signature(*value))) for key, value in given.items()),
        *((6, message((1, info(tensor)), (2, file))) for tensor, file in (assets or {}).items()),
        *([(7, objects)] if objects else []),
    )


def saved_model(*meta_graphs: bytes) -> bytes:
    """Encode a SavedModel."""
    return message((1, 1), *((2, one) for one in meta_graphs))


def saver(*waits_for: str) -> tuple[bytes, ...]:
    """Return the nodes of a TF1 saver; its restore op waits for other nodes."""
    return (
        node("save/Const", "Const"),
        node("save/names", "Const"),
        node("save/slices", "Const"),
        node("save/SaveV2", "SaveV2", "save/Const", "save/names", "save/slices", "w"),
        node("save/control", "Identity", "save/Const", "^save/SaveV2"),
        node("save/RestoreV2", "RestoreV2", "save/Const", "save/names", "save/slices"),
        node("save/Assign", "Assign", "w", "save/RestoreV2"),
        node("save/restore_all", "NoOp", "^save/Assign", *waits_for),
    )


def in_graph(harm: bytes, *nodes: bytes, **more: object) -> bytes:
    """Return a model with a saver, and `harm` in its main graph."""
    return saved_model(meta_graph(*MODEL, *saver(), harm, *nodes, node("init", "NoOp", "^harm"), **more))  # type: ignore[arg-type]


def in_function(harm: bytes, *nodes: bytes, **more: object) -> bytes:
    """Return a model with `harm` in its function `f`."""
    library = (function("f", harm), function("g", node("call", "StatefulPartitionedCall", f=named("f"))))
    return saved_model(meta_graph(*MODEL, *saver(), *nodes, functions=library, **more))  # type: ignore[arg-type]


def _second(harm: bytes) -> bytes:
    clean = meta_graph(*MODEL, *saver())
    init = {"saved_model_main_op": listed("harm")}
    return saved_model(clean, meta_graph(*MODEL, *saver(), harm, tags=("serve", "gpu"), collections=init))


def _output(harm: bytes) -> bytes:
    return saved_model(meta_graph(node("x", "Placeholder"), harm, node("y", "Identity", "x", "^harm"), *saver()))


def _restore(harm: bytes) -> bytes:
    return saved_model(meta_graph(*MODEL, *saver("^harm"), harm))


def _restored(harm: bytes) -> bytes:
    """The checkpoint's own file name goes through it."""
    nodes = [one for one in saver() if b"save/Assign" not in one]
    return saved_model(meta_graph(*MODEL, *nodes, harm, node("save/Assign", "Assign", "w", "harm")))


PLACES: dict[str, Callable[[bytes], bytes]] = {
    "init op": lambda harm: in_graph(harm, collections={"saved_model_main_op": listed("init")}),
    "legacy init op": lambda harm: in_graph(harm, collections={"legacy_init_op": listed("init")}),
    "init signature": lambda harm: in_graph(harm, signatures={**SIGNATURE, "__saved_model_init_op": ("x", "init")}),
    "tables' initializer": lambda harm: in_graph(harm, collections={"table_initializer": listed("init")}),
    "local variable's initializer": lambda harm: in_graph(
        harm, collections={"local_variables": message((2, message((1, message((1, "w:0"), (2, "harm"), (5, 1))))))}
    ),
    "collection that nobody knows": lambda harm: in_graph(harm, collections={"of_a_later_loader": listed("init")}),
    "signature": _output,
    "other signature": lambda harm: in_graph(harm, signatures={**SIGNATURE, "other": ("x", "harm:1")}),
    "restore op": _restore,
    "variable that is read": lambda harm: in_graph(
        harm, node("v", "VarHandleOp"), node("v/Read/ReadVariableOp", "ReadVariableOp", "v", "^harm")
    ),
    "variable": lambda harm: in_graph(harm, node("v", "VariableV2", "^harm")),
    "other tags": _second,
    "function of a signature": lambda harm: in_function(
        harm, node("z", "StatefulPartitionedCall", "x", f=named("g")), signatures={"serving_default": ("x", "z")}
    ),
    "function that nobody calls": in_function,
    "function that is an operation": lambda harm: in_function(harm, node("z", "f", "x")),
    "function of an object": lambda harm: in_function(harm, objects=message((2, entry("f", b"")))),
    "branch": lambda harm: in_function(harm, node("z", "StatelessIf", "x", then_branch=named("f"))),
    "list of functions": lambda harm: in_function(
        harm, node("z", "Case", "x", branches=message((1, message((9, message((1, "g")))))))
    ),
    "function in a function's attributes": lambda harm: in_function(
        harm, node("z", "PartitionedCall", f=message((10, message((1, "h"), (2, entry("T", named("f")))))))
    ),
    "data set of a gradient": lambda harm: in_function(harm, gradients=(message((1, "y"), (2, "f")),)),
}
