"""check-source: TensorFlow loads the source's present bytes once, before any result is reused by fingerprint.

    check_source(lowering, target, interface=..., source=...) -> Inputs

A fingerprint is computed from files, and cannot detect every damage that TensorFlow's loader refuses. Without this
check, a damaged model with the fingerprint of an intact one would reuse the intact one's reference, and its verdict
would depend on earlier builds.

Rule: an action that reads a source by fingerprint and uses TensorFlow also reads `answers`. The exception is the record
of *publish*: it repeats only the fingerprint.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ovmake.contracts.params.model import CheckSourceParams
from ovmake.graph.action import Action, Artifact, Input, Output, Source
from ovmake.graph.lower import Lowering
from ovmake.ovfile.spec import Target
from ovmake.ovfile.words import SEED
from ovmake.rules.check_samples import check_validation
from ovmake.rules.settings import tensorflow_params


def check_source(
    lowering: Lowering,
    target: Target,
    *,
    interface: Artifact,
    source: Sequence[Input],
    prepares: str = "",
    dataset: Sequence[Input] = (),
) -> tuple[Input, ...]:
    """Add the check of a source that is read by fingerprint; return its outputs. A source read by bytes needs no check.

    `source` are the inputs of the action that reads it. The check reads the same inputs, by their bytes. If that action
    is the one that it `prepares`, the model is loaded once for both; `dataset` are inputs that only that one reads.
    """
    if not any(given.by_computation for given in source):
        return ()
    action = Action(
        kind="check-source",
        subject=target.family,
        worker="tensorflow",
        tools=("tensorflow", "numpy"),
        params=CheckSourceParams(source=tensorflow_params(lowering, target, None), seed=SEED),
        inputs=(
            Input(role="interface", origin=interface),
            *(replace(given, by_computation=False) for given in source),
        ),
        environment=("isa",),
        outputs=(Output(role="answers"),),
        prepares=prepares,
        prepared=tuple(given.origin.path for given in dataset if isinstance(given.origin, Source)),
        after=check_validation(lowering, target, lowering.actions[interface.action]),  # errors in data come first
        at=target.home,
        origins=target.origins,
    )
    answers = Artifact(lowering.add(action, otherwise=target.name).name, "answers")
    return (Input(role="answers", origin=answers, unread=True),)
