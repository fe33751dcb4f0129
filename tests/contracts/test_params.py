"""The params of every kind of action: a worker reads exactly what a rule wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping

import jsonschema
import pytest

from ovmake.contracts.codec import ContractError, decode, encode_object, flat
from ovmake.contracts.params.evaluation import EvaluateParams
from ovmake.contracts.params.model import ConvertParams
from ovmake.contracts.params.promise import MaxDrop
from ovmake.contracts.schema import schema
from ovmake.graph.action import Action
from ovmake.graph.lower import lower
from ovmake.ovfile.parse import parse
from ovmake.rules import debug_target, measure_target
from ovmake.workers.ipc.protocol import Request

OVFILE = """
[datasets.train]
path = "train.npz"
limit = 400
inputs.image = "x"
[datasets.val]
path = "images"
labels = "y"
classes = ["cat", "dog"]
images = { resize = 8, channels = "bgr" }
[models.m]
source = "m"
signature = "classify"
tags = ["serve", "gpu"]
allow-ops = ["WriteFile"]
batch = 4
cut.outputs = ["logits"]
inputs.image = { shape = [-1, "8..16", 8, 3], mean = [0.5, 0.25, 0.125], type = "u8", layout = "NHWC" }
inputs.train = { value = [false] }
outputs.logits = "scores"
precisions = ["fp16", "bf16", "int8", "int4-weights", "auto"]
[models.m.accuracy]
dataset = "val"
metric = "f1"
positive = 1
max-drop = "1.5%"
[models.m.require]
size = "1 GB"
speedup = 1.5
[models.m.int8]
calibration = "train"
samples = 50
on-drop = "mixed"
max-minutes = 5
model-type = "transformer"
smooth-quant = { matmul = 0.25 }
ignored.names = ["logits"]
[models.m.auto]
candidates = ["fp32", "int8"]
"""


def actions() -> Mapping[str, Action]:
    """Return the actions of an Ovfile that uses every kind of action."""
    ovfile = parse(OVFILE)
    return {**lower(ovfile, measure_target, {}).actions, **lower(ovfile, debug_target, {}).actions}


def test_the_params_of_every_action_survive_a_round_trip() -> None:
    made = actions()

    assert {"compress", "choose"} == {one.kind for one in made.values() if one.params is None}
    for one in made.values():
        if one.params is not None:
            sent = json.loads(json.dumps(encode_object(one.params)))
            assert one.params == decode(type(one.params), sent, one.name)
            jsonschema.Draft202012Validator(schema(type(one.params))).validate(sent)


def test_a_kind_of_action_has_one_dataclass() -> None:
    kinds: dict[str, set[type]] = {}
    for one in actions().values():
        kinds.setdefault(one.kind, set()).add(type(one.params))

    assert [] == [kind for kind, types in kinds.items() if len(types) > 1]


def test_params_of_a_different_action_are_refused_by_field() -> None:
    request = Request(id=1, kind="evaluate", params=encode_object(ConvertParams()) | {"model": {"batch": 4}})

    with pytest.raises(ContractError, match=r"^params of evaluate has an unknown field `model`$"):
        request.asked(EvaluateParams)


@pytest.mark.parametrize(("written", "bound"), [(0.01, 0.01), ("1%", 0.008), ("0.1%", 0.0008), (-0.02, -0.02)])
def test_a_max_drop_survives_a_round_trip_and_bounds_in_metric_units(written: float | str, bound: float) -> None:
    drop = MaxDrop.read(written)

    assert written == drop.written
    assert bound == pytest.approx(drop.bound(0.8))
    assert {"x": written} == flat({"x": drop})
