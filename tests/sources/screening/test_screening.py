"""A graph is refused for what it would do, wherever TensorFlow might come to do it. That needs no TensorFlow."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from random import Random

import pytest

from ovmake.errors import ActionError
from ovmake.sources.protobuf import Message
from ovmake.sources.screening.allowed_ops import ALLOWED, CONDITIONS, ONLY_WHEN_RUN
from ovmake.sources.screening.meta_graph import RESTORES, SAVES, MetaGraph, Superfluous
from ovmake.sources.screening.screen import screen
from tests.examples import tries
from tests.graphdefs import graph_def, message, node
from tests.workers import metagraphs
from tests.workers.conftest import run_python
from tests.workers.metagraphs import (
    MODEL,
    PLACES,
    entry,
    function,
    in_graph,
    listed,
    meta_graph,
    named,
    saved_model,
    saver,
)


def model(folder: Path, content: bytes) -> Path:
    """Write a SavedModel."""
    folder.mkdir(exist_ok=True)
    (folder / "saved_model.pb").write_bytes(content)
    return folder


def refusal(source: Path, kind: str = "saved-model", allowed: tuple[str, ...] = ()) -> str:
    """Return the refusal's message, "" if there is none."""
    try:
        screen(source, kind, allowed)
    except ActionError as error:
        return error.message if error.code == "op-refused" and error.help else f"{error.code}: {error.message}"
    return ""


@pytest.mark.parametrize("place", PLACES)
def test_write_is_refused_in_every_place_from_which_it_may_run(tmp_path: Path, place: str) -> None:
    source = model(tmp_path / "m", PLACES[place](node("harm", "WriteFile", "name", "content")))

    assert refusal(source).endswith("node `harm`: WriteFile writes files")
    assert "" == refusal(source, allowed=("WriteFile",))


@pytest.mark.heavy
def test_every_op_with_an_effect_is_refused_in_every_place(tmp_path: Path) -> None:
    registry = json.loads(run_python("list_ops.py"))
    effectful = sorted(registry.keys() - ALLOWED)
    assert len(effectful) > 500

    let_through = [
        f"{op} in {place}"
        for op in effectful
        for place, made in PLACES.items()
        if f"{op} " not in refusal(model(tmp_path / "m", made(node("harm", op, "name", "names", "slices"))))
        # A saver's function, and no saver.
        and not (place == "function that nobody calls" and op in SAVES | RESTORES)
    ]

    assert [] == let_through


@pytest.mark.parametrize("kind", ["frozen-graph"])
@pytest.mark.parametrize("op", ["ReadFile", "WriteFile", "SaveV2", "Mine>Own"])
def test_frozen_graph_may_hold_none_anywhere(tmp_path: Path, kind: str, op: str) -> None:
    (tmp_path / "main.pb").write_bytes(graph_def(*MODEL, node("harm", op)))
    (tmp_path / "function.pb").write_bytes(graph_def(*MODEL, functions=(function("f", node("harm", op)),)))

    assert f"node `harm`: {op} " in refusal(tmp_path / "main.pb", kind)
    assert f"function `f`, node `harm`: {op} " in refusal(tmp_path / "function.pb", kind)


def test_message_says_where_and_names_a_handful(tmp_path: Path) -> None:
    harm = [node(f"harm{number}", "WriteFile") for number in range(7)]
    init = node("init", "NoOp", *(f"^harm{number}" for number in range(7)))
    content = meta_graph(*MODEL, *saver(), *harm, init, collections={"saved_model_main_op": listed("init")})

    with pytest.raises(ActionError) as caught:
        screen(model(tmp_path / "m", saved_model(content)), "saved-model")

    error = caught.value
    where = "`saved_model.pb` [serve], init op, node `harm{}`: WriteFile writes files"
    assert f"`m` does more than compute: {where.format(0)}" == error.message
    assert (*(where.format(number) for number in range(1, 5)), "and 2 more") == error.notes
    assert 'allow it: `allow-ops = ["WriteFile"]` in the model\'s table, and --allow-ops on the' in error.help


# what is legitimate where it is


def test_saver_may_be_there(tmp_path: Path) -> None:
    assert "" == refusal(model(tmp_path / "m", saved_model(meta_graph(*MODEL, *saver()))))


@pytest.mark.parametrize("op", sorted(ONLY_WHEN_RUN - {"InitializeTableFromTextFileV2"}))
def test_pipeline_of_training_may_be_there_if_nothing_that_is_run_leads_to_it(tmp_path: Path, op: str) -> None:
    source = model(tmp_path / "m", saved_model(meta_graph(*MODEL, *saver(), node("harm", op))))

    assert "" == refusal(source)


