"""A .tflite model, run by TFLite's own interpreter: the reference for what OpenVINO makes of it.

    model = Lite.load(source, inputs={"image": ("x:0", (1, 96, 96, 3))}, outputs={"scores": "Softmax"})
    model(feed)                 input name -> array; returns output name -> array
    quantization(source)        scale and zero point by tensor

Inputs and outputs may be any tensors of the model, also inner ones: the model is rewritten so that it begins and ends
there, and the interpreter runs just that part. What it cannot give are tensors that are not in the file: what the
converter fused away (a convolution's result before its activation), or folded into constants.

Rule 1: arrays are the interpreter's: those of a quantized model are its integers.
Rule 2: the interpreter trusts a model, and some kill its process. So one inference is run elsewhere first (see
        tflite_probe.py), and what dies there is an error here.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from tensorflow.lite.python.interpreter import Interpreter, OpResolverType
from tensorflow.lite.python.schema_py_generated import (
    BuiltinOperator,
    ModelT,
    OperatorT,
    SubGraphT,
    TensorT,
    TensorType,
)
from tensorflow.lite.tools import flatbuffer_utils

from ovmake.diagnostics import did_you_mean
from ovmake.errors import ActionError, message_of
from ovmake.sources.screening.screen import screen
from ovmake.workers.conversion.refusing_tflite import unread
from ovmake.workers.inputs.perturbation import nudged
from ovmake.workers.inputs.preparing import Array
from ovmake.workers.reference.tflite_truth import floated

Shape = tuple[int, ...]

PLAIN = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
_LARGEST_OLD_CODE = 127  # a byte; it stands for all that are larger
_UNCOMPARED = "build without the comparison, `accuracy = false`, or name a model that TFLite can run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantization:
    """A tensor's value is (integer - zero_point) * scale."""

    scale: float
    zero_point: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lite:
    """A model that is ready to run. `inputs`, `outputs`: indexes of tensors by name; `operations`: how many it runs.

    `fixed` are the inputs that are constants, by index. `plain` is the same model in TFLite's own kernels, without
    XNNPACK, if it computes in integers: its kernels then round differently. `quanta` are the steps of outputs in
    integers, or made of integers at the very end. `make` makes the interpreter anew. `true` is the model in a higher
    precision, or in the kernels that define it; None of a model in floating point.
    """

    make: Callable[[], Interpreter]
    interpreter: Interpreter
    plain: Interpreter | None
    inputs: Mapping[str, int]
    outputs: Mapping[str, int]
    fixed: Mapping[int, Array]
    quanta: Mapping[str, float]
    operations: int
    true: Interpreter | None = None
    truth_name: str = ""
    truth_is_dear: bool = False

    @classmethod
    def load(
        cls,
        source: Path,
        *,
        inputs: Mapping[str, tuple[str, Shape | None]],
        outputs: Mapping[str, str],
        constants: Mapping[str, Array] | None = None,
        threads: int = 1,
        allowed: Collection[str] = (),
    ) -> Lite:
        """Load the part of a model from `inputs` (tensor and shape by name; None: as it is) to `outputs`.

        -1 in a shape: as large as what is fed. `constants` are inputs that are always fed the same, by tensor.
        `allowed` names operations of TensorFlow's that may run though they do more than compute.

        Raises:
            ActionError: TFLite cannot load it, or cannot run this part of it; it does more than compute; or it has no
                such tensor, or needs an input that is not there.
        """
        model = _parsed(source, allowed)
        screen(source, "tflite", allowed)
        tensors = _by_name(model)
        fed = {name: _index(tensors, tensor, "inputs") for name, (tensor, _) in inputs.items()}
        given = {name: _index(tensors, tensor, "outputs") for name, tensor in outputs.items()}
        content = source.read_bytes()
        fixed = {_index(tensors, tensor, "inputs"): array for tensor, array in (constants or {}).items()}
        begin = [*fed.values(), *fixed]
        refusal = f"TFLite cannot load `{source.name}`"
        if not _is_whole(model, begin, given.values()):
            refusal = ""  # the source may be sound, and this part of it no model
            _cut(model, begin, list(given.values()))
            content = bytes(flatbuffer_utils.convert_object_to_bytearray(model))
        shapes = {fed[name]: shape for name, (_, shape) in inputs.items() if shape is not None}
        shapes |= {index: array.shape for index, array in fixed.items()}
        _probe(content, shapes, threads, refusal)
        _load(content, refusal)

        def make() -> Interpreter:
            return _ready(content, shapes, threads)

        in_integers = _computes_in_integers(model)
        true, truth_name, dear = _true(content, shapes, threads) if in_integers else (None, "", False)
        return cls(
            make=make,
            interpreter=make(),
            plain=_ready(content, shapes, threads, kernels=PLAIN) if in_integers else None,
            true=true,
            truth_name=truth_name,
            truth_is_dear=dear,
            quanta={name: step for name, index in given.items() if (step := _quantum(model, index))},
            inputs=fed,
            outputs=given,
            fixed=fixed,
            operations=sum(len(subgraph.operators) for subgraph in model.subgraphs),
        )

    def __call__(self, feed: Mapping[str, Array]) -> dict[str, Array]:
        """Run once.

        Raises:
            RuntimeError, ValueError: the interpreter's own.
        """
        return self._run(self.interpreter, feed)

    def renewed(self) -> Lite:
        """Return the same model in another interpreter."""
        return replace(self, interpreter=self.make())

    def again(self, feed: Mapping[str, Array]) -> dict[str, Array] | None:
        """See `original.Original`: in integers the other kernels are TFLite's plain ones."""
        if self.plain is not None:
            return self._run(self.plain, feed)
        moved = nudged(feed)
        return None if moved is None else self(moved)

    def truth(self, feed: Mapping[str, Array]) -> dict[str, Array]:
        """See `original.Original`."""
        return self._run(self.true, feed)

    def _run(self, interpreter: Interpreter, feed: Mapping[str, Array]) -> dict[str, Array]:
        self._fit(interpreter, feed)
        for name, index in self.inputs.items():
            interpreter.set_tensor(index, feed[name])
        for index, array in self.fixed.items():
            interpreter.set_tensor(index, array)
        interpreter.invoke()
        return {name: interpreter.get_tensor(index) for name, index in self.outputs.items()}

    def _fit(self, interpreter: Interpreter, feed: Mapping[str, Array]) -> None:
        """Give the inputs the shapes of what is fed."""
        now = {detail["index"]: tuple(detail["shape"]) for detail in interpreter.get_input_details()}
        changed = {index: feed[name].shape for name, index in self.inputs.items() if feed[name].shape != now[index]}
        for index, shape in changed.items():
            interpreter.resize_tensor_input(index, shape)
        if changed:
            interpreter.allocate_tensors()


