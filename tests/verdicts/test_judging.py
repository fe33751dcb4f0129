"""What a publication warns of: a promise broken as an IR is usually compiled, answers that depend on a batch."""

from __future__ import annotations

from typing import Any

from ovmake.cli.terminal import target_line
from ovmake.contracts.params.promise import GateParams, PromiseParams
from ovmake.engine.events import TargetFinished
from ovmake.verdicts.judging import advice, code, of_publication
from tests.promises import decide

RECORD = {"compile": 'core.compile_model("m.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})'}
NEEDS = "INFERENCE_PRECISION_HINT=f32"


def verdict(result: str | None, needs: str | None = NEEDS, gate: str = "passed") -> dict[str, Any]:
    default = {"precision": "bf16", "result": result, "text": "cosine 0.95", "needs": needs}
    return {"result": gate, **({"default": default} if result else {})}


def neighbours(own: float) -> dict[str, Any]:
    return {"neighbours": {"sizes": [1, 16], "outputs": [{"name": "y", "scale": 1.0, "own_max_abs": own}]}}


def test_default_that_breaks_the_promise_is_told_with_the_line_that_keeps_it() -> None:
    (missed,) = of_publication(verdict("missed"), {}, RECORD)
    (unknown,) = of_publication(verdict("not-measured"), {}, RECORD)

    assert "promise-needs-property" == missed.code
    assert (
        "compiled without properties, the IR is executed in bf16 on this processor, and its promise is broken: "
        "cosine 0.95"
    ) == missed.message
    assert (f"as it was verified: {RECORD['compile']}",) == missed.notes
    assert missed.help.startswith(f"set `{NEEDS}`")
    assert "its promise is not measured" in unknown.message


def test_default_that_keeps_it_and_a_gate_that_did_not_pass_are_nothing_to_warn_of() -> None:
    assert [] == [*of_publication(verdict("passed", needs=None), neighbours(0.0), RECORD)]
    assert [] == [*of_publication(verdict(None), {}, RECORD)]
    assert [] == [*of_publication(verdict(None, gate="not-measured"), neighbours(0.5), RECORD)]


def test_model_whose_answers_depend_on_the_batch_is_told_as_that() -> None:
    (found,) = of_publication(verdict(None), neighbours(0.5), RECORD)

    assert ("depends-on-batch", "batch") == (found.code, found.setting)
    assert found.message.endswith("by 0.5 of the scale of `y`")


def test_targets_line_says_with_which_property_the_promise_is_kept() -> None:
    event = TargetFinished(target="m:fp32", status="built", gate="passed", needs=NEEDS)

    assert target_line(event, "build/m.xml").endswith(f"build/m.xml with {NEEDS}")
    assert NEEDS == event.to_json()["needs"]


ASKED = GateParams(promise=PromiseParams())


def test_gate_missed_by_answers_that_depend_on_their_batch_says_what_helps() -> None:
    apart = {"name": "y", "scale": 1.0, "max_abs": 0.9, "cosine": 0.4, "own_max_abs": 0.0, "own_cosine": 1.0}
    same = {"name": "y", "scale": 1.0, "max_abs": 0.0, "cosine": 1.0, "nan_mismatch": 0}
    found = {"outputs": [same], "neighbours": {"sizes": [1, 64], "samples": 8, "outputs": [apart], "helps": []}}
    missed = decide(found, {"accuracy.agreement.cosine": 0.99})

    helping = "`batch = 64` lets the IR take batches of that size alone, which the gate then judges"
    assert ("gate-missed", helping) == (code(missed), advice(missed, None, found, ASKED, doubts=()))
    assert f"mend what calibrates first; {helping}" == advice(missed, None, found, ASKED, doubts=("few samples",))
