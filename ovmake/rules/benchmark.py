"""benchmark: TensorFlow and one published IR, timed in interleaved rounds. Part of `ovmake report`, never of a build.

Its action digest includes the machine: figures of one machine are never shown on a different one. It waits for the gate
(`after`) and does not depend on it: a new `max-drop` needs no new measurement.
"""

from __future__ import annotations

import re
from dataclasses import replace

from ovmake.contracts.params.measurement import BenchmarkParams
from ovmake.graph.action import ELSEWHERE, Action, Artifact, Input, Output
from ovmake.graph.lower import Lowering
from ovmake.ovfile.spec import Target
from ovmake.rules.check_source import check_source
from ovmake.rules.filling import filled
from ovmake.rules.settings import (
    dataset_inputs,
    dataset_tools,
    device_params,
    ir_inputs,
    plan_inputs,
    sample_params,
    tensorflow_inputs,
    tensorflow_params,
    validation_set,
)


def benchmark(
    lowering: Lowering,
    target: Target,
    *,
    published: Action,
    frozen: Action | None,
    elsewhere: str = "",
    after: Action | None = None,
) -> Action:
    """Add the measurement of TensorFlow and the IR that `published` publishes.

    `elsewhere` is an additional device. This machine may lack it; then the measurement only gives a warning.
    """
    target = replace(target, device=elsewhere) if elsewhere else target
    dataset = validation_set(dict(lowering.ovfile.datasets), target)
    made_by = {source.role: source.origin for source in published.inputs}
    xml, interface = made_by["xml"], made_by["interface"]
    if not isinstance(xml, Artifact) or not isinstance(interface, Artifact):
        raise TypeError(f"{published.name} does not publish artifacts")
    source = tensorflow_inputs(lowering, target, frozen)
    folder = f"{lowering.ovfile.build_dir}/report/measurements/{target.family}/{target.precision}"
    # A device's name such as "AUTO:GPU,CPU" may have characters that a file system does not allow.
    folder += re.sub(r"[^A-Za-z0-9.]+", "-", f" on {elsewhere}") if elsewhere else ""
    return lowering.add(
        Action(
            kind="benchmark",
            subject=f"{target.name}{ELSEWHERE}{elsewhere}" if elsewhere else target.name,
            worker="bench",
            tools=("openvino", "tensorflow", "numpy", *dataset_tools(dataset)),
            params=filled(
                BenchmarkParams,
                "benchmark",
                target.benchmark,
                source=tensorflow_params(lowering, target, frozen),
                device=device_params(target),
                samples=sample_params(dataset, labels=False),
            ),
            inputs=(
                *ir_inputs(xml.action),
                Input(role="interface", origin=interface),
                *source,
                *check_source(lowering, target, interface=interface, source=source),
                *dataset_inputs(dataset),
                *plan_inputs(lowering, target),
            ),
            environment=("machine",),
            outputs=(
                Output(role="measurement", place=f"{folder}/measurement.json"),
                Output(role="samples", place=f"{folder}/samples.jsonl.gz"),
            ),
            after=(published.name, *(() if after is None else (after.name,))),
            exclusive=True,
            advisory=bool(elsewhere),
            at=target.at,
            origins=target.origins,
        ),
    )
