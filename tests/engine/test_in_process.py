"""The actions that run in the ovmake process, on made-up figures: the speed check's words, and what `auto` hands on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from ovmake import __version__
from ovmake.cli.terminal import lines_of
from ovmake.contracts.codec import load, save, to_bytes
from ovmake.contracts.files.calibration import CheckedCalibration
from ovmake.contracts.files.evaluation import Evaluation
from ovmake.contracts.files.interface import Interface
from ovmake.contracts.files.record import Record
from ovmake.contracts.files.search import Search, SearchedLayer, SearchTrial
from ovmake.contracts.files.speed import CandidateTimes, Choice, SpeedComparison
from ovmake.contracts.files.verdict import Kept, Scores, Verdict
from ovmake.contracts.params.judging import CheckSpeedParams, WeighParams
from ovmake.contracts.params.promise import GateParams
from ovmake.contracts.params.publication import PublishParams
from ovmake.contracts.problem import ActionProblem
from ovmake.diagnostics import Span
from ovmake.engine.events import ActionFinished
from ovmake.engine.executor import Executor
from ovmake.engine.in_process.run import run_here
from ovmake.engine.job import Completion, Failure, Job, Success
from ovmake.engine.remote import Answer
from ovmake.engine.world import Options, World
from ovmake.graph.action import Action, Artifact, Graph, Input, Output
from ovmake.graph.digest import of_bytes
from ovmake.ovfile.words import KeyPath
from ovmake.store.database import Database
from ovmake.store.files.disk import RealDisk
from tests.evaluations import a_metric, a_search, a_verdict, an_evaluation, an_output
from tests.promises import promise

SLOW = SpeedComparison(
    threads=2,
    rounds=tuple({"fp32": 300.0, "ir": 370.0 + number} for number in range(20)),
    executed={"f32": 9, "i8": 7},
    conversions=6,
    dynamic_inputs=("image",),
    int8_instructions=(),
)
LINE = "[models.m.int8]"


class MeasuredBefore:
    """A runner whose measurements are made up, and whose other actions run in this process as they do."""

    def __init__(self, measured: SpeedComparison) -> None:
        self._measured = measured
        self._done: list[Completion] = []

    def start(self, job: Job) -> None:
        """See `Runner`."""
        if job.action.worker == "in-process":
            result = run_here(job)
        else:
            save(self._measured, job.outputs["comparison"])
            result = Success()
        self._done.append(Completion(job=job, result=result, seconds=1.5))

    def post(self, answer: Answer) -> None:
        """See `Runner`: no build of these tests has a remote cache."""
        raise AssertionError(answer)

    def wait(self) -> Completion:
        """See `Runner`."""
        return self._done.pop()

    def close(self) -> None:
        """See `Runner`."""


def checked(root: Path, measured: SpeedComparison) -> list[str]:
    """Return the lines that the terminal shows of a speed check of these measurements."""
    compare = Action(kind="compare-speed", subject="m:int8", worker="bench", outputs=(Output(role="comparison"),))
    check = Action(
        kind="check-speed",
        subject="m:int8",
        worker="in-process",
        params=CheckSpeedParams(precision="int8"),
        inputs=(Input(role="comparison", origin=Artifact("compare-speed m:int8", "comparison")),),
        outputs=(Output(role="speed"),),
        at=("models", "m"),
    )
    lines: list[str] = []

    def span(_: KeyPath) -> Span:
        return Span(file="Ovfile", line=7, column=1, length=len(LINE), text=LINE)

    disk = RealDisk(root)
    world = World(
        disk=disk,
        database=Database.in_memory(),
        runner=MeasuredBefore(measured),
        version=lambda _: "1",
        environment=lambda _: "1",
        emit=lambda event: lines.extend(lines_of(event, explain=False)) if isinstance(event, ActionFinished) else None,
        absolute=disk.absolute,
        span=span,
    )
    graph = Graph(actions={one.name: one for one in (compare, check)}, targets={"m:int8": check.name})
    assert 0 == Executor(graph, world, Options()).build(["m:int8"]).exit_status
    world.database.close()
    return lines


def test_a_slower_int8_is_told_with_figures_reasons_and_what_to_do(tmp_path: Path) -> None:
    assert (
        """\
compare-speed m:int8: done in 1.5 s
warning[slower-than-float]: check-speed m:int8: the int8 IR is slower than the FP32 one: \
0.79 times as fast (0.78 to 0.80)
 --> Ovfile:7:1
  |
