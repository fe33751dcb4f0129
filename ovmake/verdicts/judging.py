"""What gates and publications say beside their verdict, in words. Pure.

code(verdict), advice(verdict, ...)        of a target that is not published
of_gate(verdict, search)                   warnings of a gate that lets the IR through
of_publication(verdict, neighbours, compiled)  warnings of other ways to run the IR
unmeasured(why, help), guessing(...)       two of them, for whoever hands on another's verdict
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
MEND = "mend what calibrates first"
CAUSES = (
    "look for what spoils both: scaling done twice or not at all (`mean`, `scale`, a layer of the model's own), labels "
    "off by one or shuffled, RGB for BGR (`reverse-channels`)"
)
ABSURD = (
    "see that the data gives the same samples and labels each time, and that TensorFlow gets them as it was trained; "
    "if a gain is expected, say so with a negative `max-drop`"
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
    """Return what helps a target that is not published; `doubts` are what is odd about the samples that calibrated."""
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
        return '`on-drop = "mixed"` reverts as few layers as possible to float, until the gate is kept'
    return verdict.help


def of_gate(verdict: Verdict, search: Search | None) -> Iterator[ActionProblem]:
    """Yield what a gate that lets the IR through has to say all the same."""
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
            help="promise less, or leave `int8` out of `precisions`: this IR computes what `fp32` computes",
            setting="accuracy",
        )
    elif verdict.doubt:
        yield ActionProblem(
            code="undecided-gate",
            message=f"the gate passed, and {verdict.doubt}",
            help="add samples to the validation set, or promise no more than it can tell",
            setting="accuracy.dataset",
        )


def unmeasured(why: str, help_: str) -> ActionProblem:
    """Return the warning of an IR that is published though nothing is known of its accuracy."""
    return ActionProblem(
        code="gate-not-measured",
        message=f"the gate was not measured, and the IR is published all the same: {why}",
        help=help_ or "`accuracy = false` says that nothing is to be compared",
        setting="accuracy",
    )


def guessing(result: str, at_chance: str) -> ActionProblem:
    """Return that a gate compared guesses."""
    return ActionProblem(
        code="reference-at-chance",
        message=f"the gate {result}, and says nothing: {at_chance}",
        help=CAUSES,
        setting="accuracy.dataset",
    )


def of_publication(verdict: Verdict | None, neighbours: Neighbours | None, compiled: str) -> Iterator[ActionProblem]:
    """Yield what a publication warns of: other ways to run the IR than the one that its gate judged.

    Compiled without properties it may break its promise; and where TensorFlow's own answers for a sample depend on its
    batch, the gate speaks of batches as it fed them. `compiled` is the line of Python that compiles the IR as verified.
    """
    if verdict is None:
        return
    default = verdict.by_default
    if default is not None and default.needs:
        yield ActionProblem(
            code="promise-needs-property",
            message=f"compiled without properties, the IR is executed in {default.precision} on this processor, "
            f"and its promise is {_broken(default.verdict)}: {default.verdict.text}",
            notes=(f"as it was verified: {compiled}",),
            help=f"set `{default.needs}` where the application compiles the IR, or promise less",
            setting="accuracy",
        )
    if verdict.result == "passed" and (by_nature := depends_by_nature(neighbours)):
        yield ActionProblem(
            code="depends-on-batch",
            message=f"TensorFlow's own answers for a sample depend on what else is in its batch, {by_nature}",
            notes=("the gate compared batches as it fed them, and says nothing of others",),
            help="`batch` fixes how many samples the IR takes",
            setting="batch",
        )


def _broken(verdict: Verdict) -> str:
    return "broken" if verdict.result == "missed" else "not measured"
