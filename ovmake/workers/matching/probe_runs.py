"""Run models with inner tensors as additional outputs, a group of tensors at a time.

    for group in groups(places, sizes_of(model, where, feeds)):
        values = run(model, {place: where[place] for place in group}, feeds)      place -> an array per feed
    computed = run_tensorflow(request, source, {place: tensor}, feeds)            the same in TensorFlow's worker

A *place* is the number of a tensor. The values of a group fit into `GROUP_BYTES`: all layers of a ResNet-50 take
140 MB a sample.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import openvino as ov

from ovmake.contracts.codec import encode_object
from ovmake.contracts.params.helping import LayersParams
from ovmake.contracts.params.source import SourceParams
from ovmake.errors import ActionError, message_of
from ovmake.workers.conversion import ir
from ovmake.workers.inputs.preparing import Array
from ovmake.workers.ipc.helper_worker import ask_tensorflow
from ovmake.workers.ipc.protocol import Request
from ovmake.workers.matching.graph_matching import Order, Port

GROUP_BYTES = 64 << 20
# The assumed size of tensors whose size is dynamic even with static inputs.
_GUESS_BYTES = 4 << 20
_MARK = "ovmake-layer:"


Feeds = Sequence[Mapping[str, Array]]
Values = Mapping[int, list[Array]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """The location of a tensor in a model: its value is the port's value, transposed by `order`.

    `integers`: the values are TFLite's integers, not the numbers that they represent.
    """

    port: Port
    order: Order = ()
    integers: bool = False


def name_of(place: int) -> str:
    """Return the tensor name that marks a place."""
    return f"{_MARK}{place}"


def place_of_name(name: str) -> int | None:
    """Return the place that a tensor name marks, None for other names."""
    return int(name.removeprefix(_MARK)) if name.startswith(_MARK) else None


def groups(places: Iterable[int], sizes: Mapping[int, int]) -> Iterator[list[int]]:
    """Yield the places in groups that fit into `GROUP_BYTES`."""
    group: list[int] = []
    total = 0
    for place in places:
        if group and total + sizes[place] > GROUP_BYTES:
            yield group
            group, total = [], 0
        group.append(place)
        total += sizes[place]
    if group:
        yield group


def sizes_of(model: ov.Model, where: Mapping[int, Probe], feeds: Feeds) -> dict[int, int]:
    """Return the bytes of each place in all feeds together."""
    fitted = model.clone()
    try:
        fitted.reshape({port: list(array.shape) for port, array in _fed(fitted, feeds[0])})
    except RuntimeError:
        fitted = model
    operations = fitted.get_ordered_ops()
    shapes = {p: operations[at.port[0]].output(at.port[1]).get_partial_shape() for p, at in where.items()}
    return {
        place: len(feeds) * (4 * int(np.prod(shape.to_shape())) if shape.is_static else _GUESS_BYTES)
        for place, shape in shapes.items()
    }


def run(
    model: ov.Model, where: Mapping[int, Probe], feeds: Feeds, properties: Mapping[str, str] = ir.COMPILE_PROPERTIES
) -> dict[int, list[Array]]:
    """Return the values at the places, one array per feed. A place is left out if the CPU plugin fails with an output.

    Raises:
        ActionError: OpenVINO cannot run it with any of these outputs.
    """
    found, failure = _run_or_halve(model, where, feeds, properties)
    if failure is not None and not found:
        message = f"OpenVINO cannot run the IR with its layers as outputs: {message_of(failure)}"
        raise ActionError("cannot-compile", message, setting="device") from failure
    return found


def _run_or_halve(
    model: ov.Model, where: Mapping[int, Probe], feeds: Feeds, properties: Mapping[str, str]
) -> tuple[dict[int, list[Array]], RuntimeError | None]:
    try:
        return _run(model, where, feeds, properties), None
    except RuntimeError as error:
        failure = error
    places = list(where)
    found: dict[int, list[Array]] = {}
    for half in (places[: len(places) // 2], places[len(places) // 2 :]):
        if 0 < len(half) < len(places):
            found |= _run_or_halve(model, {place: where[place] for place in half}, feeds, properties)[0]
    return found, failure


def _run(
    model: ov.Model, where: Mapping[int, Probe], feeds: Feeds, properties: Mapping[str, str]
) -> dict[int, list[Array]]:
    compiled = ov.Core().compile_model(_ending_at(model, where.values()), "CPU", dict(properties))
    request = compiled.create_infer_request()
    values: dict[int, list[Array]] = {place: [] for place in where}
    for feed in feeds:
        results = request.infer(dict(enumerate(array for _, array in _fed(model, feed))), share_inputs=True)
        for index, (place, at) in enumerate(where.items()):
            array = results[index]
            values[place].append(np.array(array.transpose(at.order) if at.order else array))
    return values


def _ending_at(model: ov.Model, spots: Iterable[Probe]) -> ov.Model:
    """Return a model with exactly these outputs, in this order. It shares the operations of `model`."""
    operations = model.get_ordered_ops()
    results = [ov.opset13.result(operations[spot.port[0]].output(spot.port[1])) for spot in spots]
    return ov.Model(results, model.get_sinks(), model.get_parameters(), "layers")


def _fed(model: ov.Model, feed: Mapping[str, Array]) -> list[tuple[ov.Output, Array]]:
    """Return a model's inputs with their arrays: by name, or by index if the names differ."""
    names = [ir.user_name(port.get_node().get_friendly_name()) for port in model.inputs]
    arrays = [feed[name] for name in names] if set(names) == set(feed) else list(feed.values())
    return list(zip(model.inputs, arrays, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed:
    """TensorFlow's values by place, one array per feed; `steps` are the step sizes of TFLite's integers."""

    values: Values
    steps: Mapping[int, float]


def run_tensorflow(
    request: Request, source: SourceParams, tensors: Mapping[int, str], feeds: Feeds, integers: Iterable[str] = ()
) -> Computed:
    """Return TensorFlow's values of some tensors of the request's source.

    `integers` are TFLite's tensors to return as integers instead of the numbers that they represent. A tensor without
    numbers (a list, a resource) is left out.

    Raises:
        ActionError: TensorFlow cannot run the source.
    """
    with tempfile.TemporaryDirectory(prefix="ovmake-") as folder:
        inputs = {role: path for role, path in request.inputs.items() if role not in {"xml", "bin", "dataset"}}
        asked = Request(
            id=1,
            kind="layers",
            params=encode_object(
                LayersParams(source=source, tensors=tuple(tensors.values()), integers=tuple(integers))
            ),
            inputs={**inputs, "feeds": f"{folder}/feeds.npz"},
            outputs={"values": f"{folder}/values.npz"},
            log=request.log,
        )
        named = {f"{turn}_{name}": array for turn, feed in enumerate(feeds) for name, array in feed.items()}
        np.savez(asked.inputs["feeds"], allow_pickle=False, **named)
        response = ask_tensorflow(asked)
        if response is None:
            raise ActionError("worker-died", "TensorFlow's worker ended while it ran the layers", setting="source")
        if not response.ok:
            help_, notes, setting = response.help, response.notes, response.setting
            raise ActionError(response.code, response.message, help=help_, notes=notes, setting=setting)
        steps = response.facts.get("steps")
        return Computed(
            values=_values(Path(asked.outputs["values"]), list(tensors), len(feeds)),
            steps={p: steps[t] for p, t in tensors.items() if t in steps} if isinstance(steps, dict) else {},
        )


def _values(path: Path, places: Sequence[int], turns: int) -> dict[int, list[Array]]:
    with np.load(path, allow_pickle=False) as stored:
        there = set(stored.files)
        return {
            place: [stored[f"{turn}_{index}"] for turn in range(turns)]
            for index, place in enumerate(places)
            if f"0_{index}" in there
        }
