"""The text of an Ovfile to begin with.

    text = starter([Entry(name="digits", source="models/digits", description=..., ...)])
    text = starter(entries, uncommented=SUGGESTED)     with what one may want next, as settings: to be tried

It builds as it is, and with any of its settings that are comments: a line that begins with `#` and no blank is one
setting, in TOML, and needs no other line. Lines that begin with `# ` are words. A model that cannot be built is words
with the reason.

Names and words out of models are strangers': they are quoted in TOML, and in comments nothing of them ends the line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from ovmake.commands.inspect.data import MOST_SAMPLES, DataPlan, Use
from ovmake.commands.inspect.description import IN_WORDS, Description
from ovmake.commands.inspect.tables import harmless, shape_of
from ovmake.contracts.inspected import Port
from ovmake.units import size_in_words

_HEAD = """\
# Written by `ovmake init`. `ovmake build` makes build/MODEL/PRECISION/MODEL.xml, `ovmake report` says what it was
# worth. Lines that begin with # and no blank are settings to choose from: take the # away. `ovmake inspect MODEL` shows
# a model, Ovfile.example every key.

version = 1

[defaults]
precisions = ["fp32", "fp16"]
"""
_NO_DATA = """\
# INT8 needs a few hundred typical samples to calibrate with, and accuracy needs other ones with the right answers: an
# .npz with an array for each input, a .csv, a folder of images or TFRecords. `ovmake init -f FILE` looks for them anew.
"""
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_FLOATS = {"f16", "bf16", "f32", "f64"}
_IMAGE_RANK = 4
_CHANNELS = (1, 3, 4)
_SIDE, _LENGTH = 224, 128
# What one may want next, by its kind.
SUGGESTED: tuple[str, ...] = ("batch", "shape", "mean", "scale")


NO_DATA = DataPlan()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """What pixels from 0 to 255 become: (x - mean) / scale."""

    mean: float
    scale: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A model of the Ovfile; without a `description`, `reason` says why it cannot be one.

    `plan` is the data that it is judged by and calibrated with; `scaling` what its inputs of pixels need, None for
    nothing. `suggested` are the kinds of settings to choose from. `notes` say what was tried in vain.
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
        """Whether `ovmake build` can be expected to build it."""
        return self.description is not None and not self.reason


def starter(entries: Sequence[Entry], *, uncommented: Collection[str] = (), most: int = MOST_SAMPLES) -> str:
    """Return the Ovfile, with the settings of some kinds uncommented, and with `most` samples of a dataset."""
    names = _dataset_names(entries)
    parts = [_HEAD]
    parts += ["\n".join(_dataset(name, use, most)) + "\n" for use, name in names]
    parts += [_entry(entry, names, uncommented) for entry in entries]
    if not names and any(entry.builds for entry in entries):
        parts.append(_NO_DATA)
    return "\n".join(parts)


def key(name: str) -> str:
    """Return a key as TOML wants it: bare where that is possible."""
    return name if _BARE.fullmatch(name) else quoted(name)


def quoted(text: str) -> str:
    """Return a TOML string; JSON's escapes are TOML's, but for DEL, which JSON lets through."""
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
    """Return a name for each use of a dataset; models that use one alike share it."""
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
    lines += [f"# gives {harmless(quoted(port.name))}: {shape_of(port)}" for port in description.outputs]
    if others := _others(description):
        lines.append(f"# has other signatures: {', '.join(harmless(quoted(name)) for name in others)}")
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
            yield f"inputs.{key(port)}.scale = {entry.scaling.scale}    # TensorFlow is most accurate so"
    if validation is not None:
        drop = "0.01" if validation.metric == "accuracy" else '"1%"'
        dataset = quoted(_name_of(validation, names))
        yield f'accuracy = {{ dataset = {dataset}, metric = "{validation.metric}", max-drop = {drop} }}'


def _scaled(entry: Entry) -> tuple[str, ...]:
    """Return the inputs that a scaling is of."""
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
    for port in open_inputs if len(inputs) == 1 else ():  # sizes of several inputs may have to agree
        side = _SIDE if len(port.shape or ()) == _IMAGE_RANK else _LENGTH
        fixed = [size if place == 0 or size != -1 else side for place, size in enumerate(port.shape or ())]
        yield "shape", f"inputs.{key(port.name)}.shape = {fixed}    # a fixed shape runs faster"
    for port in inputs:
        if port.name not in _scaled(entry) and port.type in _FLOATS and len(port.shape or ()) == _IMAGE_RANK:
            zeros, ones = _per_channel(port)
            yield "mean", f"inputs.{key(port.name)}.mean = {zeros}    # the IR computes (x - mean) / scale"
            yield "scale", f"inputs.{key(port.name)}.scale = {ones}"


def _per_channel(port: Port) -> tuple[str, str]:
    """Return a mean and a scale that change nothing, for as many channels as there are."""
    shape = port.shape or ()
    channels = shape[-1] if shape[-1] in _CHANNELS else 1
    if channels == 1:
        return "0.0", "1.0"
    return f"[{', '.join(['0.0'] * channels)}]", f"[{', '.join(['1.0'] * channels)}]"


def _others(description: Description) -> list[str]:
    """Return the signatures of the same graph that take or give something else."""
    used = {(s.inputs, s.outputs) for s in description.signatures if s.name == description.signature}
    same = [s for s in description.signatures if s.tags == description.tags and description.kind == "saved-model"]
    return [s.name for s in same if (s.inputs, s.outputs) not in used]


def _about(description: Description) -> str:
    parameters = "" if description.parameters is None else f", {description.parameters:,} parameters"
    return f"{IN_WORDS.get(description.kind, description.kind)}, {size_in_words(description.size_bytes)}{parameters}"
