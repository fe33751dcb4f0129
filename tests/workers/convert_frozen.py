"""Convert frozen graphs with OpenVINO: `python convert_frozen.py FOLDER`, orders on stdin, JSON on stdout.

    [["several.keras", "several.npz"], ...]  ->  [{"scores": 1e-7}, "what OpenVINO says", ...]

Numbers are how far an output is from what the model computed when it was made, relative to the largest value.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
from openvino.frontend import FrontEndManager


def errors(folder: Path, name: str, expected: str) -> dict[str, float] | str:
    """Convert one graph to give the outputs that its names speak of, and run it."""
    names = json.loads((folder / f"{name}.json").read_text())
    frontend = FrontEndManager().load_by_framework("tf")
    try:
        loaded = frontend.load(str(folder / f"{name}.pb"))
        # Not the inputs: overridden, one that nothing takes would lose its shape.
        loaded.override_all_outputs([loaded.get_place_by_tensor_name(tensor) for tensor in names["outputs"].values()])
        model = frontend.convert(loaded)
    except Exception as failure:  # noqa: BLE001 - it is the answer
        return str(failure)
    arrays = np.load(expected)
    compiled = ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    inputs = {tensor: name for name, tensor in names["inputs"].items()}
    results = compiled([arrays[f"in_{inputs[port.get_node().get_friendly_name()]}"] for port in model.inputs])
    # By the result's own name: an output that is an input, or one that is given twice, shares its tensor's names.
    places = {port.get_node().get_friendly_name(): place for place, port in enumerate(model.outputs)}
    return {
        output: difference(results[places[tensor]], arrays[f"out_{output}"])
        for output, tensor in names["outputs"].items()
        if tensor in places
    }


def difference(found: Any, wanted: Any) -> float:
    """Return the largest difference, relative to the largest value."""
    return float(np.abs(found - wanted).max() / np.abs(wanted).max())


if __name__ == "__main__":
    print(json.dumps([errors(Path(sys.argv[1]), *order) for order in json.load(sys.stdin)]))