def quantization(source: Path) -> dict[str, Quantization]:
    """Return the quantization of a model's tensors by their names; those quantized by channel (weights) are left out.

    Raises:
        ActionError: the model cannot be read.
    """
    found = {}
    for tensor in _parsed(source).subgraphs[0].tensors:
        scales = [] if tensor.quantization is None or tensor.quantization.scale is None else tensor.quantization.scale
        if len(scales) == 1:
            points = tensor.quantization.zeroPoint
            zero_point = int(points[0]) if points is not None and len(points) else 0
            found[_name(tensor)] = Quantization(scale=float(scales[0]), zero_point=zero_point)
    return found


def cut_out(source: Path, inputs: Collection[str], outputs: Collection[str]) -> bytes:
    """Return the part of a model between these tensors, as a file.

    Raises:
        ActionError: the model cannot be read, has no such tensor, or needs an input that is not there.
    """
    model = _parsed(source)
    tensors = _by_name(model)
    begin, end = (
        [_index(tensors, name, side) for name in names] for names, side in ((inputs, "inputs"), (outputs, "outputs"))
    )
    _cut(model, begin, end)
    _drop_unused(model)
    for code in model.operatorCodes:  # TFLite looks into both, OpenVINO into the old one alone
        code.deprecatedBuiltinCode = min(max(code.builtinCode, code.deprecatedBuiltinCode), _LARGEST_OLD_CODE)
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


# the file


def _parsed(source: Path, allowed: Collection[str] = ()) -> ModelT:
    try:
        return flatbuffer_utils.read_model(str(source))
    except Exception as error:
        message = f"TFLite cannot read `{source.name}`: {message_of(error)}"
        failure = ActionError("tensorflow-cannot-load", message, setting="source")
        raise unread(failure, source, allowed) from error


