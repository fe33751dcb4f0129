"""A .tflite model run by TFLite's own interpreter, as the reference of its IR.

    model = TfliteKernels.load(source, inputs={"image": ("x:0", (1, 96, 96, 3))}, outputs={"scores": "Softmax"})
    model(feed)                 input name -> array; returns output name -> array

Inputs and outputs may be any tensors of the model, also inner ones: the model is rewritten to begin and end there, and
the interpreter runs only that part. Tensors that the TFLite converter fused (a convolution's result before its
activation) or folded into constants are not in the file, so they are unavailable.

Rule 1: arrays are the interpreter's own: those of a quantized model are integers.
Rule 2: the interpreter trusts a model, and some models crash its process. So one inference first runs in another
        process (see tflite_probe.py); a crash there is an error here.
"""

from __future__ import annotations

import functools
import json
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from tensorflow.lite.python.interpreter import Interpreter, OpResolverType
from tensorflow.lite.python.schema_py_generated import ModelT
from tensorflow.lite.tools import flatbuffer_utils

from ovmake.errors import ActionError, message_of
from ovmake.sources.screening.screen import screen
from ovmake.workers.inputs.perturbation import perturbed
from ovmake.workers.inputs.preparing import Array
from ovmake.workers.reference.tflite_file import (
    by_name,
    computes_in_integers,
    cut,
    index_of,
    is_whole,
    parsed,
    quantum,
)
from ovmake.workers.reference.tflite_truth import floated

Shape = tuple[int, ...]

PLAIN = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
_UNCOMPARED = "build without the comparison, `accuracy = false`, or use a model that TFLite can run"


