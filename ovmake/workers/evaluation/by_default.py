"""An IR as most applications compile it: without properties.

    usual(device, properties) -> "bf16"                  "" if `properties` give the same precision
    compiled = by_default(model, device, properties)     None in that case
    executes_in(compiled) -> "bf16"

On a processor with AMX or AVX512-BF16 the CPU plugin executes floating point in bf16 by default; the GPU plugin uses
f16. So an IR that was evaluated in f32 is a different program if it is compiled without properties, and it may miss its
accuracy requirement. A `runtime_options` entry in the IR's `rt_info` does not change this (OpenVINO 2026.4).
"""

from __future__ import annotations

from collections.abc import Mapping

import openvino as ov

from ovmake.verdicts.figures import HINT

# The properties of a default compilation. Tests set them to the defaults of other processors.
DEFAULTS: dict[str, str] = {}


def by_default(model: ov.Model, device: str, properties: Mapping[str, str]) -> ov.CompiledModel | None:
    """Return the model compiled without properties; None if that gives the same precision, or an unknown one."""
    return ov.Core().compile_model(model, device, dict(DEFAULTS)) if usual(device, properties) else None


def usual(device: str, properties: Mapping[str, str]) -> str:
    """Return a device's default precision of floating point, "" if `properties` set the same.

    It is "" too for a device without such a property, for example `AUTO`.
    """
    try:
        found = DEFAULTS.get(HINT) or ov.Core().get_property(device, HINT).get_type_name()
    except (RuntimeError, AttributeError):
        return ""
    return "" if found == properties[HINT] else str(found)


def executes_in(compiled: ov.CompiledModel) -> str:
    """Return the precision in which floating point is executed."""
    return str(compiled.get_property(HINT).get_type_name())
