"""The text of an Ovfile to begin with.

    text = starter([Entry(name="digits", source="models/digits", description=...)])

It builds as it is. What one may want next stands in comments, filled in with what the models are: inputs with their
shapes, means and scales for as many channels as there are. A model that cannot be built is a comment with the reason.

Names and words out of models are strangers': they are quoted in TOML, and in comments nothing of them ends the line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ovmake.amounts import size_in_words
from ovmake.inspecting.description import IN_WORDS, Description, Port
from ovmake.inspecting.tables import harmless, shape_of

_HEAD = """\
# Written by `ovmake init`. `ovmake build` makes build/MODEL/PRECISION/MODEL.xml, `ovmake report` says what it was
# worth. Keys that are comments show what can be set; `ovmake inspect MODEL` shows a model, Ovfile.example every key.

version = 1

[defaults]
precisions = ["fp32", "fp16"]    # "int8" needs samples to calibrate with: see below
"""
_TAIL = """\
# INT8 needs a few hundred typical samples, and accuracy needs other ones with the right answers:
#
# [datasets.calibration]
# path = "data/calibration.npz"    # an array per model input
#
# [models.{name}]
# precisions = ["fp32", "fp16", "int8"]
# calibration = "calibration"
"""
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_FLOATS = {"f16", "bf16", "f32", "f64"}
_IMAGE_RANK = 4
_CHANNELS = (1, 3, 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A model of the Ovfile; without a `description`, `reason` says why it cannot be one."""

    name: str
    source: str
    description: Description | None
    reason: str = ""

    @property
    def builds(self) -> bool:
        """Whether `ovmake build` can be expected to build it."""
        return self.description is not None and not self.reason


def starter(entries: Sequence[Entry]) -> str:
    """Return the Ovfile."""
    parts = [_HEAD, *(_entry(entry) for entry in entries)]
    example = next((entry.name for entry in entries if entry.builds), "")
    if example:
        parts.append(_TAIL.format(name=key(example)))
    return "\n".join(parts)


def key(name: str) -> str:
    """Return a key as TOML wants it: bare where that is possible."""
    return name if _BARE.fullmatch(name) else quoted(name)


def quoted(text: str) -> str:
    """Return a TOML string; JSON's escapes are TOML's, but for DEL, which JSON lets through."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _entry(entry: Entry) -> str:
    description = entry.description
    about = "" if description is None else f"    # {_about(description)}"
    lines = [f"[models.{key(entry.name)}]{about}", f"source = {quoted(entry.source)}"]
    if not entry.builds or description is None:
        reason = " ".join(harmless(" ".join(entry.reason.split())).split())
        return (
            "\n".join([f"# {line}" for line in [f"`{harmless(entry.source)}` cannot be built: {reason}", *lines]])
            + "\n"
        )
    if description.signature not in {"", "serving_default"}:
        lines.append(f"signature = {quoted(description.signature)}")
    if description.tags not in {(), ("serve",)}:
        lines.append(f"tags = [{', '.join(quoted(tag) for tag in description.tags)}]")
    lines += [f"# signature = {harmless(quoted(name))}    # another way to call it" for name in _others(description)]
    if any(port.shape and port.shape[0] == -1 for port in description.inputs):
        lines.append("# batch = 1    # of every input; without it, batches stay dynamic")
    lines += [f"# gives {harmless(quoted(port.name))}: {shape_of(port)}" for port in description.outputs]
    for port in description.inputs:
        lines += ["#", *_input(entry.name, port)]
    return "\n".join(lines) + "\n"


def _others(description: Description) -> list[str]:
    """Return the signatures of the same graph that take or give something else."""
    used = {(s.inputs, s.outputs) for s in description.signatures if s.name == description.signature}
    same = [s for s in description.signatures if s.tags == description.tags and description.kind == "saved-model"]
    return [s.name for s in same if (s.inputs, s.outputs) not in used]


def _about(description: Description) -> str:
    parameters = "" if description.parameters is None else f", {description.parameters:,} parameters"
    return f"{IN_WORDS.get(description.kind, description.kind)}, {size_in_words(description.size_bytes)}{parameters}"


def _input(model: str, port: Port) -> list[str]:
    """Return the comments about an input, and settings that fit it."""
    lines = [f"# [models.{key(model)}.inputs.{harmless(key(port.name))}]    # takes {shape_of(port)}"]
    if port.shape and -1 in port.shape[1:]:
        fixed = [1 if place == 0 else size for place, size in enumerate(port.shape)]
        lines.append(f"# shape = {[224 if size == -1 else size for size in fixed]}    # a fixed shape runs faster")
    if port.type in _FLOATS and port.shape is not None and len(port.shape) == _IMAGE_RANK:
        channels = port.shape[-1] if port.shape[-1] in _CHANNELS else port.shape[1]
        zeros, ones = ("0.0", "1.0")
        if channels in _CHANNELS[1:]:
            zeros, ones = (f"[{', '.join([value] * channels)}]" for value in (zeros, ones))
        lines.append(f"# mean = {zeros}")
        lines.append(f"# scale = {ones}    # made part of the IR, which then computes (x - mean) / scale")
    return lines
