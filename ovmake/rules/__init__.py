"""Rules: each rule adds the actions of one section of the Ovfile. Pure.

    freeze.py            a source OpenVINO cannot read   -> a TensorFlow graph without variables
    convert.py           source, inputs, batch           -> canonical FP32 IR and its interface
    precisions/          the canonical IR                -> IRs of other precisions
    check_samples.py     datasets                        -> their errors, before any long action
    check_source.py      a source's bytes                -> TensorFlow loads them, and its answers
    reference.py         the source in TensorFlow        -> its outputs, for comparison
    evaluate.py          the IR against the reference    -> figures
    gate.py              figures against the Ovfile      -> passed, or the target fails
    publish.py           an IR that passed               -> build/<model>/<precision>/
    speed.py             INT8 and FP32, interleaved      -> a warning if INT8 is slower
    requiring.py         further requirements            -> passed, or the target fails
    benchmark.py         IR and TensorFlow, interleaved  -> a measurement (for `ovmake report`)
    debug.py             the IR, layer by layer          -> its differences from TensorFlow (for `ovmake debug`)

    settings.py          the settings of a target that each action uses
    replaying.py         a lock                          -> the layers that accuracy control tries first
    filling.py           declared keys                   -> params

A rule imports only light modules such as the graph. The code of an action is in `ovmake.workers`, under its kind; the
judgements are in `ovmake.verdicts`.
"""

from __future__ import annotations

from dataclasses import dataclass

from ovmake.graph.action import Action
from ovmake.graph.lower import Lowering
from ovmake.ovfile.spec import Target
from ovmake.rules.benchmark import benchmark
from ovmake.rules.convert import convert
from ovmake.rules.debug import compare_layers
from ovmake.rules.evaluate import evaluate
from ovmake.rules.freeze import freeze
from ovmake.rules.gate import gate, judge
from ovmake.rules.precisions.auto import Candidate, choose, time_candidates, weigh
from ovmake.rules.precisions.compress import compress
from ovmake.rules.precisions.compress_weights import compress_weights
from ovmake.rules.precisions.control import control
from ovmake.rules.precisions.name_layers import name_layers
from ovmake.rules.precisions.quantize import quantize
from ovmake.rules.publish import GateActions, publish
from ovmake.rules.reference import reference
from ovmake.rules.requiring import check_size, require
from ovmake.rules.settings import is_traced
from ovmake.rules.speed import REDUCED, check_speed, compare_speed

__all__ = ["build_target", "debug_target", "measure_target"]


def build_target(lowering: Lowering, target: Target) -> Action:
    """Add the actions of `ovmake build` for one target; return the last one: it publishes, or checks the speed."""
    return _checked(lowering, target, after=_published(lowering, target))


def measure_target(lowering: Lowering, target: Target) -> Action:
    """Add the actions of `ovmake report` for one target; return the last: it measures, checks the speed, or judges."""
    published = _published(lowering, target)
    frozen = freeze(lowering, target)
    measured = benchmark(lowering, target, published=published, frozen=frozen)
    last = measured
    for device in target.benchmark.devices:
        last = benchmark(lowering, target, published=published, frozen=frozen, elsewhere=device, after=last)
    last = _checked(lowering, target, after=last)
    return require(lowering, target, measured=measured, after=last) or last


