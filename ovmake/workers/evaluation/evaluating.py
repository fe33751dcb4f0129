"""evaluate: run an IR on the reference's samples, and compare its outputs with TensorFlow's.

It writes `Evaluation`. The comparison itself is in `comparison.py`, that of a compilation without
properties in `by_default.py`, and that of batches in `neighbours.py`.
"""

from __future__ import annotations

from dataclasses import replace

import openvino as ov

from ovmake.contracts.codec import save
from ovmake.contracts.files.evaluation import ByDefault, Evaluation, Figures, Operations
from ovmake.contracts.params.evaluation import EvaluateParams
from ovmake.workers.conversion import executed, ir
from ovmake.workers.evaluation.by_default import by_default, executes_in
from ovmake.workers.evaluation.comparison import OnFeed, Subject, compare, compare_both, compile_model
from ovmake.workers.evaluation.neighbours import NeighboursWatch
from ovmake.workers.ipc.protocol import Request


def evaluate(request: Request) -> dict[str, object]:
    """Compare; write `evaluation`."""
    asked = request.asked(EvaluateParams)
    subject, device = Subject.of(request, asked), asked.device.device
    model = ir.read(request.inputs["xml"], request.inputs["bin"])
    properties = ir.compile_properties(asked.device.execute_in)
    compiled = compile_model(model, device, properties)
    layers = executed.layers(compiled, model)
    counts = executed.counts(layers)
    evaluation = Evaluation(
        samples=subject.samples.count,
        inputs=subject.facts.inputs,
        operations=Operations(tensorflow=subject.facts.operations, openvino=ir.operations(model)),
        executed=counts,
        layers=layers,
        weights=executed.weights(model),
        compile_properties=properties,
    )
    if not_measured := subject.facts.not_measured or executed.not_executed(asked.device.execute_in, counts):
        evaluation = replace(evaluation, not_measured=not_measured, help=subject.facts.help)
    else:
        watch = NeighboursWatch(subject=subject, model=model, device=device, properties=properties)
        figures, default = _figures(subject, model, compiled, by_default(model, device, properties), watch.on_feed)
        evaluation = replace(evaluation, figures=figures, by_default=default, neighbours=watch.figures(counts))
    save(evaluation, request.outputs["evaluation"])
    return {}


def _figures(
    subject: Subject, model: ov.Model, compiled: ov.CompiledModel, default: ov.CompiledModel | None, on_feed: OnFeed
) -> tuple[Figures, ByDefault | None]:
    """Return the figures of the IR as it is verified and, if the execution differs, compiled without properties."""
    if default is None:
        return compare(subject, compiled, on_feed=on_feed), None
    own, other = compare_both(subject, compiled, default, on_feed)
    counts = executed.counts(executed.layers(default, model))
    return own, ByDefault(precision=executes_in(default), executed=counts, figures=other)
