"""The text of a starter Ovfile.

    text = starter([Entry(name="digits", source="models/digits", description=..., ...)])
    text = starter(entries, uncommented=SUGGESTED)     with the suggested settings active, for a trial

The file builds as it is, and with any of its commented settings. A line that begins with `#` and no blank is one
setting in TOML, which works without any other line. Lines that begin with `# ` are prose. A model that cannot be built
is a prose comment with the reason.

Names and text from models may come from strangers: TOML strings quote them, and in comments they cannot end the line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from ovmake.commands.inspect.data import MOST_SAMPLES, DataPlan, Use
from ovmake.commands.inspect.description import Description
from ovmake.commands.inspect.tables import harmless, shape_of
from ovmake.contracts.files.inspected import Port
from ovmake.contracts.source_kinds import title_of
from ovmake.units import size_in_words

_HEAD = """\
# Written by `ovmake init`. `ovmake build` makes build/MODEL/PRECISION/MODEL.xml, `ovmake report` measures the speed.
# Lines that begin with # and no blank are optional settings: remove the # to use one. `ovmake inspect MODEL` describes
# a model, Ovfile.example shows every key.

version = 1

[defaults]
precisions = ["fp32", "fp16"]
"""
_NO_DATA = """\
# INT8 needs a few hundred typical samples for calibration, and accuracy needs different samples with the right answers:
# an .npz with an array for each input, a .csv, a folder of images or TFRecords. `ovmake init -f FILE` searches again.
"""
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_FLOATS = {"f16", "bf16", "f32", "f64"}
_IMAGE_RANK = 4
_CHANNELS = (1, 3, 4)
_SIDE, _LENGTH = 224, 128
# The kinds of suggested settings.
SUGGESTED: tuple[str, ...] = ("batch", "shape", "mean", "scale")


NO_DATA = DataPlan()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """The scaling of pixels from 0 to 255: (x - mean) / scale."""

    mean: float
    scale: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A model of the Ovfile. Without a `description` it cannot be built, and `reason` says why.

    `plan` is its validation and calibration data; `scaling` is that of its pixel inputs, None: no scaling. `suggested`
    are the kinds of optional settings. `notes` say what was tried and failed.
    """

    name: str
    source: str
    description: Description | None
    reason: str = ""
    plan: DataPlan = NO_DATA
    scaling: Scaling | None = None
    suggested: tuple[str, ...] = SUGGESTED
    notes: tuple[str, ...] = ()

    @property
    def builds(self) -> bool:
        """Whether `ovmake build` is expected to build the model."""
        return self.description is not None and not self.reason


def starter(entries: Sequence[Entry], *, uncommented: Collection[str] = (), most: int = MOST_SAMPLES) -> str:
    """Return the Ovfile, with optional settings of some kinds active, and with `most` samples of a dataset."""
    names = _dataset_names(entries)
    parts = [_HEAD]
    parts += ["\n".join(_dataset(name, use, most)) + "\n" for use, name in names]
    parts += [_entry(entry, names, uncommented) for entry in entries]
    if not names and any(entry.builds for entry in entries):
        parts.append(_NO_DATA)
    return "\n".join(parts)


def key(name: str) -> str:
    """Return a TOML key: bare if possible, else quoted."""
    return name if _BARE.fullmatch(name) else quoted(name)