def _name(tensor: TensorT) -> str:
    return str(tensor.name, "utf-8", "replace") if isinstance(tensor.name, bytes) else str(tensor.name or "")


def _by_name(model: ModelT) -> dict[str, int]:
    """Return the tensors of the main graph by name; of several with one name, the first."""
    found: dict[str, int] = {}
    for index, tensor in enumerate(model.subgraphs[0].tensors):
        found.setdefault(_name(tensor), index)
    return found


def _index(tensors: Mapping[str, int], name: str, side: str) -> int:
    """Return a tensor's index; `:0` may be left out, as OpenVINO does."""
    for candidate in (name, f"{name}:0"):
        if candidate in tensors:
            return tensors[candidate]
    message = f"the model has no tensor `{name}`"
    raise ActionError("unknown-tensor", message, setting=f"cut.{side}", help=did_you_mean(name, list(tensors)))


def _computes_in_integers(model: ModelT) -> bool:
    integers = (TensorType.INT8, TensorType.UINT8, TensorType.INT16)
    return any(tensor.type in integers for tensor in model.subgraphs[0].tensors)


def _quantum(model: ModelT, index: int) -> float:
    """Return the step of a tensor, in its own unit: 1 for integers, the scale for what was integers just before."""
    graph = model.subgraphs[0]
    if graph.tensors[index].type in (TensorType.INT8, TensorType.UINT8, TensorType.INT16):
        return 1.0
    makers = [op for op in graph.operators if index in _indexes(op.outputs)]
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]
    if not makers or codes[makers[0].opcodeIndex] != BuiltinOperator.DEQUANTIZE:
        return 0.0
    before = graph.tensors[_indexes(makers[0].inputs)[0]].quantization
    return float(before.scale[0]) if before is not None and before.scale is not None and len(before.scale) else 0.0


# cuts


def _is_whole(model: ModelT, inputs: Iterable[int], outputs: Iterable[int]) -> bool:
    graph = model.subgraphs[0]
    return set(graph.inputs) == set(inputs) and set(outputs) <= set(graph.outputs)


def _cut(model: ModelT, inputs: list[int], outputs: list[int]) -> None:
    """Let the main graph begin at `inputs` and end at `outputs`, and run only what lies between.

    Operations without outputs (they set variables) stay where what lies between reads a variable or a table.
    """
    graph = model.subgraphs[0]
    kept = _between(graph, inputs, outputs)
    if any(_takes_resource(graph, graph.operators[place]) for place in kept):
        silent = {place for place, op in enumerate(graph.operators) if not _indexes(op.outputs)}
        kept |= silent | _between(
            graph, inputs, [i for place in silent for i in _indexes(graph.operators[place].inputs)]
        )
    graph.operators = [op for place, op in enumerate(graph.operators) if place in kept]
    graph.inputs, graph.outputs = inputs, outputs
    model.signatureDefs = None


def _drop_unused(model: ModelT) -> None:
    """Drop the subgraphs that nothing runs, and make nothing of the handles that nothing takes: OpenVINO reads all."""
    graph = model.subgraphs[0]
    options = [found for op in graph.operators for found in (op.builtinOptions, op.builtinOptions2) if found]
    if not any(name.endswith("SubgraphIndex") for found in options for name in vars(found)):
        model.subgraphs = [graph]
    used = {index for op in graph.operators for index in (*_indexes(op.inputs), *_indexes(op.outputs))}
    for index, tensor in enumerate(graph.tensors):
        if tensor.type in (TensorType.RESOURCE, TensorType.VARIANT) and index not in used:
            tensor.type = TensorType.INT32


def _takes_resource(graph: SubGraphT, op: OperatorT) -> bool:
    return any(graph.tensors[index].type == TensorType.RESOURCE for index in _indexes(op.inputs))


