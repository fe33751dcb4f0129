"""Load a Keras model: a .keras or .h5 file of any Keras version.

    load_keras(source, kind) -> Loaded

Keras 3 is tried first. A file that it refuses may be of Keras 2, which differs in layers and in how it reads them. Then
tf-keras is tried, if it is installed.

Inputs and outputs have Keras' own names: that of the input layer, that of the layer that makes an output, or the keys
if the model takes or returns a dict ("boxes", or "head_boxes" for {"head": {"boxes": ...}}). Two outputs of one layer
are `dense` and `dense_1`.

Rule 1: a model file is data. No code in it runs: no lambdas (pickled Python bytecode), no class or function from
        modules other than Keras' own, and none with side effects. Safe mode covers only a part of this; tf-keras has
        no safe mode for .h5, and imports any module that a .keras file names. So files are screened first
        (`keras_names.py`).
Rule 2: a model is traced for inference (`training=False`): no dropout, and batch normalization uses its averages.
"""

from __future__ import annotations

import importlib.util
import json
import re
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Protocol

import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2
from tensorflow.python.util import nest
from tensorflow.types.experimental import ConcreteFunction

from ovmake.contracts.source_kinds import SOURCE_KINDS
from ovmake.errors import ActionError, message_of
from ovmake.sources.archives import UNREADABLE
from ovmake.sources.integrity import stateful
from ovmake.sources.screening.bodies import Bodies
from ovmake.sources.screening.keras_file import screen_file
from ovmake.sources.screening.keras_names import EXPORT, Builtins, objects, screen_keras
from ovmake.workers.loading.graphs import Loaded, tidy

_OWN_MODULES = re.compile(r"(tf_)?keras(\.|$)|builtins$")
_UNKNOWN_CLASS = re.compile(
    r"(?:Unknown layer: |Could not locate (?:class|function) |Could not deserialize class )'?\"?([\w>.]+)"
)
_LONGEST = 500  # characters of a message


# A tensor of a nested structure with the keys and places that lead to it. Of a model that was loaded and not yet run it
# is a KerasTensor, which each library has of its own; it has shape and dtype too.
_Leaf = tuple[tuple[object, ...], tf.Tensor]


class _Model(Protocol):
    """What we use of a model of either library. `input`, `output`: a tensor, or a nested structure of them."""

    input: object
    output: object

    def __call__(self, inputs: object, *, training: bool) -> object:
        """Return the outputs, as nested as `output` is."""


@dataclass(frozen=True, slots=True)
class _Keras:
    """One of the two libraries: `load(path)`, its functions for nested structures, and `clear` to reset its state.

    `flatten`: (path, leaf) of each leaf; `pack`: the structure rebuilt from leaves.
    """

    way: str
    builtins: Builtins
    load: Callable[[str], _Model]
    flatten: Callable[[object], list[_Leaf]]
    pack: Callable[[object, list[tf.Tensor]], object]
    clear: Callable[[], None]


def load_keras(source: Path, kind: str) -> Loaded:
    """Load a Keras model for inference.

    Raises:
        ActionError: the file is damaged, has only weights, code or a custom class, or neither Keras can load it.
    """
    saved = _read(source, kind)
    try:
        return _load(source, kind, saved, _keras_3())
    except ActionError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever Keras 3 raises, tf-keras may do
        first = error
    if saved.version.startswith("3.") or not _has_tf_keras():
        raise _refusal(source, saved, first, ()) from first
    foreign = _foreign(saved.config)
    if foreign:
        raise _refusal(source, saved, first, (f"tf-keras was not tried: the file names {foreign}",)) from first
    try:
        return _load(source, kind, saved, _tf_keras())
    except ActionError:
        raise
    except Exception as second:  # noqa: BLE001 - reported with the first
        raise _refusal(source, saved, first, (f"tf-keras: {_words(second)}",)) from first


def _has_tf_keras() -> bool:
    return importlib.util.find_spec("tf_keras") is not None


def _keras_3() -> _Keras:
    import keras

    return _Keras(
        way=f"Keras {keras.__version__}",
        builtins=_builtins("Keras 3", keras),
        load=lambda path: keras.saving.load_model(path, compile=False, safe_mode=True),
        flatten=keras.tree.flatten_with_path,
        pack=keras.tree.pack_sequence_as,
        clear=keras.backend.clear_session,
    )


