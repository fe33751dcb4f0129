"""How the gate's samples are fed: what *reference* found out, and whoever runs the same samples again follows.

    plan = Plan.of(request)      what the request's `plan` says; the plain one without
    plan.write(path)

    {"format": 1, "count": 4, "whole": ["boxes"], "size": 16, "ranges": {"segment_ids": [0, 2]}}

What has its default is left out. A plan says only what cannot be known before TensorFlow has run.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from ovmake.workers.inputs.synthetic import Drawn
from ovmake.workers.ipc.protocol import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedingPlan:
    """`count`: only so many of the samples, None for all; `drawn`: from what inputs are made up.

    `whole` are the outputs whose size depends on the data. Where there are any, samples are fed one at a time, as far
    as the model allows it, so that each has its own.
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
