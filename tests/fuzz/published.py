"""Run published IRs: `python published.py`, paths on stdin. Beside each, NAME.npz then holds what went in and came out.

Inputs are `in_<name>`, outputs `out_<name>`; dynamic dimensions are 5. Answers with a line for each: "" or what failed.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import openvino as ov

TYPES = {"f32": "float32", "i32": "int32", "i64": "int64", "f16": "float16", "boolean": "bool", "f64": "float64"}


def run(path: Path) -> None:
    """Run one."""
    model = ov.Core().read_model(path)
    random = np.random.default_rng(1)
    fed = {}
    for port in model.inputs:
        shape = [5 if size.is_dynamic else size.get_length() for size in port.partial_shape]
        values = random.normal(size=shape) * (3 if port.element_type.is_integral() else 1)
        fed[port.any_name] = values.astype(TYPES[port.element_type.get_type_name()])
    stored = {f"in_{name}": value for name, value in fed.items()}
    np.savez(path.with_suffix(".npz"), allow_pickle=False, **stored)  # should it not run
    compiled = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    given = compiled(dict(fed))
    stored |= {f"out_{port.any_name}": np.asarray(given[port]) for port in compiled.outputs}
    np.savez(path.with_suffix(".npz"), allow_pickle=False, **stored)


if __name__ == "__main__":
    for line in sys.stdin.read().splitlines():
        try:
            run(Path(line))
            print()
        except Exception as error:  # noqa: BLE001 - told
            print(" ".join(str(error).split())[:200] or "it failed")
