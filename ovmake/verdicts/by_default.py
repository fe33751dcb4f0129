"""Judge the IR as an application compiles it without properties. Pure.

    with_default(verdict, evaluation, promise) -> Verdict      with `by_default`, see contracts.files.verdict

Nothing is added if the IR executes in the same way without properties, or if it did not pass as verified.
"""

from __future__ import annotations

from dataclasses import replace

from ovmake.contracts.files.evaluation import Evaluation
from ovmake.contracts.files.verdict import DefaultVerdict, Verdict
from ovmake.contracts.params.promise import PromiseParams, Tolerance
from ovmake.verdicts.figures import HINT
from ovmake.verdicts.verdict import judged


def with_default(verdict: Verdict, evaluation: Evaluation, promise: PromiseParams) -> Verdict:
    """Return the verdict, extended by that on the evaluation's second execution, if there is one."""
    found = evaluation.by_default
    if found is None or verdict.result != "passed":
        return verdict
    # Settings that the Ovfile lacks have different defaults here, see `rules/gate.py`.
    second = judged(found.figures, replace(promise, agreement=_by_default(promise)), inputs=evaluation.inputs).verdict
    needs = f"{HINT}={evaluation.compile_properties[HINT]}" if second.result != "passed" else ""
    return replace(verdict, by_default=DefaultVerdict(precision=found.precision, verdict=second, needs=needs))


def _by_default(promise: PromiseParams) -> Tolerance:
    own, default = promise.agreement, promise.default
    return Tolerance(
        cosine=own.cosine if default.cosine is None else default.cosine,
        max_error=own.max_error if default.max_error is None else default.max_error,
    )