@pytest.mark.parametrize(
    "op", ["ReadFile", "MatchingFiles", "ImmutableConst", "DebugIdentity", "GenerateVocabRemapping"]
)
def test_what_an_import_computes_may_be_nowhere(tmp_path: Path, op: str) -> None:
    source = model(tmp_path / "m", saved_model(meta_graph(*MODEL, *saver(), node("harm", op))))

    assert f"node `harm`: {op}" in refusal(source)


def _file_of_its_own() -> tuple[bytes, ...]:
    other = node("save/RestoreV2", "RestoreV2", "save/own", "save/names", "save/slices")
    nodes = [one for one in saver() if b"RestoreV2\x12\tRestoreV2" not in one]
    return (*nodes, node("save/own", "Const"), other)


def _restored_by_name_only(*more: bytes) -> bytes:
    return saved_model(meta_graph(*MODEL, *saver(), *more))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(saved_model(meta_graph(*MODEL, *_file_of_its_own())), id="file of its own"),
        pytest.param(
            saved_model(meta_graph(*MODEL, *saver(), signatures={"serving_default": ("x", "save/RestoreV2:0")})),
            id="signature gives it",
        ),
        pytest.param(
            saved_model(meta_graph(*MODEL, *saver(), collections={"saved_model_main_op": listed("save/restore_all")})),
            id="init op restores",
        ),
        pytest.param(saved_model(meta_graph(*MODEL, *saver("^save/control"))), id="restore op saves"),
        pytest.param(
            saved_model(meta_graph(*MODEL, *saver(), saver=("", "save/control:0", "save/restore_all"))),
            id="saver without a file name",
        ),
    ],
)
def test_saver_does_what_is_a_saver_s_alone(tmp_path: Path, content: bytes) -> None:
    assert "V2 " in refusal(model(tmp_path / "m", content))


# savers of TF2: functions

SAVING = function("save", node("harm", "SaveV2", "prefix"), takes=("prefix",))
RESTORING = function("restore", node("harm", "RestoreV2", "prefix", "names", "slices"), takes=("prefix", "w"))
CALLS = (
    node("file", "Placeholder"),
    node("saving", "StatefulPartitionedCall", "file", "w", f=named("save")),
    node("restoring", "StatefulPartitionedCall", "file", "w", f=named("restore")),
)
TF2 = ("file:0", "saving:0", "restoring")


def tf2(
    *nodes: bytes, functions: tuple[bytes, ...] = (SAVING, RESTORING), calls: tuple[bytes, ...] = CALLS, **more: object
) -> bytes:
    """Return a model whose saver is two functions."""
    return saved_model(meta_graph(*MODEL, *calls, *nodes, functions=functions, saver=TF2, **more))  # type: ignore[arg-type]


def test_saver_may_be_functions(tmp_path: Path) -> None:
    assert "" == refusal(model(tmp_path / "m", tf2()))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(tf2(objects=message((2, entry("save", b"")))), id="object that saves"),
        pytest.param(tf2(objects=message((1, message((8, message((1, "restore"))))))), id="object that restores"),
        pytest.param(tf2(gradients=(message((1, "y"), (2, "save")),)), id="gradient"),
        pytest.param(
            tf2(functions=(function("save", node("harm", "SaveV2"), attributes=("api_implements",)), RESTORING)),
            id="stands in for another",
        ),
        pytest.param(tf2(node("z", "PartitionedCall", "file", f=named("save"))), id="stateless call"),
        pytest.param(tf2(node("z", "StatelessIf", "x", then_branch=named("save"))), id="branch"),
        pytest.param(tf2(signatures={"serving_default": ("x", "saving:0")}), id="signature saves"),
        pytest.param(tf2(signatures={"serving_default": ("x", "restoring:0")}), id="signature restores"),
        pytest.param(tf2(collections={"saved_model_main_op": listed("saving")}), id="init op saves"),
        pytest.param(
            tf2(functions=(SAVING, RESTORING, function("f", node("z", "MapDataset", f=named("save"))))),
            id="function of a data set",
        ),
        pytest.param(
            tf2(
                functions=(SAVING, function("restore", node("harm", "RestoreV2", "own:output:0"), node("own", "Const")))
            ),
            id="restores a file of its own",
        ),
        pytest.param(
            tf2(calls=(*CALLS[:2], node("restoring", "StatefulPartitionedCall", "w", "file", f=named("restore")))),
            id="hands it another name",
        ),
        pytest.param(
            tf2(functions=(SAVING, function("restore", node("harm", "RestoreV2", "prefix"), node("w", "WriteFile")))),
            id="writes besides",
        ),
    ],
)
def test_functions_of_a_saver_are_a_saver_s_alone(tmp_path: Path, content: bytes) -> None:
    assert refusal(model(tmp_path / "m", content))


