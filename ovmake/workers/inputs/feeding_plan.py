"""How the gate's samples are fed: *reference* finds a plan that TensorFlow accepts, and later actions follow it.

    plan = FeedingPlan.of(request)      the request's `plan`; the default one if it has none
    plan.write(path)

    {"format": 1, "count": 4, "whole": ["boxes"], "size": 16, "ranges": {"segment_ids": [0, 2]}}

Fields with their default are left out. A plan has only facts that are unknown until TensorFlow has run.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from ovmake.workers.inputs.synthetic import Drawn
from ovmake.workers.ipc.protocol import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedingPlan:
    """`count`: the number of samples, None for all; `drawn`: the sizes and ranges of synthetic inputs.

    `whole` are the outputs whose size depends on the data. If there are any, samples are fed one at a time where the
    model allows it, so that each sample has its own output.
    """

    count: int | None = None
    whole: tuple[str, ...] = ()
    drawn: Drawn = field(default_factory=Drawn)

    def write(self, path: str) -> None:
        """Write the JSON."""
        body: dict[str, object] = {"format": 1}
        if self.count is not None:
            body["count"] = self.count
        if self.whole:
            body["whole"] = self.whole
        Path(path).write_text(json.dumps(body | self.drawn.to_json()) + "\n")

    @classmethod
    def of(cls, request: Request) -> FeedingPlan:
        """Read what `write` wrote."""
        if "plan" not in request.inputs:
            return cls()
        body = json.loads(Path(request.inputs["plan"]).read_bytes())
        return cls(count=body.get("count"), whole=tuple(body.get("whole", ())), drawn=Drawn.from_json(body))
