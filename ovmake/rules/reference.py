"""reference: TensorFlow's own outputs for the samples, once per (source, shapes, dataset).

Over a validation set, the source is compared by its fingerprint instead of its bytes (`Input.by_computation`), together
with the answers of *check-source* about the bytes. So a re-export of the same weights does not run the set again (law
3). The source is still an input: it is loaded, and must not change meanwhile. Synthetic samples are few and quick:
there the bytes are compared, and *check-source* is not needed.
"""

from __future__ import annotations

from ovmake.contracts.params.evaluation import ReferenceParams
from ovmake.graph.action import Action, Artifact, Input, Output
from ovmake.graph.lower import Lowering
from ovmake.ovfile.spec import Target
from ovmake.rules.check_samples import check_validation
from ovmake.rules.check_source import check_source
from ovmake.rules.settings import (
    dataset_inputs,
    dataset_tools,
    judging_params,
    judging_set,
    tensorflow_inputs,
    tensorflow_params,
    validation_set,
)


def reference(lowering: Lowering, target: Target, *, converted: Action, frozen: Action | None) -> Action:
    """Add TensorFlow's run over the target's validation set, or over seeded synthetic inputs."""
    datasets = dict(lowering.ovfile.datasets)
    dataset = judging_set(datasets, target)
    interface = Artifact(converted.name, "interface")
    source = tensorflow_inputs(lowering, target, frozen, by_bytes=validation_set(datasets, target) is None)
    data = dataset_inputs(dataset)
    name = f"reference {target.family}"
    action = Action(
        kind="reference",
        subject=target.family,
        worker="tensorflow",
        tools=("tensorflow", "numpy", *dataset_tools(dataset)),
        params=ReferenceParams(
            source=tensorflow_params(lowering, target, frozen),
            samples=judging_params(datasets, target, labels=False),
        ),
        inputs=(
            Input(role="interface", origin=interface),
            *source,
            *check_source(lowering, target, interface=interface, source=source, prepares=name, dataset=data),
            *data,
        ),
        environment=("isa",),
        outputs=(Output(role="outputs"), Output(role="truth"), Output(role="plan"), Output(role="facts")),
        after=check_validation(lowering, target, converted),
        at=target.at,
        origins=target.origins,
    )
    return lowering.add(action, otherwise=target.name)