# tables


def table(path: str, *nodes: bytes, collection: str = "saved_model_main_op", **more: object) -> bytes:
    """Return a model whose init op fills a table from `path`."""
    filled = node("filled", "InitializeTableFromTextFileV2", "table", path)
    more = {"assets": {"path:0": "words.txt"}, **more}
    return saved_model(
        meta_graph(
            *MODEL, node("table", "HashTableV2"), node("path", "Const"), *nodes, filled, saver=None,
            collections={collection: listed("filled")}, **more,  # type: ignore[arg-type]
        )
    )  # fmt: skip


def with_asset(folder: Path, content: bytes) -> Path:
    """Write a SavedModel with an asset."""
    (model(folder, content) / "assets").mkdir()
    (folder / "assets" / "words.txt").write_text("a\n")
    return folder


@pytest.mark.parametrize("nodes", [("path",), ("path:0",), ("again", node("again", "Identity", "path"))])
def test_table_may_be_filled_from_an_asset(tmp_path: Path, nodes: tuple[str, *tuple[bytes, ...]]) -> None:
    assert "" == refusal(with_asset(tmp_path / "m", table(*nodes)))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(table("own", node("own", "Const")), id="constant"),
        pytest.param(table("own", node("own", "StringJoin", "path", "path")), id="computed"),
        pytest.param(table("x"), id="fed"),
        pytest.param(table("path", signatures={"serving_default": ("x", "filled:0")}), id="not fed in a signature"),
    ],
)
def test_table_may_be_filled_from_nothing_else(tmp_path: Path, content: bytes) -> None:
    found = refusal(with_asset(tmp_path / "m", content))

    assert found.endswith("node `filled`: InitializeTableFromTextFileV2 reads a table from a file")


def tf2_table(kinds: tuple[tuple[int, bytes], ...], given: str = "path", bound: bytes = b"\x00") -> bytes:
    """Return a model of TF2's whose object 0 is bound to a function that fills a table."""
    filled = node("filled", "InitializeTableFromTextFileV2", "handle", "file")
    objects = message((1, message(*kinds)), (2, entry("f", message((2, bound)))))
    calling = [node("table", "HashTableV2"), node("path", "Placeholder"), node("own", "Const")]
    calling.append(node("call", "StatefulPartitionedCall", "table", given, f=named("f")))
    return saved_model(
        meta_graph(
            *MODEL, *calling, functions=(function("f", filled, takes=("handle", "file")),), saver=None,
            assets={"path:0": "words.txt"}, objects=objects, collections={"saved_model_main_op": listed("call")},
        )
    )  # fmt: skip


def test_object_may_bind_an_asset_and_then_the_main_graph_is_not_run(tmp_path: Path) -> None:
    source = with_asset(tmp_path / "m", tf2_table(((5, b""),), given="own"))

    screen(source, "saved-model")
    with pytest.raises(ActionError, match="InitializeTableFromTextFileV2"):
        screen(source, "saved-model", in_session=True)
    screen(model(source, tf2_table(((5, b""),))), "saved-model", in_session=True)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(tf2_table(((9, b""),)), id="constant"),
        pytest.param(tf2_table(((5, b""), (9, b""))), id="asset, and then a constant"),
        pytest.param(tf2_table(((5, b""),), bound=b""), id="bound to nothing"),
        pytest.param(tf2_table(((5, b""),), bound=b"\x07"), id="object that is not there"),
    ],
)
def test_object_binds_nothing_but_an_asset(tmp_path: Path, content: bytes) -> None:
    found = refusal(with_asset(tmp_path / "m", content))

    assert "function `f`, node `filled`: InitializeTableFromTextFileV2" in found


def in_collection(*more: tuple[int, bytes]) -> bytes:
    """Return a model of old, whose assets are in a collection."""
    file = message((1, metagraphs.info("path:0")), (2, "words.txt"))
    packed = message((1, "type.googleapis.com/tensorflow.AssetFileDef"), (2, file))
    kept = message((5, message((1, packed))), *more)
    filled = node("filled", "InitializeTableFromTextFileV2", "table", "path")
    collections = {"saved_model_main_op": listed("filled"), "saved_model_assets": kept}
    nodes = (node("table", "HashTableV2"), node("path", "Const"), filled)
    return saved_model(meta_graph(*MODEL, *nodes, saver=None, collections=collections))