def debug_target(lowering: Lowering, target: Target) -> Action:
    """Add the actions of `ovmake debug` for one target, with or without a gate; return the one that compares layers.

    Only a frozen graph has names of layers. So the source is frozen here even if the IR does not need it.
    """
    converted = convert(lowering, target, freeze(lowering, target))
    ir = _chosen(lowering, target, converted)[0] if target.candidates else _ir(lowering, target, converted)
    return compare_layers(lowering, target, converted=converted, ir=ir, frozen=freeze(lowering, target, always=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """The actions that make and evaluate one target's IR. `evaluation` is None if the gate is off.

    `searched` is the action with the search for layers to revert to float, None if there is no search.
    """

    frozen: Action | None
    converted: Action
    ir: Action
    evaluation: Action | None
    searched: Action | None


def _made(lowering: Lowering, target: Target) -> _Made:
    frozen = freeze(lowering, target)
    converted = convert(lowering, target, frozen)
    ir = _ir(lowering, target, converted)
    if target.accuracy is None:
        return _Made(frozen=frozen, converted=converted, ir=ir, evaluation=None, searched=None)
    expected = reference(lowering, target, converted=converted, frozen=frozen)
    evaluation = evaluate(lowering, target, converted=converted, ir=ir, expected=expected)
    searched = _searched(lowering, target, converted, ir)
    return _Made(frozen=frozen, converted=converted, ir=ir, evaluation=evaluation, searched=searched)


def _published(lowering: Lowering, target: Target) -> Action:
    if target.candidates:
        return _published_choice(lowering, target)
    made = _made(lowering, target)
    judged = None
    if made.evaluation is not None:
        verdict = gate(lowering, target, made.evaluation, searched=made.searched)
        judged = GateActions(evaluation=made.evaluation, verdict=verdict)
    return publish(
        lowering,
        target,
        converted=made.converted,
        ir=made.ir,
        sized=check_size(lowering, target, made.ir),
        frozen=made.frozen,
        judged=judged,
        searched=made.searched,
    )


def _published_choice(lowering: Lowering, target: Target) -> Action:
    frozen = freeze(lowering, target)
    converted = convert(lowering, target, frozen)
    chosen, weighed = _chosen(lowering, target, converted)
    has_gate = any(one.accuracy is not None for one in target.candidates)
    judged = GateActions(evaluation=chosen, verdict=chosen) if has_gate else None
    return publish(
        lowering,
        target,
        converted=converted,
        ir=chosen,
        sized=check_size(lowering, target, chosen),
        frozen=frozen,
        judged=judged,
        searched=chosen,
        choice=weighed,
    )


def _chosen(lowering: Lowering, target: Target, converted: Action) -> tuple[Action, Action]:
    """Add all candidates of `auto`; return the action that outputs the chosen IR, and the one that compared them."""
    candidates = [_candidate(lowering, one) for one in target.candidates]
    timed = time_candidates(lowering, target, converted=converted, candidates=candidates)
    weighed = weigh(lowering, target, timed=timed, candidates=candidates)
    return choose(lowering, target, weighed=weighed, candidates=candidates), weighed


def _candidate(lowering: Lowering, target: Target) -> Candidate:
    made = _made(lowering, target)
    judged = None
    if made.evaluation is not None:
        judged = GateActions(evaluation=made.evaluation, verdict=judge(lowering, target, made.evaluation))
    return Candidate(target=target, ir=made.ir, judged=judged, searched=made.searched)


def _searched(lowering: Lowering, target: Target, converted: Action, ir: Action) -> Action | None:
    """Add the naming of the layers that a search found, if `ir` is a search; return the action that outputs it."""
    if ir.kind != "control":
        return None
    frozen = freeze(lowering, target, always=is_traced(target))
    return name_layers(lowering, target, converted=converted, controlled=ir, frozen=frozen)


def _checked(lowering: Lowering, target: Target, *, after: Action) -> Action:
    """Add the speed check, if the target needs one; return the last action of the target."""
    if target.precision not in REDUCED or not target.speed_check:
        return after
    made = _made(lowering, target)
    compared = compare_speed(lowering, target, ir=made.ir, converted=made.converted, after=after)
    return check_speed(lowering, target, compared)


def _ir(lowering: Lowering, target: Target, converted: Action) -> Action:
    """Add the actions that make the IR of a target's precision; return the last one.

    To add a precision: a rule that makes its IR from `converted`, and a line here.
    """
    if target.precision in {"fp16", "bf16"}:
        return compress(lowering, target, converted)
    if target.quantization is None and target.weights is None:
        return converted
    # Only a frozen graph has names of layers, so the source is frozen if some layers must stay in float.
    frozen = freeze(lowering, target, always=is_traced(target))
    if target.quantization is None:
        return compress_weights(lowering, target, converted, frozen)
    quantized = quantize(lowering, target, converted, frozen)
    if target.quantization.control is None or target.accuracy is None:
        return quantized
    expected = reference(lowering, target, converted=converted, frozen=freeze(lowering, target))
    return control(lowering, target, converted=converted, quantized=quantized, expected=expected)
