"""A metric that a user's Python function computes.

    def my_metric(outputs, labels): return ...

`outputs` is the output's array [samples, ...], or a dict of arrays by name if the model has several; `labels` is the
labels' array [samples, ...], None without labels. Both contain all samples. The function returns one number.

Outputs are stored whole, because the function needs all of them. The file is run afresh each time. It cannot import
other files of the user: the action depends on this file only.
"""

from __future__ import annotations

import importlib.util
import sys
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from ovmake.errors import ActionError, kind_and_message_of
from ovmake.workers.evaluation.metrics.tally import Metric, Tally
from ovmake.workers.inputs.preparing import Array
from ovmake.workers.ipc.user_code import noted

# A function may be slow, and is called twice for each draw.
REPLICATES = 200
SHUFFLES = 20
MODULE = "ovmake_user_metric"
MOST = int(sys.float_info.max)

Function = Callable[[object, Array | None], object]


class Own(Tally):
    """The user's function over all samples. The Ovfile states the direction; it has no unit."""

    replicates = REPLICATES

    def __init__(self, metric: Metric) -> None:
        super().__init__(metric)
        self._function = load(metric)
        self._outputs: dict[str, list[Array]] = {}
        self._labels: list[Array] = []
        self._shuffled: Array | None = None

    def add(self, outputs: Mapping[str, Array], labels: Array | None, expected: Mapping[str, Array]) -> None:
        """See `Tally`."""
        del expected
        for name, array in outputs.items():
            self._outputs.setdefault(name, []).append(np.array(array))
        if labels is not None:
            self._labels.append(labels)
        self.count += len(next(iter(outputs.values())) if labels is None else labels)

    def score(self) -> float:
        """See `Tally`."""
        return self._of(*self._joined(), None)

    def scores(self, draws: Array) -> Array:
        """See `Tally`."""
        outputs, labels = self._joined()
        everything = np.arange(self.count)
        return np.array([self._of(outputs, labels, np.repeat(everything, row.astype(int))) for row in draws])

    @property
    def blind(self) -> str:
        """See `Tally`."""
        return "giving the same answers to shuffled samples"

    def by_chance(self, draws: Array) -> Array | None:
        """See `Tally`: the mean score with shuffled labels, the same for all draws.

        None if the function takes no labels, fails on shuffled ones, or gives the same score for them, as a comparison
        of two means does.
        """
        outputs, labels = self._joined()
        if labels is None:
            return None
        if self._shuffled is None:
            generator = np.random.default_rng(0)
            try:
                orders = [generator.permutation(self.count) for _ in range(SHUFFLES)]
                self._shuffled = np.array([self._of(outputs, labels[order], None) for order in orders])
            except ActionError:
                self._shuffled = np.full(SHUFFLES, np.nan)
        alike = np.allclose(self._shuffled, self._shuffled[0]) or not np.isfinite(self._shuffled).all()
        return None if alike else np.full(len(draws), self._shuffled.mean())

    def _joined(self) -> tuple[dict[str, Array], Array | None]:
        outputs = {name: np.concatenate(parts) for name, parts in self._outputs.items()}
        for name, array in outputs.items():
            if len(array) != self.count:
                message = (
                    f"output `{name}` has {len(array)} rows for {self.count} samples; a metric needs one per sample"
                )
                raise ActionError("metric-shape", message, setting="accuracy.metric")
        return outputs, np.concatenate(self._labels) if self._labels else None

    def _of(self, outputs: Mapping[str, Array], labels: Array | None, drawn: Array | None) -> float:
        taken = {name: array.copy() if drawn is None else array[drawn] for name, array in outputs.items()}
        true = labels if labels is None else labels.copy() if drawn is None else labels[drawn]
        given = next(iter(taken.values())) if len(taken) == 1 else taken
        try:
            with noted(self.metric.options.note, self.metric.name):
                value = self._function(given, true)
        except BaseException as error:  # also SystemExit and KeyboardInterrupt: the user's code failed
            raise _failed(self.metric, error) from error
        return _number(value, self.metric)


def _number(value: object, metric: Metric) -> float:
    """Return a function's result as a number.

    Raises:
        ActionError: it is not a number.
    """
    if not isinstance(value, int | float | np.number) and not (isinstance(value, np.ndarray) and value.ndim == 0):
        message = f"`{metric.name}` returned {_kind(value)}, and a metric must be one number"
        raise ActionError("metric-value", message, setting="accuracy.metric")
    if isinstance(value, int) and abs(value) > MOST:  # 10**400, which is too long for a message
        message = f"`{metric.name}` returned a whole number of {value.bit_length()} bits, more than a float holds"
        raise ActionError("metric-value", message, setting="accuracy.metric")
    if np.iscomplexobj(value) or np.asarray(value).dtype.kind not in "biuf":
        message = f"`{metric.name}` returned {np.asarray(value).dtype}, and a metric must be one real number"
        raise ActionError("metric-value", message, setting="accuracy.metric")
    return float(value)


def load(metric: Metric) -> Function:
    """Return the function.

    Raises:
        ActionError: its file cannot be run, or has no such function.
    """
    file, _, name = metric.name.rpartition(":")
    path = metric.options.source
    spec = importlib.util.spec_from_file_location(MODULE, path) if path else None
    if spec is None or spec.loader is None:
        raise ActionError("user-code", f"cannot read `{file}`", setting="accuracy.metric")
    module = importlib.util.module_from_spec(spec)
    try:
        with noted(metric.options.note, metric.name):
            spec.loader.exec_module(module)
    except BaseException as error:
        raise _failed(metric, error) from error
    function = getattr(module, name, None)
    if not callable(function):
        raise ActionError("user-code", f"`{file}` has no function `{name}`", setting="accuracy.metric")
    return function  # type: ignore[no-any-return]


def _failed(metric: Metric, error: BaseException) -> ActionError:
    """Return the user's error, with its line in the user's file."""
    file, _, _ = metric.name.rpartition(":")
    source = str(metric.options.source)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == source]
    lines = [error.lineno] if isinstance(error, SyntaxError) else [frame.lineno for frame in frames[-1:]]
    notes = tuple(f"raised at {file}:{line}{_line(source, line)}" for line in lines if line)
    message = f"`{metric.name}` failed: {kind_and_message_of(error)}"
    hint = "a metric may read only its own file" if isinstance(error, PermissionError) else ""
    return ActionError("user-code", message, setting="accuracy.metric", notes=notes, help=hint)


def _line(source: str, number: int) -> str:
    lines = Path(source).read_text(errors="replace").splitlines()
    return f": {lines[number - 1].strip()}" if 0 < number <= len(lines) else ""


def _kind(value: object) -> str:
    return f"an array {list(value.shape)}" if isinstance(value, np.ndarray) else f"a {type(value).__name__}"
