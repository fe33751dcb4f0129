"""evaluate: run an IR on the samples that the reference saw; figures against TensorFlow's.

evaluation = {
    "format": 3, "samples": 5000,
    "metric": {"name": "accuracy", "unit": "share", "higher_is_better": true,    where the Ovfile asks for one
               "reference": 0.918, "candidate": 0.9138, "step": 0.0002,
               "interval": {"low", "high", "level", "replicates"}},              of the drop, see metrics/bootstrap.py
    "outputs": [{"name", "scale", "max_abs", "mean_abs", "cosine", ...}],        see differences.Difference
    "not_measured": "TensorFlow cannot run …",                                   then without metric and outputs
    "operations": {"tensorflow": 61, "openvino": 31},
    "executed": {"f32": 20}, "layers": [{"name", "type", "precision"}], "weights": {"f32": 594736},
    "compile_properties": {...},
}

The comparison itself is in `comparison.py`.
"""

from __future__ import annotations

import json
from pathlib import Path

from ovmake.workers import executed, ir
from ovmake.workers.comparison import Subject, compare, compile_model
from ovmake.workers.protocol import Request


def evaluate(request: Request) -> dict[str, object]:
    """Compare; write `evaluation`."""
    subject = Subject.of(request)
    model = ir.read(request.inputs["xml"], request.inputs["bin"])
    properties = ir.compile_properties(request.params)
    compiled = compile_model(model, str(request.params.get("device", "CPU")), properties)
    layers = executed.layers(compiled, model)
    counts = executed.counts(layers)
    evaluation: dict[str, object] = {
        "format": 3,
        "samples": subject.samples.count,
        "outputs": [],
        "operations": {"tensorflow": subject.facts.get("operations"), "openvino": ir.operations(model)},
        "executed": counts,
        "layers": layers,
        "weights": executed.weights(model),
        "compile_properties": properties,
    }
    if not_measured := subject.facts.get("not_measured") or executed.not_executed(request.params, counts):
        evaluation["not_measured"] = not_measured
    else:
        evaluation |= compare(subject, compiled)
    Path(request.outputs["evaluation"]).write_text(json.dumps(evaluation, indent=1, allow_nan=False) + "\n")
    return {}
