"""The datasets that fit a model, for validation and for calibration. Pure.

    plan = plan_data(description, [Found(path="data/val.npz", data=data), ...])
    plan.validation, plan.calibration       a Use each, None if no dataset fits

An array fits an input by its shape and type; if several fit, the one with the input's name is taken. Labels are whole
numbers below the number of classes, or arrays with the shape of the output. The name of a file says whether it is for
validation or calibration. If it does not, labelled data is for validation, the rest for calibration.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ovmake.commands.inspect.description import Description
from ovmake.contracts.files.inspected import Data, DataColumn, Port

_VALIDATES = re.compile(r"val|test|eval|dev|holdout")
_CALIBRATES = re.compile(r"cal|train|repr")
_LABELS = ("y", "label", "labels", "target", "targets", "class", "classes", "y_test", "y_val", "y_true", "output")
_FLOATS, _WHOLE = {"f16", "bf16", "f32", "f64"}, {"i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64"}
_CHANNELS = (1, 3)
# The default number of samples for a gate: more take too long.
MOST_SAMPLES = 5_000
# The least number of samples for a gate: fewer cannot resolve a drop of 0.01.
LEAST_SAMPLES = 20
LEAST_CALIBRATING = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A dataset by its path, relative to the Ovfile."""

    path: str
    data: Data


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """The use of a dataset by a model.

    `inputs` are the columns of each input, empty for a folder, which has no names. `labels` is the column with the
    right answers, None: no labels; for a folder "", its classes. `resize` is (height, width) if images are resized.
    `pixels`: inputs that get numbers from 0 to 255. `files` are folders with the images of a table, relative to the
    table's folder.
    """

    found: Found
    inputs: Mapping[str, tuple[str, ...]]
    labels: str | None = None
    metric: str = ""
    classes: tuple[str, ...] = ()
    common: float = 0.0
    resize: tuple[int, int] | None = None
    pixels: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPlan:
    """The validation and the calibration data of a model."""

    validation: Use | None = None
    calibration: Use | None = None


def plan_data(description: Description, found: Sequence[Found]) -> DataPlan:
    """Return the datasets that fit a model best."""
    uses = [use for one in found if (use := _use(description, one)) is not None]
    labelled = [use for use in uses if use.metric and use.found.data.count >= LEAST_SAMPLES]
    validation = min(labelled, key=_as_validation, default=None)
    others = [
        use
        for use in uses
        if (validation is None or use.found != validation.found)
        and use.found.data.count >= LEAST_CALIBRATING
        and not _VALIDATES.search(_name(use))
    ]
    calibration = min(others, key=lambda use: not _CALIBRATES.search(_name(use)), default=None)
    return DataPlan(validation=validation, calibration=calibration)


def _name(use: Use) -> str:
    return use.found.path.lower()


def _as_validation(use: Use) -> tuple[bool, bool, int]:
    """Return a sort key: validation data by name first, then data not named for calibration; larger ones first."""
    return (not _VALIDATES.search(_name(use)), bool(_CALIBRATES.search(_name(use))), -use.found.data.count)


def _use(description: Description, found: Found) -> Use | None:
    """Return the use of a dataset that feeds all inputs of a model, None if it cannot."""
    data = found.data
    taken: dict[str, tuple[str, ...]] = {}
    pixels: list[str] = []
    resize: tuple[int, int] | None = None
    files: tuple[str, ...] = ()
    label = _label(description, data)
    left = [column for column in data.columns if label is None or column.name != label.name or not column.name]
    for port in description.inputs:
        columns = _feeding(port, left, data.form)
        if not columns:
            return None
        taken[port.name] = tuple(column.name for column in columns)
        left = [column for column in left if column not in columns]
        first = columns[0]
        if first.kind == "image":
            resize, files = _size(port), first.words
        if port.type in _FLOATS and len(port.shape or ()) == 4 and _is_bytes(first):  # noqa: PLR2004 - images
            pixels.append(port.name)
    metric = _metric(description, label)
    return Use(
        found=found,
        inputs={} if data.form == "images" else taken,
        labels=None if label is None else label.name,
        metric=metric,
        classes=() if label is None else label.words,
        common=0.0 if label is None else label.common,
        resize=resize,
        pixels=tuple(pixels),
        files=files,
    )


