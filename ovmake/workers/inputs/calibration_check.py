"""check-calibration: check that samples can calibrate INT8, before they do.

params      CheckCalibrationParams
inputs      interface, dataset; validation
outputs     checked: contracts.files.calibration.CheckedCalibration
            passed: what a loader yielded, contracts.files.reference.Pass; null of other datasets

NNCF takes the ranges of all activations from these samples. A NaN among them silently corrupts every range, so it is an
error. Samples that are also in the validation set are an error too. Too few samples, copies of one sample, or a range
that differs from the validation set's (0 to 1 and 0 to 255) give a warning, since they may be intended. Each sample is
read once, as the model gets it.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ovmake.contracts.codec import save
from ovmake.contracts.files.calibration import CheckedCalibration
from ovmake.contracts.files.interface import Interface
from ovmake.contracts.params.data import SampleParams
from ovmake.contracts.params.evaluation import CheckCalibrationParams
from ovmake.errors import ActionError
from ovmake.workers.inputs.preparing import Array
from ovmake.workers.inputs.samples import Samples, calibrating, take
from ovmake.workers.ipc.protocol import Request, warning

DIGEST_BYTES = 16
SHOWN = 5
# How many values of a sample are kept to estimate the range, and from how many samples.
VALUES, SAMPLES = 256, 1000
# The range lies between these quantiles of all values, so that an outlier does not change it.
BULK = (0.01, 0.99)
# Two ranges are alike if their intersection is at least this share of their union.
ALIKE = 0.25
# A range has negative values if they reach this share of its width.
NEGATIVE = 0.1
# Without a number in the Ovfile, one in so many of the default number of samples is enough.
FEW = 10
# A warning is given if at most one in so many samples differs.
COPIES = 10


@dataclass(slots=True, kw_only=True)
class InputStatistics:
    """Statistics of one input's values: minimum, maximum, a few values of each sample, and non-finite values."""

    label: str
    low: float = math.inf
    high: float = -math.inf
    spoilt: list[int] = field(default_factory=list)
    is_nan: bool = False
    values: list[Array] = field(default_factory=list)

    def add(self, number: int, array: Array, *, keep: bool) -> None:
        """Add one sample; `keep` a few of its values."""
        if array.dtype.kind == "f":
            finite = np.isfinite(array)
            if not finite.all():
                self.spoilt.append(number)
                self.is_nan |= bool(np.isnan(array).any())
                array = array[finite]
        if not array.size:
            return
        self.low, self.high = min(self.low, float(array.min())), max(self.high, float(array.max()))
        if keep:
            flat = array.reshape(-1)
            self.values.append(flat[:: math.ceil(flat.size / VALUES)].astype(np.float64))

    @property
    def bulk(self) -> tuple[float, float]:
        """The range of nearly all values."""
        low, high = np.quantile(np.concatenate(self.values), BULK)
        return float(low), float(high)

    @property
    def words(self) -> str:
        """The whole range."""
        return f"from {self.low:.4g} to {self.high:.4g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplePass:
    """A pass over samples: the digest of each by its number in the dataset, and statistics of each numeric input."""

    digests: Mapping[int, bytes]
    statistics: Mapping[str, InputStatistics]


def check_calibration(request: Request) -> dict[str, object]:
    """Check the calibration samples, and compare them with the validation set; write `checked` and `passed`.

    Raises:
        ActionError: a sample does not fit the model, has a non-finite value, or is also in the validation set.
    """
    asked, interface = request.asked(CheckCalibrationParams), Interface.read(request.inputs["interface"])
    given = SampleParams(dataset=asked.dataset, seed=asked.seed)
    calibration = calibrating(request, interface, given, asked.samples)
    # The validation set is read first: an overlap is found while the calibration set is read.
    validation = SampleParams(dataset=asked.validation, seed=asked.seed)
    judging = _see(take(request, interface, validation, "validation")) if asked.validation else None
    seen = _see(calibration)
    _check_finite(seen, asked)
    overlap = None if judging is None else _check_overlap(seen, judging, asked)
    doubts = _doubts(seen, judging, asked)
    checked = CheckedCalibration(
        samples=calibration.count, overlap=overlap, doubts=tuple(text for _, text, _ in doubts)
    )
    save(checked, request.outputs["checked"])
    save(calibration.yielded.passed if calibration.yielded else None, request.outputs["passed"])
    if not doubts:
        return {}
    (code, text, hint), *others = doubts
    return warning(code, text, notes=tuple(other for _, other, _ in others), hint=hint, setting="calibration")


def _see(samples: Samples) -> SamplePass:
    statistics = {
        name: InputStatistics(label=column.label)
        for name, column in samples.columns.items()
        if _has_range(column.dtype)
    }
    every = math.ceil(samples.count / SAMPLES)
    digests = {}
    for place, (number, arrays) in enumerate(_each(samples)):
        digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
        for name, array in arrays:
            digest.update(str(array.shape).encode())
            digest.update(array.tobytes())
            if name in statistics:
                statistics[name].add(number, array, keep=place % every == 0)
        digests[number] = digest.digest()
    return SamplePass(digests=digests, statistics=statistics)


