"""evaluate: run an IR on the samples that the reference saw; figures against TensorFlow's.

evaluation = {
    "format": 4, "samples": 5000,
    "inputs": {"from": "dataset" | "calibration" | "noise", "why": "…", "notes": ["…"]},    see reference.py
    "metric": {"name": "accuracy", "unit": "share", "higher_is_better": true,    where the Ovfile asks for one
               "reference": 0.918, "candidate": 0.9138, "step": 0.0002,
               "interval": {"low", "high", "level", "replicates"},               of the drop, see metrics/bootstrap.py
               "chance": {"answer", "score", "hint", "above_low", "above_high"}},    see verdicts/sanity.py; or null
    "outputs": [{"name", "scale", "max_abs", "mean_abs", "cosine", ...}],        see differences.Difference
    "unsteady": ["y"],                                    outputs that were others when the IR was asked the same again
    "not_measured": "TensorFlow cannot run …", "help": "…",                      then without metric and outputs
    "operations": {"tensorflow": 61, "openvino": 31},
    "executed": {"f32": 20}, "layers": [{"name", "type", "precision"}], "weights": {"f32": 594736},
    "compile_properties": {...},
    "default": {"precision": "bf16", "executed", "outputs", "metric"},       of a compilation without properties, if it
                                                                             executes otherwise: by_default.py
    "neighbours": {"sizes": [1, 64], "samples", "outputs", "begins", "helps"},      null where no batch can be of
                                                                             another size: neighbours.py
}

The comparison itself is in `comparison.py`.
"""

from __future__ import annotations

import json
from pathlib import Path

import openvino as ov

from ovmake.contracts.codec import encode
from ovmake.workers.conversion import executed, ir
from ovmake.workers.evaluation.by_default import by_default, executes_in
from ovmake.workers.evaluation.comparison import Figures, Look, Subject, compare, compare_both, compile_model
from ovmake.workers.evaluation.neighbours import Neighbours
from ovmake.workers.ipc.protocol import Request


def evaluate(request: Request) -> dict[str, object]:
    """Compare; write `evaluation`."""
    subject = Subject.of(request)
    device = str(request.params.get("device", "CPU"))
    model = ir.read(request.inputs["xml"], request.inputs["bin"])
    properties = ir.compile_properties(request.params)
    compiled = compile_model(model, device, properties)
    layers = executed.layers(compiled, model)
    counts = executed.counts(layers)
    evaluation: dict[str, object] = {
        "format": 4,
        "samples": subject.samples.count,
        "inputs": subject.facts["inputs"],
        "outputs": [],
        "operations": {"tensorflow": subject.facts.get("operations"), "openvino": ir.operations(model)},
        "executed": counts,
        "layers": encode(layers),
        "weights": executed.weights(model),
        "compile_properties": properties,
    }
    if not_measured := subject.facts.get("not_measured") or executed.not_executed(request.params, counts):
        evaluation |= {"not_measured": not_measured, "help": subject.facts.get("help", "")}
    else:
        neighbours = Neighbours(subject=subject, model=model, device=device, properties=properties)
        evaluation |= _figures(subject, model, compiled, by_default(model, device, properties), neighbours.look)
        evaluation["neighbours"] = neighbours.figures(counts)
    Path(request.outputs["evaluation"]).write_text(json.dumps(evaluation, indent=1, allow_nan=False) + "\n")
    return {}


def _figures(
    subject: Subject, model: ov.Model, compiled: ov.CompiledModel, default: ov.CompiledModel | None, look: Look
) -> Figures:
    """Return the figures of the IR as it is verified and, where that is another way to run it, as it is compiled."""
    if default is None:
        return compare(subject, compiled, look=look)
    own, other = compare_both(subject, compiled, default, look)
    about = {"precision": executes_in(default), "executed": executed.counts(executed.layers(default, model))}
    return {**own, "default": {**about, **other}}