def _tf_keras() -> _Keras:
    import tf_keras

    return _Keras(
        way=f"tf-keras {tf_keras.__version__}",
        builtins=_builtins("tf-keras", tf_keras),
        load=lambda path: tf_keras.models.load_model(path, compile=False, safe_mode=True),
        flatten=nest.flatten_with_tuple_paths,
        pack=tf.nest.pack_sequence_as,
        clear=tf_keras.backend.clear_session,
    )


def _builtins(library: str, keras: ModuleType) -> Builtins:
    """Return the names of a library's own classes for models, and of its functions."""
    bases = [keras.layers.Layer, keras.optimizers.schedules.LearningRateSchedule]
    bases += [getattr(keras, name) for name in ("Operation", "DTypePolicy") if hasattr(keras, name)]
    sorts = {"initializers": "Initializer", "regularizers": "Regularizer", "constraints": "Constraint"}
    sorts |= {"losses": "Loss", "metrics": "Metric", "optimizers": "Optimizer", "quantizers": "Quantizer"}
    sorts |= {"mixed_precision": "Policy", "random": "SeedGenerator"}
    for module, base in sorts.items():
        found = getattr(getattr(keras, module, None), base, None)
        bases += [found] if isinstance(found, type) else []
    classes: set[type] = set()
    while bases:
        one = bases.pop()
        if one not in classes:
            classes.add(one)
            bases += one.__subclasses__()
    own = keras.__name__
    functions = {
        name
        for module in ("activations", "losses", "metrics", "initializers", "regularizers", "constraints")
        for name, value in vars(getattr(keras, module)).items()
        if callable(value) and not isinstance(value, type) and name not in {"deserialize", "get", "serialize"}
    }
    return Builtins(
        library=library,
        classes=frozenset(one.__name__ for one in classes if one.__module__.partition(".")[0] == own),
        functions=frozenset(functions),
    )


def _load(source: Path, kind: str, saved: _Saved, keras: _Keras) -> Loaded:
    screen_keras(source, saved.config, keras.builtins)
    keras.clear()  # Keras numbers its generated names from here
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = source
            if source.suffix not in SOURCE_KINDS[kind].suffixes:  # Keras goes by the name
                path = Path(folder, f"model{SOURCE_KINDS[kind].suffixes[0]}")
                path.symlink_to(source.absolute())
            model = keras.load(str(path))
        return _traced(source, model, keras)
    finally:
        keras.clear()


def _traced(source: Path, model: _Model, keras: _Keras) -> Loaded:
    functional = getattr(model, "_functional", None) or model  # a Sequential of Keras 3 wraps one
    inputs, outputs = keras.flatten(functional.input), keras.flatten(functional.output)
    taken, given = _names(inputs), _names(outputs)
    specs = [
        tf.TensorSpec(tensor.shape, tensor.dtype, name=_node(name))
        for name, (_, tensor) in zip(taken, inputs, strict=True)
    ]

    def call(*tensors: tf.Tensor) -> list[tf.Tensor]:
        results = model(keras.pack(functional.input, list(tensors)), training=False)
        return [tensor for _, tensor in keras.flatten(results)]

    function = tf.function(call, input_signature=specs, autograph=False).get_concrete_function()
    stateful.refuse(source, _remembered(function))
    # Loops stay While operations: see saved_model.py.
    frozen = convert_variables_to_constants_v2(function, lower_control_flow=False)
    # The handles of tables follow; a graph cannot contain them.
    fed = dict(zip(taken, [tensor.name for tensor in frozen.inputs], strict=False))
    ends = dict(zip(given, [tensor.name for tensor in frozen.outputs], strict=True))
    return Loaded(
        graph_def=tidy(frozen.graph.as_graph_def(), fed.values(), ends.values()),
        inputs=fed,
        outputs=ends,
        signature=None,
        way=keras.way,
    )


def _remembered(function: ConcreteFunction) -> list[str]:
    """Return the variables that hold a function's state, by Keras' names."""
    variables = {id(variable.handle): variable.name.partition(":")[0] for variable in function.graph.variables}
    handles = {
        inner.op.name: variables[id(outer)] for outer, inner in function.graph.captures if id(outer) in variables
    }
    graph = function.graph.as_graph_def().SerializeToString()
    found = stateful.remembered(Bodies(memoryview(graph)), [end.name for end in function.outputs], list(handles))
    return [handles[name] for name in found if name in handles]


