"""check-source: TensorFlow loads the source's present bytes once, before anything is reused that counts by computation.

    check_source(lowering, target, interface=..., source=...) -> Inputs

A fingerprint reads files, and cannot know all that TensorFlow's loader refuses. Without this, a damaged model with the
fingerprint of a sound one would get the sound one's reference, and its verdict would depend on what was built before.

Rule: whatever lets a source count by its fingerprint, and says something of TensorFlow, reads `answers` too. Only the
record of *publish* does not: it repeats the fingerprint, and nothing else of the source.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ovmake.graph.action import Action, Artifact, Input, Output, Param, Source
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
    """Add the check of a source that counts by what it computes; return what it finds out. By bytes, none is needed.

    `source` are the inputs of the action that reads it. The check reads the same, by their bytes. If that action is the
    one that it `prepares`, the model is loaded once for both; `dataset` are the inputs that only that one reads.
    """
    if not any(given.by_computation for given in source):
        return ()
    action = Action(
        kind="check-source",
        subject=target.family,
        worker="tensorflow",
        tools=("tensorflow", "numpy"),
        params=(*tensorflow_params(lowering, target, None), Param(name="seed", value=SEED)),
        inputs=(
            Input(role="interface", origin=interface),
            *(replace(given, by_computation=False) for given in source),
        ),
        environment=("isa",),
        outputs=(Output(role="answers"),),
        prepares=prepares,
        prepared=tuple(given.origin.path for given in dataset if isinstance(given.origin, Source)),
        after=check_validation(lowering, target, lowering.actions[interface.action]),  # a wrong dataset loads nothing
        at=target.home,
        origins=target.origins,
    )
    answers = Artifact(lowering.add(action, otherwise=target.name).name, "answers")
    return (Input(role="answers", origin=answers, unread=True),)
