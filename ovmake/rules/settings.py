"""Which settings of a target which action uses: the one place that decides what an edit of the Ovfile makes stale.

    model_params(target)     what changes the model: signature, tags, batch, inputs
    source_params(target)    what of it TensorFlow must be told: signature, tags
    dataset_params(dataset)  how samples are taken from a file
    dataset_inputs(...)      the file itself

A setting that has its default value is left out of the params: see `graph.action`, rule 1.
"""

from __future__ import annotations

from ovmake.graph.action import Artifact, Input, JsonValue, Param, Source
from ovmake.ovfile.spec import SEED, Dataset, Target


def model_params(target: Target) -> tuple[Param, ...]:
    """Return the settings that say which function of the source the IR computes, and on which shapes."""
    named: list[tuple[str, JsonValue]] = [("batch", target.batch)]
    for tensor in sorted(target.inputs, key=lambda tensor: tensor.name):
        for key, value in (("shape", tensor.shape), ("mean", tensor.mean), ("scale", tensor.scale)):
            named.append((f"inputs.{tensor.name}.{key}", value))
    return source_params(target) + tuple(Param(name=name, value=value) for name, value in named if value is not None)


def source_params(target: Target) -> tuple[Param, ...]:
    """Return the settings that say which function of the source TensorFlow runs.

    Shapes and normalization reach TensorFlow's side through the interface that *convert* writes.
    """
    named: list[tuple[str, JsonValue]] = []
    if target.signature != "serving_default":
        named.append(("signature", target.signature))
    if target.tags != ("serve",):
        named.append(("tags", target.tags))
    return tuple(Param(name=name, value=value) for name, value in named)


def dataset_params(dataset: Dataset | None, *, labels: bool) -> tuple[Param, ...]:
    """Return how samples come out of the file. Without a dataset, seeded random inputs take its place."""
    if dataset is None:
        return (Param(name="seed", value=SEED),)
    named: list[tuple[str, JsonValue]] = [(f"dataset.inputs.{key}", array) for key, array in sorted(dataset.arrays)]
    if labels and dataset.labels is not None:
        named.append(("dataset.labels", dataset.labels))
    if dataset.limit is not None:
        named += [("dataset.limit", dataset.limit), ("seed", SEED)]
    return tuple(Param(name=name, value=value) for name, value in named)


def dataset_inputs(dataset: Dataset | None) -> tuple[Input, ...]:
    """Return the dataset's file as an input."""
    if dataset is None:
        return ()
    return (Input(role="dataset", origin=Source(dataset.path), at=(*dataset.at, "path")),)


def ir_inputs(action: str) -> tuple[Input, ...]:
    """Return the two files of the IR that `action` made."""
    return (
        Input(role="xml", origin=Artifact(action, "xml")),
        Input(role="bin", origin=Artifact(action, "bin")),
    )


def validation_set(datasets: dict[str, Dataset], target: Target) -> Dataset | None:
    """Return the dataset on which the target is compared with TensorFlow, if the Ovfile names one."""
    return datasets[target.accuracy.dataset] if target.accuracy and target.accuracy.dataset else None