def _between(graph: SubGraphT, inputs: Collection[int], outputs: Iterable[int]) -> set[int]:
    """Return the places of the operations that compute `outputs` from `inputs`.

    Raises:
        ActionError: that takes an input of the model that is not among `inputs`.
    """
    makers = {int(index): place for place, op in enumerate(graph.operators) for index in _indexes(op.outputs)}
    kept: set[int] = set()
    stack = list(outputs)
    while stack:
        index = stack.pop()
        place = makers.get(index)
        if index in inputs or place in kept:
            continue
        if place is not None:
            kept.add(place)
            stack += _indexes(graph.operators[place].inputs)
        elif index in graph.inputs:
            name = _name(graph.tensors[index])
            message = f"what lies between the cut's inputs and its outputs needs the input `{name}` too"
            hint = f'add "{name}" to `cut.inputs`, or cut elsewhere'
            raise ActionError("incomplete-cut", message, setting="cut.inputs", help=hint)
    return kept


def _indexes(found: Iterable[int] | None) -> list[int]:
    """Return an operation's tensors; -1 stands for one that was left out."""
    return [] if found is None else [int(index) for index in found if index >= 0]


# the interpreter


def _ready(
    content: bytes, shapes: Mapping[int, Shape], threads: int, *, kernels: OpResolverType = OpResolverType.AUTO
) -> Interpreter:
    try:
        if shapes and kernels == OpResolverType.AUTO:
            # XNNPACK convolves 5 channels with a kernel for 3, and says nothing; TFLite's plain kernels do not.
            _allocated(content, shapes, threads, PLAIN)
        interpreter = _allocated(content, shapes, threads, kernels)
        for detail in interpreter.get_input_details():
            interpreter.set_tensor(detail["index"], np.zeros(detail["shape"], dtype=detail["dtype"]))
        interpreter.invoke()
    except (RuntimeError, ValueError) as error:
        message = f"TFLite's interpreter cannot run this model: {message_of(error)}"
        raise ActionError("tensorflow-cannot-run", message, setting="source") from error
    return interpreter


def _true(content: bytes, shapes: Mapping[int, Shape], threads: int) -> tuple[Interpreter | None, str, bool]:
    """Return what is nearer to the truth than a model that computes in integers, its name, and whether it is dear."""
    floats = floated(content)
    try:
        if floats is not None:
            return _ready(floats, shapes, threads), "the model with its weights in f32", False
        return _allocated(content, shapes, threads, OpResolverType.BUILTIN_REF), "TFLite's reference kernels", True
    except (ActionError, RuntimeError, ValueError):
        return None, "", False


def _allocated(content: bytes, shapes: Mapping[int, Shape], threads: int, kernels: OpResolverType) -> Interpreter:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it will move to another package, in a TensorFlow to come
        interpreter = Interpreter(model_content=content, num_threads=threads, experimental_op_resolver_type=kernels)
    for index, shape in shapes.items():
        interpreter.resize_tensor_input(index, _fixed(shape))
    interpreter.allocate_tensors()
    return interpreter


def _load(content: bytes, refusal: str) -> None:
    """Have TFLite look the model over; `_probe` has found that this kills nobody. Without a `refusal`, nothing is said.

    Raises:
        ActionError: it is none for this TFLite, whatever is fed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            Interpreter(model_content=content)
    except (RuntimeError, ValueError) as error:
        if refusal:
            message = f"{refusal}: {message_of(error)}"
            raise ActionError("tensorflow-cannot-load", message, setting="source", help=_UNCOMPARED) from error


def _fixed(shape: Shape) -> list[int]:
    return [1 if size == -1 else size for size in shape]


def _probe(content: bytes, shapes: Mapping[int, Shape], threads: int, refusal: str) -> None:
    """Run one inference in a process of its own.

    Raises:
        ActionError: it died. Other failures come again, with their messages, in this process.
    """
    order = {"threads": threads, "shapes": [[index, _fixed(shape)] for index, shape in shapes.items()]}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "ovmake.workers.reference.tflite_probe"],
        input=json.dumps(order).encode() + b"\n" + content,
        capture_output=True,
        check=False,
    )
    if done.returncode >= 0:
        return
    try:
        name = signal.Signals(-done.returncode).name
    except ValueError:
        name = f"signal {-done.returncode}"
    loaded = b"loaded" in done.stdout or not refusal
    code = "tensorflow-cannot-run" if loaded else "tensorflow-cannot-load"
    message = f"TFLite's interpreter died ({name}) on this model" if loaded else f"{refusal}: it died ({name})"
    said = tuple(done.stderr.decode(errors="replace").strip().splitlines()[-3:])
    raise ActionError(code, message, setting="source", notes=said, help=_UNCOMPARED)
