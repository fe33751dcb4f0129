"""benchmark: TensorFlow and one published IR take turns on this machine. Part of `ovmake report`, never of a build.

Its action digest names the machine, so a figure is never shown on a machine where it was not measured. It waits for the
gate (`after`) without depending on it: a new `max-drop` measures nothing again.
"""

from __future__ import annotations

import re
from dataclasses import replace

from ovmake.graph.action import ELSEWHERE, Action, Artifact, Input, Output
from ovmake.graph.lower import Lowering
from ovmake.ovfile.spec import Target
from ovmake.rules.check_source import check_source
from ovmake.rules.settings import (
    dataset_inputs,
    dataset_params,
    dataset_tools,
    device_params,
    ir_inputs,
    plan_inputs,
    tensorflow_inputs,
    tensorflow_params,
    timing_params,
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
    """Add the measurement of the IR that `published` publishes, beside TensorFlow.

    `elsewhere` is another device than the target's, which this machine may lack: then nothing fails for it.
    """
    target = replace(target, device=elsewhere) if elsewhere else target
    dataset = validation_set(dict(lowering.ovfile.datasets), target)
    made_by = {source.role: source.origin for source in published.inputs}
    xml, interface = made_by["xml"], made_by["interface"]
    if not isinstance(xml, Artifact) or not isinstance(interface, Artifact):
        raise TypeError(f"{published.name} does not publish artifacts")
    source = tensorflow_inputs(lowering, target, frozen)
    folder = f"{lowering.ovfile.build_dir}/report/measurements/{target.family}/{target.precision}"
    # Of a device's name, "AUTO:GPU,CPU", the file system need not like all signs.
    folder += re.sub(r"[^A-Za-z0-9.]+", "-", f" on {elsewhere}") if elsewhere else ""
    return lowering.add(
        Action(
            kind="benchmark",
            subject=f"{target.name}{ELSEWHERE}{elsewhere}" if elsewhere else target.name,
            worker="bench",
            tools=("openvino", "tensorflow", "numpy", *dataset_tools(dataset)),
            params=(
                *timing_params("benchmark", target),
                *tensorflow_params(lowering, target, frozen),
                *device_params(target),
                *dataset_params(dataset, labels=False),
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
