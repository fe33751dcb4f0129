"""Is the promise kept where an application compiles the IR without properties. Pure.

    with_default(verdict, evaluation, promise) -> Verdict      with `by_default`, see contracts.files.verdict

Nothing is added where the IR executes in the same way without properties, and where it keeps no promise as verified.
"""

from __future__ import annotations

from dataclasses import replace

from ovmake.contracts.files.evaluation import Evaluation
from ovmake.contracts.files.verdict import DefaultVerdict, Verdict
from ovmake.contracts.params.promise import PromiseParams, Tolerance
from ovmake.verdicts.figures import HINT
from ovmake.verdicts.verdict import judged


def with_default(verdict: Verdict, evaluation: Evaluation, promise: PromiseParams) -> Verdict:
    """Return a verdict with that over the second execution that an evaluation holds, if it holds one."""
    found = evaluation.by_default
    if found is None or verdict.result != "passed":
        return verdict
    # What the Ovfile leaves to the tool's defaults has others here, see `rules/gate.py`.
    second = judged(found.figures, replace(promise, agreement=_by_default(promise)), inputs=evaluation.inputs).verdict
    needs = f"{HINT}={evaluation.compile_properties[HINT]}" if second.result != "passed" else ""
    return replace(verdict, by_default=DefaultVerdict(precision=found.precision, verdict=second, needs=needs))


def _by_default(promise: PromiseParams) -> Tolerance:
    own, default = promise.agreement, promise.default
    return Tolerance(
        cosine=own.cosine if default.cosine is None else default.cosine,
        max_error=own.max_error if default.max_error is None else default.max_error,
    )
