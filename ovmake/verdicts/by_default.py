"""Is the promise kept where an application compiles the IR without properties. Pure.

    default_verdict(evaluation, promise) -> Default | None

None where that executes the IR as it was verified, and where that keeps no promise itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ovmake.contracts.params.promise import PromiseParams, Tolerance
from ovmake.verdicts.figures import HINT
from ovmake.verdicts.verdict import Verdict, decide


@dataclass(frozen=True, slots=True, kw_only=True)
class Default:
    """The same promise, of the IR compiled without properties. `precision` is what floating point is executed in then.

    `needed` is the property that keeps the promise, as `NAME=value`; "" where none is needed.
    """

    precision: str
    verdict: Verdict
    needed: str

    def to_json(self) -> dict[str, object]:
        """Return it as a part of the verdict's file, and of `gate` in the record."""
        return {"precision": self.precision, **self.verdict.to_json(), "needs": self.needed or None}


def default_verdict(evaluation: Mapping[str, object], promise: PromiseParams) -> Default | None:
    """Return the verdict over the second execution that an evaluation holds; None where the first keeps no promise."""
    found = evaluation.get("default")
    if not isinstance(found, dict) or decide(evaluation, promise).result != "passed":
        return None
    first = {name: value for name, value in evaluation.items() if name not in {"default", "neighbours"}}
    # What the Ovfile leaves to the tool's defaults has others here, see `rules/gate.py`.
    verdict = decide({**first, **found}, replace(promise, agreement=_by_default(promise)))
    properties = evaluation.get("compile_properties")
    verified = properties.get(HINT) if isinstance(properties, dict) else None
    needed = f"{HINT}={verified}" if verdict.result != "passed" else ""
    return Default(precision=str(found.get("precision")), verdict=verdict, needed=needed)


def _by_default(promise: PromiseParams) -> Tolerance:
    own, default = promise.agreement, promise.default
    return Tolerance(
        cosine=own.cosine if default.cosine is None else default.cosine,
        max_error=own.max_error if default.max_error is None else default.max_error,
    )