def _is_bytes(column: DataColumn) -> bool:
    return column.kind == "image" or (column.kind == "integers" and column.low >= 0 and 1 < column.high <= 255)  # noqa: PLR2004


def _size(port: Port) -> tuple[int, int] | None:
    shape = port.shape or ()
    sides = shape[1:3] if shape[-1:] and shape[-1] in _CHANNELS else shape[2:4]
    return (sides[0], sides[1]) if len(sides) == 2 and min(sides) > 0 else None  # noqa: PLR2004


def _feeding(port: Port, columns: Sequence[DataColumn], form: str) -> list[DataColumn]:
    """Return the columns that feed an input: one, or several number columns of a table."""
    if port.shape is None or not port.shape or port.shape[0] != -1:
        return []  # a sample is one of a batch
    fitting = [column for column in columns if _fits(port, column)]
    named = [column for column in fitting if column.name in {port.name, port.name.removesuffix(":0")}]
    if named or len(fitting) == 1 or (fitting and form == "images"):
        return (named or fitting)[:1]
    if fitting:
        return [fitting[0]] if form == "arrays" and fitting[0].name in {"x", "X", "image", "images", "inputs"} else []
    numbers = [column for column in columns if column.kind in {"integers", "floats"} and not column.shape]
    together = form == "table" and len(port.shape) == 2 and port.shape[1] == len(numbers)  # noqa: PLR2004
    return numbers if together and port.type in _FLOATS else []


def _fits(port: Port, column: DataColumn) -> bool:
    sample = (port.shape or ())[1:]
    if column.kind == "image":
        return len(sample) == 3 and (sample[-1] in _CHANNELS or sample[0] in _CHANNELS)  # noqa: PLR2004
    kinds = {"integers", "floats"} if port.type in _FLOATS else {"integers"} if port.type in _WHOLE else set()
    if column.kind not in kinds:
        return False
    if len(column.shape) == 1 and len(sample) > 1 and -1 not in sample:  # a feature of a record has no shape
        return False
    return len(sample) == len(column.shape) and all(
        wanted in (-1, size) for wanted, size in zip(sample, column.shape, strict=True)
    )


def _label(description: Description, data: Data) -> DataColumn | None:
    """Return the column with the right answers."""
    if len(description.outputs) != 1 or description.outputs[0].type not in _FLOATS:
        return None
    output = description.outputs[0]
    if data.form == "images":
        classes = len(data.classes)
        column = data.columns[0] if data.columns else None
        return column if column and classes > 1 and classes == _classes(output) else None
    answers = [column for column in data.columns if _answers(output, column)]
    named = [column for name in _LABELS for column in answers if column.name.lower() == name]
    inputs = {port.name for port in description.inputs}
    others = [column for column in answers if column.name not in inputs]
    return named[0] if named else others[0] if len(others) == 1 else None


def _classes(output: Port) -> int:
    shape = output.shape or ()
    return shape[1] if len(shape) == 2 else 0  # noqa: PLR2004


def _answers(output: Port, column: DataColumn) -> bool:
    """Whether a column may hold the right answers: classes, or numbers of the output's shape."""
    classes = _classes(output)
    single = column.shape in {(), (1,)}
    if classes > 1:
        if column.kind == "words":
            return len(column.words) == classes
        return single and column.kind == "integers" and column.low >= 0 and 0 < column.high < classes
    sample = (output.shape or ())[1:]
    return bool(sample) and column.kind == "floats" and (column.shape == sample or (single and sample == (1,)))


def _metric(description: Description, label: DataColumn | None) -> str:
    if label is None:
        return ""
    return "accuracy" if _classes(description.outputs[0]) > 1 else "mae"
