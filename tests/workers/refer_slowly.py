"""Run *reference* on models that take their time: `python refer_slowly.py FOLDER`, JSON on stdout.

    {"quick": {"count": None, "samples": 16, "log": [...]}, "slow": {"count": 2, ...}}

Seconds of the CPU are made up: each run takes as many as the model says, and none are waited for.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ovmake.contracts.codec import encode_object
from ovmake.contracts.files.interface import Interface, Tensor
from ovmake.contracts.params.data import DatasetParams, SampleParams
from ovmake.contracts.params.evaluation import ReferenceParams
from ovmake.workers.inputs.feeding_plan import FeedingPlan
from ovmake.workers.inputs.preparing import Array
from ovmake.workers.inputs.samples import take
from ovmake.workers.ipc.protocol import Request
from ovmake.workers.reference import kept_model, reference


class Slow:
    """A model that takes so many seconds for a sample, and the first time some more."""

    operations, in_integers, computes_in, truth_name, truth_is_slow = 1, False, "", "", False
    quanta: Mapping[str, float] = {}

    def __init__(self, seconds: float, first: float = 0.0) -> None:
        self.seconds, self.first, self.spent = seconds, first, 0.0

    def __call__(self, feed: Mapping[str, Array]) -> dict[str, Array]:
        """Run once."""
        self.spent += self.seconds * len(feed["x"]) + self.first
        self.first = 0.0
        return {"y": feed["x"] * 2}

    def again(self, feed: Mapping[str, Array]) -> dict[str, Array] | None:
        """Run once more."""
        return self(feed)

    truth = again


def refer(folder: Path, model: Slow, *, batch: int = -1, samples: int = 0) -> dict[str, Any]:
    """Return the plan, and how many samples were compared; `samples` of a dataset, 0: made up."""
    tensors = [Tensor(name=name, shape=(batch, 3), type="f32") for name in "xy"]
    Interface(inputs=(tensors[0],), outputs=(tensors[1],)).write(str(folder / "interface"))
    inputs = {"interface": str(folder / "interface")}
    if samples:
        np.savez(folder / "data.npz", x=np.zeros((samples, 3), np.float32))
        inputs["dataset"] = str(folder / "data.npz")
    outputs = {role: str(folder / role) for role in ("outputs", "truth", "plan", "facts")}
    asked = SampleParams(dataset=DatasetParams(form="arrays") if samples else None, seed=0)
    params = encode_object(ReferenceParams(samples=asked))
    request = Request(id=1, kind="reference", params=params, inputs=inputs, outputs=outputs)
    kept_model.take = lambda *_: model  # type: ignore[assignment]
    reference.time.process_time = lambda: model.spent  # type: ignore[attr-defined]
    answer = reference.refer(request)
    plan = FeedingPlan.of(Request(id=1, kind="evaluate", inputs={"plan": outputs["plan"]}))
    following = Request(id=1, kind="evaluate", inputs={**inputs, "plan": outputs["plan"]})
    follows = take(following, Interface.read(inputs["interface"]), asked)
    with np.load(outputs["outputs"]) as stored:
        count = len(stored["y"])
    inputs_ = json.loads(Path(outputs["facts"]).read_bytes())["inputs"]
    return {
        "count": plan.count, "samples": count, "follows": follows.count, "notes": inputs_.get("notes", []),
        "warned": "warnings" in answer, "spent": model.spent,
    }  # fmt: skip


def main() -> None:
    """Run them all."""
    folder = Path(sys.argv[1])
    found = {
        "quick": refer(folder, Slow(0.01)),
        "warming-up": refer(folder, Slow(0.1, first=5.0)),
        "slow": refer(folder, Slow(13.75)),
        "slower": refer(folder, Slow(100.0)),
        "fixed-batch": refer(folder, Slow(13.75), batch=4),
        "one-feed": refer(folder, Slow(13.75), batch=16),
        "dataset": refer(folder, Slow(13.75), samples=20),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
