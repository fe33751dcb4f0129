"""reference: what TensorFlow itself computes for the samples, once per (source, shapes, dataset).

Keyed by the fingerprint in `interface` instead of the source's bytes, so that a re-export of the same weights stops
after *convert* (law 3). The source is still an input: it is loaded, and must not change while it is.
"""

from __future__ import annotations

from ovmake.graph.action import Action, Artifact, Input, Output, Source
from ovmake.graph.lower import Lowering
from ovmake.ovfile.spec import Target
from ovmake.rules.settings import dataset_inputs, dataset_params, source_params, validation_set


def reference(lowering: Lowering, target: Target, converted: Action) -> Action:
    """Add TensorFlow's run over the target's validation set, or over seeded inputs."""
    dataset = validation_set(dict(lowering.ovfile.datasets), target)
    action = Action(
        kind="reference",
        subject=target.model,
        worker="tensorflow",
        tools=("tensorflow", "numpy"),
        params=(*source_params(target), *dataset_params(dataset, labels=False)),
        inputs=(
            Input(role="interface", origin=Artifact(converted.name, "interface")),
            Input(role="source", origin=Source(target.source), at=(*target.at, "source"), stands_for_itself=False),
            *dataset_inputs(dataset),
        ),
        environment=("isa",),
        outputs=(Output(role="outputs"), Output(role="facts")),
        at=target.at,
        origins=target.origins,
    )
    return lowering.add(action, otherwise=target.name)