7 | [models.m.int8]
  | ^^^^^^^^^^^^^^^
  |
  = note: likely because this CPU has no instructions for INT8 products (VNNI or AMX on x86, dot product on Arm)
  = note: likely because 9 of 16 layers compute in floating point, and activations are converted to INT8 in 6 places
  = note: likely because the shape of `image` is dynamic, so kernels are chosen at run time; `batch` or `shape` \
fixes it
help: leave `int8` out of `precisions`, or choose by measurement with `auto`; `speed-check = false` turns this check \
off""".splitlines()
        == checked(tmp_path, SLOW)
    )


def test_a_faster_one_is_not_told_of(tmp_path: Path) -> None:
    quick = replace(SLOW, rounds=({"fp32": 300.0, "ir": 200.0},) * 20)

    assert ["compare-speed m:int8: done in 1.5 s"] == checked(tmp_path, quick)


VERDICTS = {
    "fp32": a_verdict("passed", text="drop 0.0000", drop=0.0),
    "int8": a_verdict("missed", text="drop 0.2000, allowed 0.01", drop=0.2),
}


def job(root: Path, kind: str, inputs: Mapping[str, object], *outputs: str) -> Job:
    """Return a job with these contents as its inputs: bytes as they are, others as files."""
    for role, content in inputs.items():
        (root / role).write_bytes(content if isinstance(content, bytes) else to_bytes(content))
    for role in outputs:  # an action's scratch folder is its own
        (root / f"made.{role}").unlink(missing_ok=True)
    action = Action(kind=kind, subject="m:auto", worker="in-process", params=WeighParams(candidates=("fp32", "int8")))
    return Job(
        action=action,
        tools={},
        inputs={role: str(root / role) for role in inputs},
        digests={},
        outputs={role: str(root / f"made.{role}") for role in outputs},
        scratch="",
        log="",
    )


def under(asked: Job, promised: Mapping[str, object], *, on_drop: Literal["fail"] | None = None) -> Job:
    """Return a job of a gate that asks for this."""
    params = GateParams(promise=promise(promised), on_drop=on_drop)
    return replace(asked, action=replace(asked.action, params=params))


def weighed(root: Path, verdicts: Mapping[str, Verdict]) -> Choice:
    inputs: dict[str, object] = {"measurement": CandidateTimes(threads=2)}
    for name, verdict in verdicts.items():
        inputs |= {f"{name}.verdict": verdict, f"{name}.kept": Kept(kept=verdict.result == "passed")}
    assert isinstance(run_here(job(root, "weigh", inputs, "choice")), Success)
    return load(Choice, str(root / "made.choice"), "choice")


def evaluation_of(name: str) -> Evaluation:
    return an_evaluation(an_output(name=name))


def chosen(root: Path, choice: Choice) -> Success | Failure:
    files = {f"{name}.{role}": f"{name} {role}".encode() for name in VERDICTS for role in ("xml", "bin")}
    figures = {f"{name}.evaluation": evaluation_of(name) for name in VERDICTS}
    verdicts = {f"{name}.verdict": verdict for name, verdict in VERDICTS.items()}
    inputs = {"choice": choice, **files, **figures, **verdicts, "int8.search": a_search()}
    return run_here(job(root, "choose", inputs, "xml", "bin", "evaluation", "verdict", "search"))


def test_the_chosen_ir_is_handed_on_with_what_was_found_out_about_it(tmp_path: Path) -> None:
    choice = weighed(tmp_path, VERDICTS)

    assert isinstance(chosen(tmp_path, choice), Success)
    assert b"fp32 xml" == (tmp_path / "made.xml").read_bytes()
    assert b"fp32 bin" == (tmp_path / "made.bin").read_bytes()
    assert evaluation_of("fp32") == load(Evaluation, str(tmp_path / "made.evaluation"), "evaluation")
    assert VERDICTS["fp32"] == load(Verdict, str(tmp_path / "made.verdict"), "verdict")
    assert b"null\n" == (tmp_path / "made.search").read_bytes()


def test_a_chosen_ir_without_a_gate_is_handed_on_without_a_verdict(tmp_path: Path) -> None:
    choice = weighed(tmp_path, VERDICTS)
    files = {f"{choice.chosen}.{role}": f"{role}".encode() for role in ("xml", "bin")}

    made = run_here(
        job(tmp_path, "choose", {"choice": choice, **files}, "xml", "bin", "evaluation", "verdict", "search")
    )

    assert Success() == made
    assert b"null\n" == (tmp_path / "made.verdict").read_bytes()


def test_a_choice_over_guesses_is_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(VERDICTS, "fp32", replace(VERDICTS["fp32"], at_chance="it guesses"))

    made = chosen(tmp_path, weighed(tmp_path, VERDICTS))

    assert isinstance(made, Success)
    (warned,) = ActionProblem.of_facts(made.facts)
    assert ("reference-at-chance", "the gate passed, but means nothing: it guesses") == (warned.code, warned.message)
    assert "TensorFlow itself is no better than chance" == made.facts["note"]


def scored(
    root: Path, metric: Mapping[str, object], promised: float | str = 0.05, *, on_drop: Literal["fail"] | None = None
) -> Success | Failure:
    """Return what a gate says of these two scores."""
    asked = job(root, "gate", {"evaluation": an_evaluation(metric=a_metric(**metric))}, "verdict")
    return run_here(under(asked, {"accuracy.max-drop": promised, "accuracy.promised": True}, on_drop=on_drop))


SHARE = {"name": "accuracy", "unit": "share", "higher_is_better": True, "step": 0.005}
SURE = {"low": -0.01, "high": 0.01, "level": 0.95, "replicates": 1000}
GUESSING = {
    **SHARE,
    "reference": 0.495,
    "candidate": 0.495,
    "interval": SURE,
    "chance": {"answer": "always answering the most frequent label, 1,", "score": 0.51, "above_low": -0.1},
}
CHANCE = (
    "TensorFlow itself is no better than chance: accuracy 0.4950, and always answering the most frequent label, 1, "
    "gives 0.5100"
)


def test_a_gate_over_guesses_passes_with_a_warning_that_names_the_causes(tmp_path: Path) -> None:
    passed = scored(tmp_path, GUESSING)

    assert isinstance(passed, Success)
    assert ("accuracy", "share", 0.495, 0.495) == passed.facts["scores"]
    assert "TensorFlow itself is no better than chance" == passed.facts["note"]  # of `ovmake status`
    (warned,) = ActionProblem.of_facts(passed.facts)
    assert ("reference-at-chance", f"the gate passed, but means nothing: {CHANCE}", "accuracy.dataset") == (
        warned.code,
        warned.message,
        warned.setting,
    )
    for cause in ("inputs scaled twice or not at all", "labels off by one or shuffled", "RGB instead of BGR"):
        assert cause in warned.help
    verdict = load(Verdict, str(tmp_path / "made.verdict"), "verdict")
    scores = Scores(metric="accuracy", unit="share", tensorflow=0.495, openvino=0.495)
    assert (CHANCE, scores) == (verdict.at_chance, verdict.scores)


def test_too_few_samples_are_a_warning_beside_that_of_a_guess(tmp_path: Path) -> None:
    passed = scored(tmp_path, {**GUESSING, "interval": {**SURE, "high": 0.2}})

    assert isinstance(passed, Success)
    guess, doubt = ActionProblem.of_facts(passed.facts)
    assert "reference-at-chance" == guess.code
    assert "the 200 samples of the validation set are too few to decide" in doubt.message


def test_a_missed_gate_over_guesses_says_so_before_it_advises_another_precision(tmp_path: Path) -> None:
    missed = scored(tmp_path, {**GUESSING, "candidate": 0.4}, on_drop="fail")

    assert isinstance(missed, Failure)
    assert "gate-missed" == missed.code
    assert missed.message.endswith(f"allowed 0.05; {CHANCE}")
    assert missed.help.startswith("look for a mistake that affects both")


@pytest.mark.parametrize(
    ("calibrated", "notes", "hint"),
    [
        (
            CheckedCalibration(samples=1, overlap=None, doubts=("1 sample",)),
            ("1 sample",),
            "fix the calibration samples first; `",
        ),
        (CheckedCalibration(samples=300, overlap=0, doubts=()), (), "`on-drop"),
    ],
)
def test_a_missed_gate_says_what_is_odd_about_the_samples_that_calibrated(
    tmp_path: Path, calibrated: CheckedCalibration, notes: tuple[str, ...], hint: str
) -> None:
    metric = a_metric(**SHARE, reference=0.9, candidate=0.4, interval=SURE)
    inputs = {"evaluation": an_evaluation(metric=metric), "calibrated": calibrated}
    asked = job(tmp_path, "gate", inputs, "verdict")
    promised = {"accuracy.max-drop": 0.05, "accuracy.promised": True}

    missed = run_here(under(asked, promised, on_drop="fail"))

    assert isinstance(missed, Failure)
    assert notes == missed.notes[:-1]
    assert missed.help.startswith(hint)


def test_an_ir_that_is_far_better_than_tensorflow_was_asked_something_else(tmp_path: Path) -> None:
    metric = {**SHARE, "reference": 0.3, "candidate": 0.94, "interval": {**SURE, "low": -0.72, "high": -0.56}}

    failed = scored(tmp_path, metric, on_drop="fail")

    assert isinstance(failed, Failure)
    assert ("gate-absurd", "accuracy.max-drop") == (failed.code, failed.setting)
    assert failed.message == (
        "accuracy 0.3000 in TensorFlow, 0.9400 in the IR: drop -0.6400 (-0.7200 to -0.5600 with 95 % confidence on 200 "
        "samples), better by more than chance explains: the two did not see the same samples"
    )
    assert "the same samples and labels each time" in failed.help
    assert isinstance(scored(tmp_path, metric, promised=-0.5), Success)  # whoever expects a gain has said so


def test_where_no_candidate_keeps_its_gate_the_failure_names_all_figures(tmp_path: Path) -> None:
    missed = replace(VERDICTS["fp32"], result="missed", text="drop 0.1000, allowed 0.01")
    choice = weighed(tmp_path, {**VERDICTS, "fp32": missed})

    failure = chosen(tmp_path, choice)

    assert isinstance(failure, Failure)
    assert ("gate-missed", "no candidate passes its gate") == (failure.code, failure.message)
    assert failure.notes[:2] == (
        "fp32: gate missed: drop 0.1000, allowed 0.01",
        "int8: gate missed: drop 0.2000, allowed 0.01",
    )
    assert not (tmp_path / "made.xml").exists()


SEARCH = replace(
    a_search(int8=27, ended="`max-evaluations` = 3 were done"),
    trials=tuple(
        SearchTrial(reverted=reverted, kept=False, drop=drop, samples=1000, ended_early=False)
        for reverted, drop in ((0, 0.38), (20, 0.19), (37, 0.06))
    ),
    worst=(
        SearchedLayer(name="convolution.8", layer="stem", type="Convolution", share=0.912),
        SearchedLayer(name="add.31", type="Add", share=0.041),
    ),
)


def gated(
    root: Path, search: Search | None, *, candidate: float = 0.8, on_drop: Literal["fail"] | None = None
) -> Success | Failure:
    evaluation = an_evaluation(metric=a_metric(reference=0.9, candidate=candidate, step=0.001), samples=1000)
    inputs: dict[str, object] = {"evaluation": evaluation, **({} if search is None else {"search": search})}
    promised = {"accuracy.max-drop": 0.01, "accuracy.promised": True}
    return run_here(under(job(root, "gate", inputs, "verdict"), promised, on_drop=on_drop))


def test_a_gate_that_no_set_of_layers_keeps_tells_what_was_tried_and_which_layers_hurt(tmp_path: Path) -> None:
    failure = gated(tmp_path, SEARCH)

    assert isinstance(failure, Failure)
    assert failure.notes == (
        "plain INT8: drop 0.38",
        "2 sets of layers in floating point were tried; the closest has 37 of 64",
        "the search ended early: `max-evaluations` = 3 were done",
        "the layers whose quantization changes the outputs most: `stem` (Convolution, 91%), `add.31` (Add, 4%)",
        "nothing was published; the last good IR, if any, stays",
    )
    assert "raise the limit; the trials are stored, and the search continues from there" == failure.help
    assert (27, 64) == (failure.facts["int8_layers"], failure.facts["layers"])


def test_a_gate_that_floating_point_misses_too_says_so(tmp_path: Path) -> None:
    failure = gated(tmp_path, replace(SEARCH, hopeless=True, ended=""))

    assert isinstance(failure, Failure)
    assert "even with all layers in floating point the gate is missed" in failure.notes
    assert "the float IR misses the gate too: relax it" == failure.help


def test_search_that_had_no_time_for_a_single_trial_names_the_limit(tmp_path: Path) -> None:
    failure = gated(tmp_path, replace(SEARCH, trials=(), ended="`max-minutes` = 0 were over"))

    assert isinstance(failure, Failure)
    assert "the search ended early: `max-minutes` = 0 were over" == failure.notes[0]


def test_gate_that_nothing_could_be_measured_for_does_not_blame_the_search(tmp_path: Path) -> None:
    inputs = {
        "evaluation": an_evaluation(not_measured="TensorFlow cannot run it"),
        "search": replace(SEARCH, trials=(), ended="TensorFlow cannot run it"),
    }

    failure = run_here(under(job(tmp_path, "gate", inputs, "verdict"), {"accuracy.promised": True}))

    assert isinstance(failure, Failure)
    assert "gate-not-measured" == failure.code
    assert "`accuracy = false` publishes the IR without comparing it" == failure.help
    assert ("nothing was published; the last good IR, if any, stays",) == failure.notes


UNMEASURED = an_evaluation(not_measured="TensorFlow: Integer division by zero", help="name a dataset under `accuracy`")


def test_an_ir_that_nothing_is_known_of_is_published_with_a_warning(tmp_path: Path) -> None:
    """Silence would read as if all were well."""
    result = run_here(under(job(tmp_path, "gate", {"evaluation": UNMEASURED}, "verdict"), {}))

    assert isinstance(result, Success)
    (warning,) = ActionProblem.of_facts(result.facts)
    assert ("gate-not-measured", "accuracy") == (warning.code, warning.setting)
    assert "the gate was not measured, but the IR is published: TensorFlow: Integer division by zero" == warning.message
    assert "name a dataset under `accuracy`" == warning.help
    assert "TensorFlow: Integer division by zero" == result.facts["why"]


@pytest.mark.parametrize("help_", ["name a dataset", ""])
def test_a_choice_of_which_nothing_is_known_warns_too(tmp_path: Path, help_: str) -> None:
    verdict = a_verdict("not-measured", text="nothing to compare", help=help_)
    inputs: dict[str, object] = {
        "choice": Choice(chosen="fp32", why="it is the fastest", candidates=()),
        "fp32.xml": b"<net/>",
        "fp32.bin": b"",
        "fp32.verdict": verdict,
    }

    result = run_here(job(tmp_path, "choose", inputs, "xml", "bin", "evaluation", "verdict", "search"))

    assert isinstance(result, Success)
    (warning,) = ActionProblem.of_facts(result.facts)
    assert warning.message.endswith("the IR is published: nothing to compare")
    assert (help_ or "`accuracy = false` turns the gate off") == warning.help


def test_status_repeats_why_a_gate_was_not_measured(tmp_path: Path) -> None:
    verdict = a_verdict("not-measured", text="nothing to compare")

    result, record = published(tmp_path, "convert", verdict=verdict)

    assert isinstance(result, Success)
    assert {
        "why": "nothing to compare",
        "note": "gate not measured: nothing to compare",
    }.items() <= result.facts.items()
    assert verdict == record.gate
    searched, _ = published(tmp_path, "control", verdict=verdict, search=SEARCH)
    assert isinstance(searched, Success)
    assert str(searched.facts["note"]).startswith("gate not measured: nothing to compare; ")


def test_plain_int8_that_misses_its_gate_is_told_of_accuracy_control(tmp_path: Path) -> None:
    plain, other = gated(tmp_path, None, on_drop="fail"), gated(tmp_path, None)

    assert isinstance(plain, Failure)
    assert isinstance(other, Failure)
    hint = '`on-drop = "mixed"` reverts as few layers as possible to float, until the gate passes'
    assert (hint, "") == (plain.help, other.help)


def test_gate_that_passed_with_nothing_left_in_int8_says_so(tmp_path: Path) -> None:
    all_back = gated(tmp_path, replace(SEARCH, int8=0), candidate=0.9)
    nothing_to_quantize = gated(tmp_path, replace(SEARCH, int8=0, layers=0), candidate=0.9)

    (complaint,) = ActionProblem.of_facts(all_back.facts)
    assert "nothing-in-int8" == complaint.code
    assert "the gate passed, with all 64 layers reverted to float: nothing is left in INT8" == complaint.message
    (doubt,) = ActionProblem.of_facts(nothing_to_quantize.facts)
    assert "undecided-gate" == doubt.code


EVALUATION = an_evaluation(metric=a_metric(reference=0.9, candidate=0.8, step=0.001), samples=1000)


@pytest.mark.parametrize(("promise", "result", "kept"), [(0.2, "passed", True), (0.01, "missed", False)])
def test_a_judgement_is_data_and_fails_nothing(tmp_path: Path, promise: float, result: str, *, kept: bool) -> None:
    promised = {"accuracy.max-drop": promise, "accuracy.promised": True}

    judged = run_here(under(job(tmp_path, "judge", {"evaluation": EVALUATION}, "verdict", "kept"), promised))

    assert Success() == judged
    assert result == load(Verdict, str(tmp_path / "made.verdict"), "verdict").result
    assert kept == load(Kept, str(tmp_path / "made.kept"), "kept").kept


INTERFACE = Interface(inputs=(), outputs=(), read_by="OpenVINO")


def published(root: Path, made_by: str, **inputs: object) -> tuple[Success | Failure, Record]:
    """Return what publishing says, and the record that it writes."""
    plain = job(root, "publish", {"interface": INTERFACE, **inputs}, "record")
    settings = PublishParams(target="m:auto", path="models/m")
    made = (Input(role="xml", origin=Artifact(f"{made_by} m", "xml")),)
    digests = {role: of_bytes(role.encode()) for role in ("source", "xml", "bin")}
    action = replace(plain.action, inputs=made, params=settings)
    result = run_here(replace(plain, action=action, digests=digests))
    return result, load(Record, str(root / "made.record"), "record")


def test_an_ir_without_a_gate_is_published_as_not_measured(tmp_path: Path) -> None:
    result, record = published(tmp_path, "convert")

    assert Success(facts={"gate": "not-measured", "drop": None}) == result
    assert {"ovmake": __version__} == record.versions
    assert a_verdict("not-measured", text="`accuracy = false` turns the gate off") == record.gate


def test_what_a_gate_a_search_and_a_choice_found_is_told_again_with_what_is_published(tmp_path: Path) -> None:
    verdict = a_verdict("passed", text="drop 0.0042", drop=0.0042)
    choice = Choice(chosen="int8", why="it is the fastest", candidates=())

    result, record = published(tmp_path, "choose", verdict=verdict, choice=choice, search=SEARCH)

    assert isinstance(result, Success)
    told = {name: result.facts[name] for name in ("gate", "drop", "decided", "chosen", "int8_layers", "layers")}
    expected = {
        "gate": "passed",
        "drop": 0.0042,
        "decided": True,
        "chosen": "int8",
        "int8_layers": 27,
        "layers": 64,
    }
    assert expected == told
    assert verdict == record.gate


@pytest.mark.parametrize(
    ("interface", "why"),
    [
        (b"[]", "publish m:auto: interface is an array, expected an object"),
        (b"x", "publish m:auto: interface is not JSON: Expecting value: line 1 column 1 (char 0)"),
        (b"[" * 100_000, "publish m:auto: interface is not JSON: maximum recursion depth exceeded"),
    ],
)
def test_a_stored_result_of_another_form_is_a_failure(tmp_path: Path, interface: bytes, why: str) -> None:
    result = run_here(replace(job(tmp_path, "publish", {"interface": interface}, "record"), action=PUBLISH))

    assert isinstance(result, Failure)
    assert "store-damaged" == result.code
    assert result.message.startswith(f"a stored result is not of the form that ovmake writes: {why}")


def test_settings_of_another_action_are_a_mistake_of_ours_and_named(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="gate m:auto: its params are no GateParams"):
        run_here(job(tmp_path, "gate", {}, "verdict"))


PUBLISH = Action(
    kind="publish",
    subject="m:auto",
    worker="in-process",
    params=PublishParams(target="m:auto", path="models/m"),
    inputs=(Input(role="xml", origin=Artifact("convert m", "xml")),),
)


def test_gate_that_passed_beyond_doubt_has_its_figures_to_tell_and_no_warning(tmp_path: Path) -> None:
    agreeing = an_evaluation(an_output(max_abs=0.0), samples=8)
    asked = job(tmp_path, "gate", {"evaluation": agreeing}, "verdict")

    passed = run_here(under(asked, {"accuracy.agreement.cosine": 0.999}))

    assert isinstance(passed, Success)
    assert {"gate": "passed", "drop": None} == passed.facts