def test_assets_of_older_models_are_in_a_collection(tmp_path: Path) -> None:
    assert "" == refusal(with_asset(tmp_path / "m", in_collection()))
    assert "unreadable-source" in refusal(model(tmp_path / "m", in_collection((1, b""))))


@pytest.mark.parametrize("name", ["../words.txt", "/etc/passwd", "..", "", "sub/words.txt", "linked"])
def test_asset_lies_in_the_model_s_folder_of_assets(tmp_path: Path, name: str) -> None:
    source = with_asset(tmp_path / "m", table("path", assets={"path:0": name}))
    (tmp_path / "secret").write_text("secret")
    (source / "assets" / "linked").symlink_to(tmp_path / "secret")

    assert f"`m` does more than compute: its asset `{name}` is not in its `assets`" == refusal(source)


def test_folder_of_assets_is_no_link(tmp_path: Path) -> None:
    source = model(tmp_path / "m", table("path"))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "words.txt").write_text("secret")
    (source / "assets").symlink_to(tmp_path / "elsewhere")

    assert "its asset `words.txt` is not in its `assets`" in refusal(source)


# files that lie


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(saved_model(message((2, meta_graph(*MODEL)[2:]))) + b"\x00", id="field 0"),
        pytest.param(in_graph(message((1, "harm"), (2, "Identity"), (2, "WriteFile"))), id="two operations"),
        pytest.param(in_graph(message((1, "harm"), (1, "other"), (2, "Identity"))), id="two names"),
        pytest.param(in_graph(node("x", "Identity")), id="two nodes of one name"),
        # protobuf drops the upper bits: field 2, and not one that nobody knows.
        pytest.param(
            in_graph(message((1, "harm"), (2, "Identity")) + b"\x92\x80\x80\x80\x10\x09WriteFile"),
            id="field of 32 bits",
        ),
        pytest.param(saved_model(meta_graph(*MODEL))[:-3], id="truncated"),
    ],
)
def test_file_that_others_may_read_otherwise_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ActionError) as caught:
        screen(model(tmp_path / "m", content), "saved-model")

    assert "unreadable-source" == caught.value.code
    assert caught.value.message.startswith("`saved_model.pb` cannot be checked for side effects: ")


def test_damaged_files_are_refused_or_harmless_and_never_a_surprise(tmp_path: Path) -> None:
    random = Random(0)  # noqa: S311
    harm = node("harm", "WriteFile")
    whole = [made(harm) for made in PLACES.values()] + [tf2(), table("path")]

    for _ in range(tries(daily=100, ci=1000, long=20_000)):
        content = bytearray(random.choice(whole))
        for _ in range(random.randint(1, 4)):
            content[random.randrange(len(content))] = random.randrange(256)
        with contextlib.suppress(ActionError):
            screen(model(tmp_path / "m", bytes(content)), "saved-model")
        (tmp_path / "m.meta").write_bytes(bytes(content))
        for kind in ("checkpoint", "frozen-graph", "tflite"):
            with contextlib.suppress(ActionError):
                screen(tmp_path / "m.meta", kind)


def test_graph_that_is_made_to_be_slow_is_not(tmp_path: Path) -> None:
    """Functions that call the next one twice, long chains, many savers: each took minutes, or the stack."""
    calls = [
        function(
            f"f{number}",
            *(node(f"c{turn}", "StatefulPartitionedCall", "a", "a", f=named(f"f{number + 1}")) for turn in range(2)),
            takes=("a", "b"),
        )
        for number in range(60)
    ]
    fills = function("f60", node("harm", "InitializeTableFromTextFileV2", "a", "b"), takes=("a", "b"))
    chain = [node(f"i{number}", "Identity", f"i{number - 1}") for number in range(20_000)]
    savers = [function(f"s{number}", node("harm", "SaveV2")) for number in range(2000)]
    content = saved_model(
        meta_graph(
            *MODEL, *saver(), *chain, functions=(*calls, fills, *savers), objects=message((2, entry("x" * 999, b"")))
        )
    )

    assert refusal(model(tmp_path / "m", content))


