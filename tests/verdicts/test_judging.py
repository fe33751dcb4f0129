"""What a publication warns of: a promise broken as an IR is usually compiled, answers that depend on a batch."""

from __future__ import annotations

from ovmake.cli.terminal import target_line
from ovmake.contracts.codec import encode
from ovmake.contracts.files.evaluation import Neighbours
from ovmake.contracts.files.verdict import DefaultVerdict, GateResult, Verdict
from ovmake.contracts.params.promise import GateParams, PromiseParams
from ovmake.engine.events import TargetFinished
from ovmake.verdicts.judging import advice, code, of_publication
from tests.evaluations import a_verdict, an_evaluation, an_output, neighbours_of
from tests.promises import decide

COMPILED = 'core.compile_model("m.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})'
NEEDS = "INFERENCE_PRECISION_HINT=f32"


def verdict(result: GateResult | None, needs: str = NEEDS, gate: GateResult = "passed") -> Verdict:
    default = None
    if result is not None:
        default = DefaultVerdict(precision="bf16", verdict=a_verdict(result, text="cosine 0.95"), needs=needs)
    return a_verdict(gate, text="", by_default=default)


def neighbours(own: float) -> Neighbours:
    return neighbours_of({"scale": 1.0, "own_max_abs": own})


def test_default_that_breaks_the_promise_is_told_with_the_line_that_keeps_it() -> None:
    (missed,) = of_publication(verdict("missed"), None, COMPILED)
    (unknown,) = of_publication(verdict("not-measured"), None, COMPILED)

    assert "promise-needs-property" == missed.code
    assert (
        "compiled without properties, the IR is executed in bf16 on this processor, and its promise is broken: "
        "cosine 0.95"
    ) == missed.message
    assert (f"as it was verified: {COMPILED}",) == missed.notes
    assert missed.help.startswith(f"set `{NEEDS}`")
    assert "its promise is not measured" in unknown.message


def test_default_that_keeps_it_and_a_gate_that_did_not_pass_are_nothing_to_warn_of() -> None:
    assert [] == [*of_publication(verdict("passed", needs=""), neighbours(0.0), COMPILED)]
    assert [] == [*of_publication(verdict(None), None, COMPILED)]
    assert [] == [*of_publication(verdict(None, gate="not-measured"), neighbours(0.5), COMPILED)]


def test_model_whose_answers_depend_on_the_batch_is_told_as_that() -> None:
    (found,) = of_publication(verdict(None), neighbours(0.5), COMPILED)

    assert ("depends-on-batch", "batch") == (found.code, found.setting)
    assert found.message.endswith("by 0.5 of the scale of `y`")


def test_targets_line_says_with_which_property_the_promise_is_kept() -> None:
    event = TargetFinished(target="m:fp32", status="built", gate="passed", needs=NEEDS)

    assert target_line(event, "build/m.xml").endswith(f"build/m.xml with {NEEDS}")
    assert NEEDS == event.to_json()["needs"]


ASKED = GateParams(promise=PromiseParams())


def test_gate_missed_by_answers_that_depend_on_their_batch_says_what_helps() -> None:
    apart = neighbours_of({"max_abs": 0.9, "cosine": 0.4})
    missed = decide(an_evaluation(an_output(), neighbours=encode(apart)), {"accuracy.agreement.cosine": 0.99})

    helping = "`batch = 64` lets the IR take batches of that size alone, which the gate then judges"
    assert ("gate-missed", helping) == (code(missed), advice(missed, None, apart, ASKED, doubts=()))
    assert f"mend what calibrates first; {helping}" == advice(missed, None, apart, ASKED, doubts=("few samples",))