def _names(leaves: list[_Leaf]) -> list[str]:
    """Return the keys that lead to each tensor; for a tensor in a list, the name of its layer."""
    return _unique(
        "_".join(map(str, path)) if any(isinstance(key, str) for key in path) else _layer(tensor)
        for path, tensor in leaves
    )


def _layer(tensor: tf.Tensor) -> str:
    return str(tensor._keras_history[0].name)  # noqa: SLF001 - in both libraries, and public in none


def _unique(names: Iterable[str]) -> list[str]:
    found: list[str] = []
    for name in names:
        turns = (f"{name}_{turn}" for turn in range(1, len(found) + 1))
        found.append(name if name not in found else next(other for other in turns if other not in found))
    return found


def _node(name: str) -> str:
    """Return a name with only the characters that a node may have."""
    return re.sub(r"[^\w.-]", "_", name, flags=re.ASCII).lstrip("_-") or "input"


# the content of the file, and errors about it


@dataclass(frozen=True, slots=True)
class _Saved:
    """The configuration of the model in a file, and the version of Keras that wrote it ("" if unknown)."""

    config: object
    version: str


def _read(source: Path, kind: str) -> _Saved:
    """Read and screen a file's configuration, before Keras uses it.

    Raises:
        ActionError: the file is damaged, has only weights, or has content that Keras never writes.
    """
    try:
        screen_file(source, kind)
        return _read_archive(source) if kind == "keras" else _read_h5(source)
    except UNREADABLE as error:
        message = f"`{source.name}` cannot be read: {message_of(error)}"
        hint = "the file is damaged or truncated: copy or save the model again"
        raise ActionError("tensorflow-cannot-load", message, setting="source", help=hint) from error


def _read_archive(source: Path) -> _Saved:
    with zipfile.ZipFile(source) as archive:
        metadata = json.loads(archive.read("metadata.json")) if "metadata.json" in archive.namelist() else {}
        return _Saved(json.loads(archive.read("config.json")), str(metadata.get("keras_version", "")))


def _read_h5(source: Path) -> _Saved:
    import h5py

    with h5py.File(source, "r") as file:
        config = file.attrs.get("model_config")
        version = file.attrs.get("keras_version", "")
    if config is None:
        message = f"`{source.name}` contains only weights: `save_weights` wrote it"
        hint = 'save the whole model, `model.save("model.keras")`, and name that file'
        raise ActionError("weights-only", message, setting="source", help=hint)
    text, version = (part.decode() if isinstance(part, bytes) else str(part) for part in (config, version))
    return _Saved(json.loads(text), version)


def _foreign(config: object) -> str:
    """Return what in a configuration may be code, in words; "" if nothing is."""
    for part in objects(config):
        module = part.get("module")
        if isinstance(module, str) and not _OWN_MODULES.match(module):
            return f"the class `{part['class_name']}` of module `{module}`"
    return ""


def _refusal(source: Path, saved: _Saved, error: Exception, notes: tuple[str, ...]) -> ActionError:
    """Return the error with an action for the user; Keras 3's own message is in it."""
    words = _words(error)
    hint = EXPORT
    if not saved.version.startswith("3.") and not _has_tf_keras():
        # tf-keras depends on the wheel `tensorflow`, which overwrites an installed `tensorflow-cpu`.
        hint = (
            f"it was saved by Keras {saved.version or '2 or older'}: install tf-keras, `pip install --no-deps tf-keras`"
        )
    unknown = _UNKNOWN_CLASS.search(words)
    if unknown:
        message = f"`{source.name}` uses the class `{unknown[1]}`, which Keras 3 does not have"
        notes = (f"Keras 3: {words}", *notes)
        return ActionError("unknown-class", message, setting="source", help=hint, notes=notes)
    message = f"Keras cannot load `{source.name}`: {words}"
    return ActionError("tensorflow-cannot-load", message, setting="source", help=hint, notes=notes)


def _words(error: Exception) -> str:
    """Return Keras' message without the model's configuration, which it repeats at every level; the log has it.

    "<class Sequential> could not be deserialized … config={…}. Exception encountered: Could not locate class 'Mine'"
    """
    words = message_of(error).rpartition("Exception encountered: ")[2].partition(" Full object config:")[0]
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]} …"