def _has_range(dtype: np.dtype[np.generic]) -> bool:
    """Whether values of a type have a range. Integers of 16 bits and more mostly are identifiers, such as tokens."""
    return dtype.kind == "f" or (dtype.kind in "iu" and dtype.itemsize == 1)


def _each(samples: Samples) -> Iterator[tuple[int, list[tuple[str, Array]]]]:
    """Yield each sample's number in the dataset, and its inputs by name as the model gets them."""
    for numbers in samples.numbers():
        arrays = {name: np.ascontiguousarray(samples.columns[name].rows(numbers)) for name in sorted(samples.columns)}
        for place, number in enumerate(numbers.tolist()):
            yield number, [(name, np.asarray(array[place])) for name, array in arrays.items()]


def _check_finite(seen: SamplePass, asked: CheckCalibrationParams) -> None:
    for one_input in seen.statistics.values():
        if one_input.spoilt:
            what = "NaN" if one_input.is_nan else "infinite values"
            named, count = f"{one_input.label} of `{asked.calibration}`", len(seen.digests)
            message = f"{named} has {what} in {len(one_input.spoilt)} of the {count} samples that calibrate INT8"
            raise ActionError(
                "calibration-not-finite",
                f"{message}, first in sample {min(one_input.spoilt)}",
                notes=("NNCF takes the ranges of activations from these samples, and needs finite numbers",),
                help="remove these samples, or find the cause: a division by a deviation of 0, a mask, a failed decode",
                setting="calibration",
            )


def _check_overlap(seen: SamplePass, judging: SamplePass, asked: CheckCalibrationParams) -> int:
    """Return the number of samples that are in both sets."""
    first: dict[bytes, int] = {}
    for number, digest in judging.digests.items():
        first.setdefault(digest, number)
    both = [(number, first[digest]) for number, digest in seen.digests.items() if digest in first]
    if len(both) > asked.max_overlap:
        raise _overlap(both, len(seen.digests), asked)
    return len(both)


def _overlap(both: list[tuple[int, int]], count: int, asked: CheckCalibrationParams) -> ActionError:
    calibration, validation = asked.calibration, asked.validated_by
    listed = ", ".join(f"{number} ({other})" for number, other in both[:SHOWN])
    message = f"{len(both)} of the {count} samples that calibrate INT8 are also in `{validation}`, which validates it"
    return ActionError(
        "calibration-overlaps-validation",
        message,
        notes=(f"their numbers in `{calibration}` (and in `{validation}`): {listed}{', ...' if both[SHOWN:] else ''}",),
        help=f"remove them; or, if it is coincidence, set `max-overlap = {len(both)}` in [datasets.{calibration}]",
        setting="calibration",
    )


Doubt = tuple[str, str, str]


def _doubts(seen: SamplePass, judging: SamplePass | None, asked: CheckCalibrationParams) -> list[Doubt]:
    """Return the warnings about the samples, the most important first: code, message, help."""
    calibration, validation = asked.calibration, asked.validated_by
    found: list[Doubt] = []
    for name, one_input in seen.statistics.items():
        other = judging.statistics[name] if judging else None
        if other is not None and one_input.values and other.values and not _alike(one_input.bulk, other.bulk):
            here = f"input `{name}` runs {one_input.words} in `{calibration}`, which calibrates"
            hint = "prepare both in the same way: the model cannot know that one of them was scaled"
            found.append(("calibration-range", f"{here}, and {other.words} in `{validation}`, which validates", hint))
    count, different = len(seen.digests), len(set(seen.digests.values()))
    if count > 1 and different * COPIES <= count:
        word = "all the same" if different == 1 else f"copies of {different}"
        hint = "give it samples that differ as those of real use do"
        found.append(("calibration-copies", f"the {count} samples of `{calibration}` that calibrate are {word}", hint))
    flat = [name for name, one_input in seen.statistics.items() if one_input.values and one_input.low == one_input.high]
    if flat and different > 1:
        named = ", ".join(f"`{name}`" for name in flat)
        hint = "give it samples that differ as those of real use do"
        found.append(("calibration-copies", f"all values of {named} are the same in `{calibration}`", hint))
    wanted = asked.samples
    if count < (wanted if asked.samples_written else wanted // FEW):
        plural = "" if count == 1 else "s"
        message = f"`{calibration}` has {count} sample{plural} to calibrate INT8, and {wanted} are requested"
        found.append(("calibration-few", message, f"add some; or, if it is meant, `samples = {count}`"))
    return found


def _alike(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether two ranges are of the same kind of data: they overlap enough, and agree on having negative values."""
    shared = min(one[1], other[1]) - max(one[0], other[0])
    covered = max(one[1], other[1]) - min(one[0], other[0])
    if covered <= 0:
        return True
    signs = {low < -NEGATIVE * (high - low) for low, high in (one, other)}
    return shared / covered >= ALIKE and len(signs) == 1