def test_function_named_like_an_operation_hides_nothing(tmp_path: Path) -> None:
    functions = (function("WriteFile", node("z", "NoOp")), function("Relu", node("harm", "ReadFile")))
    content = meta_graph(*MODEL, node("harm", "WriteFile"), node("r", "Relu", "x"), functions=functions, saver=None)

    with pytest.raises(ActionError) as caught:
        screen(model(tmp_path / "m", saved_model(content)), "saved-model")

    assert "function `Relu`, node `harm`: ReadFile reads files" in caught.value.message


def test_text_form_of_a_saved_model_is_not_screened_and_so_refused(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "saved_model.pbtxt").write_text("")

    with pytest.raises(ActionError) as caught:
        screen(tmp_path / "m", "saved-model")

    assert "unreadable-source" == caught.value.code
    assert "`m` has no `saved_model.pb`" in caught.value.message


def test_conditions_are_looked_at_in_functions_too(tmp_path: Path) -> None:
    stream = message((2, "file:///tmp/x"))
    content = metagraphs.in_function(node("harm", "PrintV2", output_stream=stream))

    assert refusal(model(tmp_path / "m", content)).endswith("node `harm`: PrintV2 writes to `file:///tmp/x`")
    assert set(CONDITIONS) <= ALLOWED


# checkpoints: what is only for training is taken out, and may be there


@pytest.mark.parametrize("op", ["ReadFile", "WriteFile", "TFRecordReaderV2", "PyFunc", "Mine>Own"])
def test_checkpoint_may_hold_what_loading_does_not_run(tmp_path: Path, op: str) -> None:
    (tmp_path / "good.meta").write_bytes(meta_graph(*MODEL, *saver(), node("harm", op), signatures={}))
    (tmp_path / "bad.meta").write_bytes(meta_graph(*MODEL, *saver("^harm"), node("harm", op), signatures={}))
    reading = (
        node("harm", op),
        node("v", "VarHandleOp"),
        node("v/Read/ReadVariableOp", "ReadVariableOp", "v", "^harm"),
    )
    (tmp_path / "read.meta").write_bytes(meta_graph(*MODEL, *saver(), *reading, signatures={}))

    assert "" == refusal(tmp_path / "good.meta", "checkpoint")
    assert f"`bad.meta`, restore op, node `harm`: {op} " in refusal(tmp_path / "bad.meta", "checkpoint")
    assert f"`read.meta`, variables, node `harm`: {op} " in refusal(tmp_path / "read.meta", "checkpoint")


def left_out(*nodes: bytes, functions: tuple[bytes, ...] = ()) -> Superfluous:
    """Return what is taken out of a checkpoint with these nodes besides."""
    meta = meta_graph(*MODEL, *saver(), *nodes, functions=functions, signatures={})
    return MetaGraph(Message(memoryview(meta)), of_training=True, lenient=True).superfluous()


def test_what_only_training_needs_is_taken_out_with_all_that_needs_it() -> None:
    reading = [node("read", "ReadFile"), node("decoded", "DecodeJpeg", "read"), node("queue", "FIFOQueueV2")]
    reading += [node("put", "QueueEnqueueV2", "queue", "decoded"), node("get", "QueueDequeueV2", "queue")]

    found = left_out(*reading, node("loss", "Mul", "y", "get"), node("shown", "WriteScalarSummary", "loss"))

    assert {"read", "decoded", "put", "shown", "save/SaveV2", "save/control"} == found.nodes
    assert () == found.needed


def test_iterator_over_files_stays_without_its_data_set() -> None:
    files = function("files", node("data", "TFRecordDatasetV2", "names"))
    iterator = node("it", "OneShotIterator", dataset_factory=named("files"))

    found = left_out(iterator, node("next", "IteratorGetNext", "it"), functions=(files,))

    assert {"it"} == found.iterators
    assert {"files"} == found.functions
    assert {"save/SaveV2", "save/control"} == found.nodes


def test_restored_initial_value_is_for_training_alone() -> None:
    """`tf.compat.v1.train.init_from_checkpoint` makes such initializers, with a path of the machine that trained."""
    found = left_out(
        node("path", "Const"), node("old", "RestoreV2", "path", "save/names", "save/slices"),
        node("w/Assign", "Assign", "w", "old"),
    )  # fmt: skip

    assert {"old", "w/Assign", "save/SaveV2", "save/control"} == found.nodes
    assert () == found.needed


def test_what_inference_needs_is_not_taken_out_but_told() -> None:
    found = left_out(node("read", "ReadFile"), node("sum", "Add", "x", "read"), node("z", "MatMul", "sum", "w"))

    assert ["inference, read"] == [f"{one.place}, {one.node}" for one in found.needed]