def quoted(text: str) -> str:
    """Return a TOML string. JSON's escapes are valid TOML; only DEL, which JSON does not escape, needs one more."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _listed(words: Sequence[str]) -> str:
    return f"[{', '.join(map(quoted, words))}]"


# datasets


def _uses(entries: Sequence[Entry]) -> Iterator[tuple[Entry, Use]]:
    for entry in entries:
        for use in (entry.plan.validation, entry.plan.calibration):
            if entry.builds and use is not None:
                yield entry, use


Names = list[tuple[Use, str]]


def _dataset_names(entries: Sequence[Entry]) -> Names:
    """Return a name for each use of a dataset; models with the same use share a name."""
    names: Names = []
    taken: set[str] = set()
    for entry, use in _uses(entries):
        if _name_of(use, names):
            continue
        stem = use.found.path.rstrip("/").rpartition("/")[2].split(".")[0]
        plain = re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-_") or "data"
        candidates = [plain, f"{plain}-{entry.name}", *(f"{plain}-{number}" for number in range(2, len(names) + 3))]
        name = next(name for name in candidates if name not in taken)
        taken.add(name)
        names.append((use, name))
    return names


def _name_of(use: Use, names: Names) -> str:
    return next((name for known, name in names if known == use), "")


def _dataset(name: str, use: Use, most: int) -> Iterator[str]:
    found = use.found
    yield f"[datasets.{key(name)}]    # {found.data.count:,} samples"
    yield f"path = {quoted(found.path)}"
    if use.inputs:
        fed = (
            f"{key(port)} = {quoted(names[0]) if len(names) == 1 else _listed(names)}"
            for port, names in use.inputs.items()
        )
        yield f"inputs = {{ {', '.join(fed)} }}"
    if use.labels:
        yield f"labels = {quoted(use.labels)}"
    if use.classes:
        yield f"classes = {_listed(use.classes)}"
    if use.files:
        folder = found.path.rpartition("/")[0]
        yield f"files = {_listed(['/'.join(filter(None, (folder, one))) for one in use.files])}"
    if use.resize is not None:
        yield f"images = {{ resize = [{use.resize[0]}, {use.resize[1]}] }}"
    if found.data.count > most:
        yield f"limit = {most}    # after a seeded shuffle"


# models


def _entry(entry: Entry, names: Names, uncommented: Collection[str]) -> str:
    description = entry.description
    about = "" if description is None else f"    # {_about(description)}"
    head = f"[models.{key(entry.name)}]{about}"
    if not entry.builds or description is None:
        reason = " ".join(harmless(" ".join(entry.reason.split())).split())
        return f"# `{harmless(entry.source)}` cannot be built: {reason}\n"
    lines = [head, f"source = {quoted(entry.source)}"]
    if description.signature not in {"", "serving_default"}:
        lines.append(f"signature = {quoted(description.signature)}")
    if description.tags not in {(), ("serve",)}:
        lines.append(f"tags = {_listed(description.tags)}")
    lines += _data(entry, names)
    lines += _suggestions(entry, description, uncommented)
    lines += [f"# takes {harmless(quoted(port.name))}: {shape_of(port)}" for port in description.inputs]
    lines += [f"# returns {harmless(quoted(port.name))}: {shape_of(port)}" for port in description.outputs]
    if others := _others(description):
        lines.append(f"# has more signatures: {', '.join(harmless(quoted(name)) for name in others)}")
    lines += [f"# {harmless(' '.join(note.split()))}" for note in entry.notes]
    return "\n".join(lines) + "\n"


def _data(entry: Entry, names: Names) -> Iterator[str]:
    validation, calibration = entry.plan.validation, entry.plan.calibration
    if calibration is not None:
        yield 'precisions = ["fp32", "fp16", "int8"]'
        yield f"int8.calibration = {quoted(_name_of(calibration, names))}"
    if entry.scaling is not None:
        for port in _scaled(entry):
            yield f"inputs.{key(port)}.mean = {entry.scaling.mean}"
            yield f"inputs.{key(port)}.scale = {entry.scaling.scale}    # best for TensorFlow's accuracy"
    if validation is not None:
        drop = "0.01" if validation.metric == "accuracy" else '"1%"'
        dataset = quoted(_name_of(validation, names))
        yield f'accuracy = {{ dataset = {dataset}, metric = "{validation.metric}", max-drop = {drop} }}'


def _scaled(entry: Entry) -> tuple[str, ...]:
    """Return the inputs that the scaling applies to."""
    used = entry.plan.validation or entry.plan.calibration
    return () if entry.scaling is None or used is None else used.pixels


def _suggestions(entry: Entry, description: Description, uncommented: Collection[str]) -> Iterator[str]:
    for kind, line in _all_suggestions(entry, description):
        if kind in entry.suggested:
            yield line if kind in uncommented else f"#{line}"


def _all_suggestions(entry: Entry, description: Description) -> Iterator[tuple[str, str]]:
    inputs = description.inputs
    if any(port.shape and port.shape[0] == -1 for port in inputs):
        yield "batch", "batch = 1    # of every input; without it, batches stay dynamic"
    open_inputs = [port for port in inputs if port.shape and -1 in port.shape[1:]]
    for port in open_inputs if len(inputs) == 1 else ():  # several inputs may need matching sizes
        side = _SIDE if len(port.shape or ()) == _IMAGE_RANK else _LENGTH
        fixed = [size if place == 0 or size != -1 else side for place, size in enumerate(port.shape or ())]
        yield "shape", f"inputs.{key(port.name)}.shape = {fixed}    # a fixed shape runs faster"
    for port in inputs:
        if port.name not in _scaled(entry) and port.type in _FLOATS and len(port.shape or ()) == _IMAGE_RANK:
            zeros, ones = _per_channel(port)
            yield "mean", f"inputs.{key(port.name)}.mean = {zeros}    # the IR computes (x - mean) / scale"
            yield "scale", f"inputs.{key(port.name)}.scale = {ones}"


def _per_channel(port: Port) -> tuple[str, str]:
    """Return a neutral mean and scale, with one value per channel."""
    shape = port.shape or ()
    channels = shape[-1] if shape[-1] in _CHANNELS else 1
    if channels == 1:
        return "0.0", "1.0"
    return f"[{', '.join(['0.0'] * channels)}]", f"[{', '.join(['1.0'] * channels)}]"


def _others(description: Description) -> list[str]:
    """Return the signatures of the same graph with different inputs or outputs."""
    used = {(s.inputs, s.outputs) for s in description.signatures if s.name == description.signature}
    same = [s for s in description.signatures if s.tags == description.tags and description.kind == "saved-model"]
    return [s.name for s in same if (s.inputs, s.outputs) not in used]


def _about(description: Description) -> str:
    parameters = "" if description.parameters is None else f", {description.parameters:,} parameters"
    kind = title_of(description.kind)
    return f"{kind}, {size_in_words(description.size_bytes)}{parameters}"
