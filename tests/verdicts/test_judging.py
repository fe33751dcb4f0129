"""Warnings of a publication: a gate missed without properties, answers that depend on the batch."""

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


def test_default_that_misses_the_gate_warns_with_the_line_that_passes() -> None:
    (missed,) = of_publication(verdict("missed"), None, COMPILED)
    (unknown,) = of_publication(verdict("not-measured"), None, COMPILED)

    assert "promise-needs-property" == missed.code
    assert (
        "compiled without properties, the IR is executed in bf16 on this processor, and its gate is missed: cosine 0.95"
    ) == missed.message
    assert (f"as it was verified: {COMPILED}",) == missed.notes
    assert missed.help.startswith(f"set `{NEEDS}`")
    assert "its gate is not measured" in unknown.message


def test_no_warning_if_the_default_passes_or_the_gate_did_not() -> None:
    assert [] == [*of_publication(verdict("passed", needs=""), neighbours(0.0), COMPILED)]
    assert [] == [*of_publication(verdict(None), None, COMPILED)]
    assert [] == [*of_publication(verdict(None, gate="not-measured"), neighbours(0.5), COMPILED)]


def test_model_whose_answers_depend_on_the_batch_gives_a_warning() -> None:
    (found,) = of_publication(verdict(None), neighbours(0.5), COMPILED)

    assert ("depends-on-batch", "batch") == (found.code, found.setting)
    assert found.message.endswith("by 0.5 of the scale of `y`")


def test_targets_line_says_with_which_property_the_promise_is_kept() -> None:
    event = TargetFinished(target="m:fp32", status="built", gate="passed", needs=NEEDS)

    assert target_line(event, "build/m.xml").endswith(f"build/m.xml with {NEEDS}")
    assert NEEDS == event.to_json()["needs"]


ASKED = GateParams(promise=PromiseParams())


def test_gate_missed_by_dependence_on_the_batch_gives_advice() -> None:
    apart = neighbours_of({"max_abs": 0.9, "cosine": 0.4})
    missed = decide(an_evaluation(an_output(), neighbours=encode(apart)), {"accuracy.agreement.cosine": 0.99})

    helping = "`batch = 64` limits the IR to batches of that size, which the gate then judges"
    assert ("gate-missed", helping) == (code(missed), advice(missed, None, apart, ASKED, doubts=()))
    assert f"fix the calibration samples first; {helping}" == advice(
        missed, None, apart, ASKED, doubts=("few samples",)
    )
