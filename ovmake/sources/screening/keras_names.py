"""Check the names in a Keras file: only Keras' own classes and functions without side effects are allowed.

    screen_keras(source, config, builtins)         raises ActionError("unsafe-source", ...)

A Keras file is a configuration in JSON and weights. Loading it looks up each name in the configuration and calls the
object of that name. Some of Keras' own classes open files, load other models or run code. Keras' safe mode refuses some
of them, in some versions, for some formats; so the whole configuration is read here first, with `build_config` and
`compile_config`.

Rule 1: a class or function must be one that the library has under that name. The library reports an unknown name; no
        module is imported to find it.
Rule 2: of the library's own classes, EFFECTS are refused. So are layers that run an operation of TensorFlow
        (`TFOpLambda`, `TensorFlowOpLayer`), unless it only computes.
Rule 3: a vocabulary must be in the file itself; a path is refused.

Standard library only; the caller, who has the library, passes its names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ovmake.contracts.values import JsonObject
from ovmake.errors import ActionError
from ovmake.sources.screening.allowed_ops import ALLOWED, CONDITIONS

EXPORT = "export the model as a SavedModel where its code is available: `model.export(folder)`, and name that folder"

_MODEL, _PYTHON = "loads another model by its path", "runs Python code"
# Classes of Keras and tf-keras with side effects, and the effect.
EFFECTS: Mapping[str, str] = {
    "TFSMLayer": _MODEL,
    "ReloadedLayer": _MODEL,
    "TorchModuleWrapper": "unpickles Python objects",
    "JaxLayer": _PYTHON,
    "FlaxLayer": _PYTHON,
    "ModuleWrapper": _PYTHON,
    "ClassMethod": _PYTHON,
    "InstanceMethod": _PYTHON,
    "DenseFeatures": "reads vocabularies by their paths",
    "SequenceFeatures": "reads vocabularies by their paths",
    "__typespec__": "names any type of TensorFlow",
}
# Classes that contain bytecode.
CODE = frozenset({"Lambda", "__lambda__"})
# Names of plain values, not of classes.
_VALUES = frozenset({"__tensor__", "__numpy__", "__bytes__", "__ellipsis__", "__slice__", "__keras_tensor__"})
_PATHS = ("vocabulary", "vocabulary_file", "vocab_file", "idf_weights")
# Packages whose modules Keras imports when a file names them.
_IMPORTED = re.compile(r"((tf_)?keras|keras_hub|keras_cv|keras_nlp)(\.|$)")

# TensorFlow functions that only compute, as TFOpLambda names them: whole modules of them, and single ones.
_COMPUTES = re.compile(
    r"(compat\.v1\.)?((math|nn|linalg|signal|image|strings|bitwise|sparse|ragged|random|quantization|__operators__)\.[\w.]+"
    r"|(abs|add|clip_by|reduce|scatter|space_to_batch|batch_to_space|tensor_scatter_nd|broadcast|logical|unique)(_\w+)?"
    r"|a?(cos|sin|tan)h?|atan2|arg(max|min|sort)|bitcast|boolean_mask|cast|ceil|complex|concat|convert_to_tensor|cumsum"
    r"|divide|dynamic_(partition|stitch)|einsum|ensure_shape|equal|exp|expand_dims|eye|fill|floor|gather(_nd)?"
    r"|greater(_equal)?|identity(_n)?|less(_equal)?|linspace|matmul|maximum|meshgrid|minimum|multiply|negative|norm"
    r"|not_equal|one_hot|ones(_like)?|pad|pow|range|rank|repeat|reshape|reverse(_sequence)?|roll|round|saturate_cast"
    r"|scalar_mul|searchsorted|sequence_mask|shape(_n)?|sigmoid|sign|size|slice|sort|split|sqrt|square|squeeze|stack"
    r"|stop_gradient|strided_slice|subtract|tensordot|tile|transpose|truediv|truncate(div|mod)|unravel_index|unstack"
    r"|where|zeros(_like)?)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Builtins:
    """A library's objects by name. `library` is "Keras 3" or "tf-keras"."""

    library: str
    classes: frozenset[str]
    functions: frozenset[str]


def objects(config: object) -> Iterator[JsonObject]:
    """Yield every object in a configuration that names a class."""
    return (part for part in _mappings(config) if isinstance(part.get("class_name"), str))


def screen_keras(source: Path, config: object, builtins: Builtins) -> None:
    """Refuse a configuration that would have side effects when the library of `builtins` loads it.

    Raises:
        ActionError: `unsafe-source`.
        LookupError: the library lacks a class or function that the configuration takes from it.
    """
    for part in _mappings(config):
        for key in _PATHS:
            if isinstance(part.get(key), str):
                message = f"`{source.name}` takes `{key}` from the file `{part[key]}`, which ovmake does not open"
                hint = "save the model with the vocabulary in it: give the layer a list of words"
                raise ActionError("unsafe-source", message, setting="source", help=hint)
    for part in objects(config):
        name = str(part["class_name"])
        if name in CODE:
            message = (
                f"`{source.name}` has a Lambda layer, which contains Python code; ovmake does not run code from models"
            )
            raise ActionError("unsafe-source", message, setting="source", help=EXPORT)
        if what := _effect(part):
            message = f"`{source.name}` does more than compute: `{name}` {what}"
            raise ActionError("unsafe-source", message, setting="source", help=EXPORT)
        _check_known(part, name, builtins)


def _check_known(part: JsonObject, name: str, builtins: Builtins) -> None:
    """Check that the library has a name, if loading would look there."""
    module = part.get("module")
    if not isinstance(module, str) or name in _VALUES:
        return
    if name == "function":
        function = part.get("config")
        if (_IMPORTED.match(module) or module == "builtins") and function not in builtins.functions:
            raise LookupError(f"Could not locate function '{function}'")
    elif _IMPORTED.match(module) and name not in builtins.classes:
        raise LookupError(f"Could not locate class '{name}'")


def _effect(part: JsonObject) -> str:
    """Return an object's side effect, as a phrase with the object as its subject; "" if it has none."""
    name, config = str(part["class_name"]), part.get("config")
    settings = config if isinstance(config, dict) else {}
    if name in {"TFOpLambda", "SlicingOpLambda"}:
        function = str(settings.get("function", ""))
        return "" if _COMPUTES.fullmatch(function) else f"calls `tf.{function}`"
    if name == "TensorFlowOpLayer":
        op = _op_of(settings.get("node_def"))
        return "" if op in ALLOWED and op not in CONDITIONS else f"runs the operation `{op}`"
    return EFFECTS.get(name, "")


def _op_of(node_def: object) -> str:
    """Return the operation of a NodeDef in JSON; "" if it is unknown."""
    try:
        found = json.loads(node_def) if isinstance(node_def, str) else node_def
    except ValueError:
        return ""
    return str(found.get("op", "")) if isinstance(found, dict) else ""


def _mappings(config: object) -> Iterator[JsonObject]:
    stack = [config]
    while stack:
        part = stack.pop()
        if isinstance(part, dict):
            yield part
            stack += part.values()
        elif isinstance(part, list):
            stack += part
