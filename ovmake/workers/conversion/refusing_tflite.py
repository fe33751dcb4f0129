"""The errors for a .tflite file that OpenVINO, or ovmake's own reader, refuses.

    unread(error, source, allowed) -> ActionError     ovmake's reader failed: TFLite decides whether the file is damaged
    refused(error, flat) -> ActionError               OpenVINO lacks an operation, or does not support state

Rule 1: a file that TFLite reads is not damaged.
Rule 2: the error names the operation that OpenVINO lacks, with the cut before it and the cut after it.

Neither framework is imported here: TFLite runs in a process of its own (`tflite_probe.py`).
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

from ovmake.errors import ActionError
from ovmake.sources.screening.screen import screen
from ovmake.sources.tflite_graph import RESOURCES, TfliteGraph

_UNTRANSLATED = re.compile(r"No translator found for (\S+) node")
_OF_RESOURCES = re.compile(r"Unexpected type: (RESOURCE|VARIANT)|found for (VAR_HANDLE|READ_VARIABLE|HASHTABLE)")
_DAMAGED = "the file is damaged or truncated: copy or download it again"
_SAID = 1  # lines of TFLite's message


def unread(error: ActionError, source: Path, allowed: Collection[str]) -> ActionError:
    """Return the error for a file that ovmake's own reader cannot read.

    Raises:
        ActionError: the file has side effects.
    """
    screened = _is_screened(source, allowed)
    verdict, said = _asked(source) if screened else (None, "")
    if verdict is True:
        message = f"{error.message}: ovmake's reader fails, TFLite reads it"
        hint = "report this to ovmake, with the file; until then, use a SavedModel of the same model"
        return ActionError(error.code, message, setting="source", help=hint)
    notes = (f"TFLite: {said}",) if verdict is False and said else ()
    return ActionError(error.code, error.message, setting="source", help=_DAMAGED, notes=notes)


def _is_screened(source: Path, allowed: Collection[str]) -> bool:
    """Whether TFLite may load the file; a file that cannot be checked may not be loaded.

    Raises:
        ActionError: it has side effects.
    """
    try:
        screen(source, "tflite", allowed)
    except ActionError as error:
        if error.code == "op-refused":
            raise
        return False
    return True


def _asked(source: Path) -> tuple[bool | None, str]:
    """Return whether TFLite reads a file, None if that is unknown, and its message."""
    order = {"threads": 1, "shapes": [], "run": False}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "ovmake.workers.reference.tflite_probe"],
        input=json.dumps(order).encode() + b"\n" + source.read_bytes(),
        capture_output=True,
        check=False,
    )
    if b"loaded" in done.stdout:
        return True, ""
    said = done.stderr.decode(errors="replace").strip().splitlines()
    if any("ModuleNotFoundError" in line for line in said):
        return None, ""
    return False, said[-_SAID] if said else ""


def refused(error: ActionError, flat: TfliteGraph) -> ActionError:
    """Return OpenVINO's refusal in terms of the model."""
    if _OF_RESOURCES.search(error.message):
        return _about_resources(error, flat)
    missing = _UNTRANSLATED.search(error.message)
    if missing is None:
        return error
    subject = error.message.partition(": ")[0]
    message = f"{subject}: it has no rule for the operation `{missing[1]}`"
    return ActionError(error.code, message, setting="source", help=_cut(missing[1], flat), notes=_told(error))


def _told(error: ActionError) -> tuple[str, ...]:
    return (f"OpenVINO: {error.message.partition(': ')[2]}",)


def _about_resources(error: ActionError, flat: TfliteGraph) -> ActionError:
    kinds = {*flat.kinds.values(), *flat.silent}
    subject = error.message.partition(": ")[0]
    if any(kind.startswith("HASHTABLE") for kind in kinds):
        first = next((name for name, kind in flat.kinds.items() if kind == "HASHTABLE_FIND"), "")
        what = f"has a lookup table (`{first}`)" if first else "has lookup tables"
        hint = _cut("HASHTABLE_FIND", flat) if first else "export the model without its tables"
    else:
        what = "keeps state in variables between calls, which OpenVINO's reader of .tflite files does not support"
        hint = "export the model so that it takes its state as an input and returns it as an output (external state)"
    message = f"{subject}: it {what}"
    return ActionError(error.code, message, setting="source", help=hint, notes=_told(error))


def _cut(kind: str, flat: TfliteGraph) -> str:
    """Return how to cut the model at the first operation of a kind."""
    hint = "cut the model before it or after it, with `cut`"
    ops = {op.name: op for op in flat.ops}
    name = next((name for name, found in flat.kinds.items() if found == kind and name in ops), "")
    if not name:
        return f"{hint}; `ovmake inspect` lists the layers"
    constants = {op.name for op in flat.ops if op.type == "Const"}
    before = [spelt.removesuffix(":0") for spelt in ops[name].inputs if spelt.removesuffix(":0") not in constants]
    given = set(flat.inputs.values())
    handles = {one for one, found in flat.kinds.items() if found in RESOURCES.values()}
    ends = ", ".join(f'"{one}"' for one in dict.fromkeys(before) if f"{one}:0" not in given and one not in handles)
    ways = [f"before it, `cut.outputs = [{ends}]`"] if ends else []
    if f"{name}:0" not in flat.outputs.values():
        ways.append(f'after it, `cut.inputs = ["{name}:0"]`')
    return f"cut the model {', or '.join(ways)}" if ways else f"{hint}; `ovmake inspect` lists the layers"
