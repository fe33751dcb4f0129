"""Write the error codes, advice and warnings of gates and publications. Pure.

code(verdict), advice(verdict, ...)        for a target that is not published
of_gate(verdict, search)                   warnings of a gate that passes the IR
of_publication(verdict, neighbours, compiled)  warnings about other ways to run the IR
unmeasured(why, help), guessing(...)       two single warnings, also used for `auto`
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ovmake.contracts.files.evaluation import Neighbours
from ovmake.contracts.files.search import Search
from ovmake.contracts.files.verdict import Verdict
from ovmake.contracts.params.promise import GateParams
from ovmake.contracts.problem import ActionProblem
from ovmake.contracts.values import Facts
from ovmake.verdicts import searching
from ovmake.verdicts.neighbours import depends_by_nature, other_batches

GUESSES: Facts = {"note": "TensorFlow itself is no better than chance"}
MEND = "fix the calibration samples first"
CAUSES = (
    "look for a mistake that affects both: inputs scaled twice or not at all (`mean`, `scale`, a layer of the model), "
    "labels off by one or shuffled, RGB instead of BGR (`reverse-channels`)"
)
ABSURD = (
    "check that the dataset gives the same samples and labels each time, and that TensorFlow gets them as in training; "
    "if a gain is expected, set a negative `max-drop`"
)


def code(verdict: Verdict) -> str:
    """Return the code of the error."""
    if verdict.absurd:
        return "gate-absurd"
    return "gate-missed" if verdict.result == "missed" else "gate-not-measured"


def advice(
    verdict: Verdict,
    search: Search | None,
    neighbours: Neighbours | None,
    params: GateParams,
    *,
    doubts: Sequence[str],
) -> str:
    """Return the advice for a target that is not published; `doubts` are warnings about its calibration samples."""
    return "; ".join(filter(None, (MEND if doubts else "", _advice(verdict, search, neighbours, params))))


def _advice(verdict: Verdict, search: Search | None, neighbours: Neighbours | None, params: GateParams) -> str:
    if verdict.broken == "batch" and neighbours is not None:
        return other_batches(neighbours)
    if verdict.result == "not-measured":
        return verdict.help or "`accuracy = false` publishes the IR without comparing it"
    if verdict.absurd or verdict.at_chance:
        return ABSURD if verdict.absurd else CAUSES
    if search is not None:
        return searching.advice(search)
    if params.on_drop == "fail":
        return '`on-drop = "mixed"` reverts as few layers as possible to float, until the gate passes'
    return verdict.help


def of_gate(verdict: Verdict, search: Search | None) -> Iterator[ActionProblem]:
    """Yield the warnings of a gate that passes the IR."""
    if verdict.result == "not-measured":
        yield unmeasured(verdict.text, verdict.help)
        return
    if verdict.at_chance:
        yield guessing(verdict.result, verdict.at_chance)
    if search is not None and search.layers and search.int8 == 0:
        yield ActionProblem(
            code="nothing-in-int8",
            message=f"the gate passed, with all {search.layers} layers reverted to float: nothing is left in INT8",
            notes=(verdict.doubt,) if verdict.doubt else (),
            help="relax the gate, or remove `int8` from `precisions`: this IR computes what `fp32` computes",
            setting="accuracy",
        )
    elif verdict.doubt:
        yield ActionProblem(
            code="undecided-gate",
            message=f"the gate passed, but {verdict.doubt}",
            help="add samples to the validation set, or allow a larger drop",
            setting="accuracy.dataset",
        )


def unmeasured(why: str, help_: str) -> ActionProblem:
    """Return the warning for an IR that is published although its accuracy is unknown."""
    return ActionProblem(
        code="gate-not-measured",
        message=f"the gate was not measured, but the IR is published: {why}",
        help=help_ or "`accuracy = false` turns the gate off",
        setting="accuracy",
    )


def guessing(result: str, at_chance: str) -> ActionProblem:
    """Return the warning that TensorFlow only guesses, so the gate means nothing."""
    return ActionProblem(
        code="reference-at-chance",
        message=f"the gate {result}, but means nothing: {at_chance}",
        help=CAUSES,
        setting="accuracy.dataset",
    )


def of_publication(verdict: Verdict | None, neighbours: Neighbours | None, compiled: str) -> Iterator[ActionProblem]:
    """Yield warnings about ways to run the IR that its gate did not judge.

    Compiled without properties, the IR may miss its gate. If TensorFlow's own answers depend on the batch, the gate
    holds only for the batches that it compared. `compiled` is the line of Python that compiles the IR as verified.
    """
    if verdict is None:
        return
    default = verdict.by_default
    if default is not None and default.needs:
        yield ActionProblem(
            code="promise-needs-property",
            message=f"compiled without properties, the IR is executed in {default.precision} on this processor, "
            f"and its gate is {_result(default.verdict)}: {default.verdict.text}",
            notes=(f"as it was verified: {compiled}",),
            help=f"set `{default.needs}` when the application compiles the IR, or relax the gate",
            setting="accuracy",
        )
    if verdict.result == "passed" and (by_nature := depends_by_nature(neighbours)):
        yield ActionProblem(
            code="depends-on-batch",
            message=f"TensorFlow's own answers for a sample depend on the other samples of its batch, {by_nature}",
            notes=("the gate holds only for the batches that it compared",),
            help="`batch` fixes the IR's batch size",
            setting="batch",
        )


def _result(verdict: Verdict) -> str:
    return "missed" if verdict.result == "missed" else "not measured"
