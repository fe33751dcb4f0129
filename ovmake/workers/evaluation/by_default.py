"""An IR as most applications compile it: without a property.

    usual(device, properties) -> "bf16"                  "" where that is the way it was verified
    compiled = by_default(model, device, properties)     None there
    executes_in(compiled) -> "bf16"

On a processor with AMX or AVX512-BF16 the CPU's plugin executes floating point in bf16 unless it is told otherwise, and
a GPU's in f16. So an IR that was verified in f32 is another program where it is compiled without a word, and its
promise may be broken there. A `runtime_options` entry in the IR's `rt_info` changes nothing of that (OpenVINO 2026.4).
"""

from __future__ import annotations

from collections.abc import Mapping

import openvino as ov

from ovmake.verdicts.by_default import HINT

# What a plugin is told in place of nothing. Tests put in what the default is on other processors.
DEFAULTS: dict[str, str] = {}


def by_default(model: ov.Model, device: str, properties: Mapping[str, str]) -> ov.CompiledModel | None:
    """Return the model compiled so; None where floating point is executed as under `properties`, or nobody knows."""
    return ov.Core().compile_model(model, device, dict(DEFAULTS)) if usual(device, properties) else None


def usual(device: str, properties: Mapping[str, str]) -> str:
    """Return what a device executes floating point in by itself, "" where that is what `properties` say.

    A device without such a property, `AUTO` for one, tells nothing.
    """
    try:
        found = DEFAULTS.get(HINT) or ov.Core().get_property(device, HINT).get_type_name()
    except (RuntimeError, AttributeError):
        return ""
    return "" if found == properties[HINT] else str(found)


def executes_in(compiled: ov.CompiledModel) -> str:
    """Return what floating point is executed in."""
    return str(compiled.get_property(HINT).get_type_name())
