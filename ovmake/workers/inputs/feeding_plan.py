"""How the gate's samples are fed: *reference* finds a plan that TensorFlow accepts, and later actions follow it.

    plan = FeedingPlan.of(request)      the request's `plan`; the default one if it has none
    plan.write(path)

Fields with their default are left out. A plan has only facts that are unknown until TensorFlow has run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from ovmake.contracts.codec import load, save
from ovmake.workers.inputs.synthetic import SyntheticSizes
from ovmake.workers.ipc.protocol import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedingPlan:
    """`count`: the number of samples, None for all; `drawn`: the sizes and ranges of synthetic inputs.

    `whole` are the outputs whose size depends on the data. If there are any, samples are fed one at a time, if the
    model allows it, so that each sample has its own output.
    """

    FORMAT: ClassVar[int] = 2

    count: int | None = None
    whole: tuple[str, ...] = ()
    drawn: SyntheticSizes = field(default_factory=SyntheticSizes)

    def write(self, path: str) -> None:
        """Write the JSON."""
        save(self, path)

    @classmethod
    def of(cls, request: Request) -> FeedingPlan:
        """Read the plan of a request; the default one if it has none."""
        return load(cls, request.inputs["plan"], "plan") if "plan" in request.inputs else cls()