@dataclass(frozen=True, slots=True, kw_only=True)
class TfliteKernels:
    """A model that is ready to run. `inputs`, `outputs`: tensor indexes by name; `operations`: their number.

    `fixed` are the inputs that are constants, by index. `plain` is the same model in TFLite's own kernels, without
    XNNPACK, if it computes in integers: these kernels round differently. `quanta` are the step sizes of outputs that
    are integers, or are dequantized at the very end. `make` makes a new interpreter. `true` is the model in a higher
    precision, or in the kernels that define it; None for a model in floating point.
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
    truth_is_slow: bool = False

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
    ) -> TfliteKernels:
        """Load the part of a model from `inputs` (tensor and shape by name; None: the model's shape) to `outputs`.

        -1 in a shape: the size of the feed. `constants` are the values of constant inputs, by tensor. `allowed` names
        TensorFlow operations that may run although they have side effects.

        Raises:
            ActionError: TFLite cannot load it, or cannot run this part of it; it has side effects; or it lacks such a
                tensor, or needs a further input.
        """
        part = _part(source, inputs, outputs, constants or {}, allowed)
        _probe(part.content, part.shapes, threads, part.refusal)
        _load(part.content, part.refusal)
        return _made(part, threads)

    def __call__(self, feed: Mapping[str, Array]) -> dict[str, Array]:
        """Run once.

        Raises:
            RuntimeError, ValueError: the interpreter's own.
        """
        return self._run(self.interpreter, feed)

    def renewed(self) -> TfliteKernels:
        """Return the same model in another interpreter."""
        return replace(self, interpreter=self.make())

    def again(self, feed: Mapping[str, Array]) -> dict[str, Array] | None:
        """See `ReferenceModel`: in integers, the different kernels are TFLite's own, without XNNPACK."""
        if self.plain is not None:
            return self._run(self.plain, feed)
        moved = perturbed(feed)
        return None if moved is None else self(moved)

    def truth(self, feed: Mapping[str, Array]) -> dict[str, Array]:
        """See `ReferenceModel`."""
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
        """Resize the inputs to the shapes of the feed."""
        now = {detail["index"]: tuple(detail["shape"]) for detail in interpreter.get_input_details()}
        changed = {index: feed[name].shape for name, index in self.inputs.items() if feed[name].shape != now[index]}
        for index, shape in changed.items():
            interpreter.resize_tensor_input(index, shape)
        if changed:
            interpreter.allocate_tensors()


# the part of the file that is run


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A model cut to the requested inputs and outputs, and the shapes of the fed arrays, by tensor.

    `refusal`: the beginning of the error if TFLite cannot load it; "" for a part, because the source may be intact.
    """

    model: ModelT
    content: bytes
    inputs: Mapping[str, int]
    outputs: Mapping[str, int]
    fixed: Mapping[int, Array]
    shapes: Mapping[int, Shape]
    refusal: str


def _part(
    source: Path,
    inputs: Mapping[str, tuple[str, Shape | None]],
    outputs: Mapping[str, str],
    constants: Mapping[str, Array],
    allowed: Collection[str],
) -> _Part:
    model = parsed(source, allowed)
    screen(source, "tflite", allowed)
    tensors = by_name(model)
    fed = {name: index_of(tensors, tensor, "inputs") for name, (tensor, _) in inputs.items()}
    given = {name: index_of(tensors, tensor, "outputs") for name, tensor in outputs.items()}
    content = source.read_bytes()
    fixed = {index_of(tensors, tensor, "inputs"): array for tensor, array in constants.items()}
    begin = [*fed.values(), *fixed]
    whole = is_whole(model, begin, given.values())
    if not whole:
        cut(model, begin, list(given.values()))
        content = bytes(flatbuffer_utils.convert_object_to_bytearray(model))
    shapes = {fed[name]: shape for name, (_, shape) in inputs.items() if shape is not None}
    return _Part(
        model=model,
        content=content,
        inputs=fed,
        outputs=given,
        fixed=fixed,
        shapes={**shapes, **{index: array.shape for index, array in fixed.items()}},
        refusal=f"TFLite cannot load `{source.name}`" if whole else "",
    )


def _made(part: _Part, threads: int) -> TfliteKernels:
    """Make the interpreters of a part; see `TfliteKernels` for what each is for."""
    make = functools.partial(_ready, part.content, part.shapes, threads)
    in_integers = computes_in_integers(part.model)
    true, truth_name, slow = _true(part.content, part.shapes, threads) if in_integers else (None, "", False)
    return TfliteKernels(
        make=make,
        interpreter=make(),
        plain=make(kernels=PLAIN) if in_integers else None,
        true=true,
        truth_name=truth_name,
        truth_is_slow=slow,
        quanta={name: step for name, index in part.outputs.items() if (step := quantum(part.model, index))},
        inputs=part.inputs,
        outputs=part.outputs,
        fixed=part.fixed,
        operations=sum(len(subgraph.operators) for subgraph in part.model.subgraphs),
    )


# the interpreter


def _ready(
    content: bytes, shapes: Mapping[int, Shape], threads: int, *, kernels: OpResolverType = OpResolverType.AUTO
) -> Interpreter:
    try:
        if shapes and kernels == OpResolverType.AUTO:
            # XNNPACK convolves 5 channels with a kernel for 3 without an error; TFLite's plain kernels refuse it.
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
    """Return a more precise version of a model that computes in integers, its name, and whether it is slow."""
    floats = floated(content)
    try:
        if floats is not None:
            return _ready(floats, shapes, threads), "the model with its weights in f32", False
        return _allocated(content, shapes, threads, OpResolverType.BUILTIN_REF), "TFLite's reference kernels", True
    except (ActionError, RuntimeError, ValueError):
        return None, "", False


def _allocated(content: bytes, shapes: Mapping[int, Shape], threads: int, kernels: OpResolverType) -> Interpreter:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a warning that it will move to another package
        interpreter = Interpreter(model_content=content, num_threads=threads, experimental_op_resolver_type=kernels)
    for index, shape in shapes.items():
        interpreter.resize_tensor_input(index, _fixed(shape))
    interpreter.allocate_tensors()
    return interpreter


def _load(content: bytes, refusal: str) -> None:
    """Load the model with TFLite; `_probe` has shown that it does not crash. Without a `refusal`, errors are ignored.

    Raises:
        ActionError: this TFLite cannot load it, independent of the inputs.
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
        ActionError: the process died. Other failures recur in this process, with their messages.
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
