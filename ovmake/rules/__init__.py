"""Rules: each lowers one section of the Ovfile to actions. Pure.

    freeze.py      a source OpenVINO cannot read       -> a TensorFlow graph without variables
    convert.py     source, inputs, batch            -> canonical FP32 IR and its interface
    compress.py    precisions fp16 and bf16         -> FP16 weights
    quantize.py    precision int8                   -> INT8 by nncf.quantize
    compress_weights.py  int8-weights, int4-weights -> weights in 8 or 4 bits by nncf.compress_weights
    check_samples.py   datasets                    -> what is wrong with them, before anything long begins
    reference.py   the same through TensorFlow      -> its outputs, for comparison
    evaluate.py    the IR against the reference     -> figures
    gate.py        figures against the promise      -> passed, or the target fails
    publish.py     what passed                      -> build/<model>/<precision>/
    debug.py       the IR against TensorFlow, layer by layer (for `ovmake debug`)
    benchmark.py   IR and TensorFlow taking turns   -> a measurement (for `ovmake report`)
    settings.py    which settings of a target which action uses

A rule imports nothing heavier than the graph: what an action *does* is in `ovmake.workers`, under the action's kind.
"""

from __future__ import annotations

from ovmake.graph.action import Action
from ovmake.graph.lower import Lowering
from ovmake.ovfile.spec import Target
from ovmake.rules.benchmark import benchmark
from ovmake.rules.compress import compress
from ovmake.rules.compress_weights import compress_weights
from ovmake.rules.convert import convert
from ovmake.rules.debug import compare_layers
from ovmake.rules.evaluate import evaluate
from ovmake.rules.freeze import freeze
from ovmake.rules.gate import gate
from ovmake.rules.publish import publish
from ovmake.rules.quantize import quantize
from ovmake.rules.reference import reference
from ovmake.rules.settings import is_traced

__all__ = ["build_target", "debug_target", "measure_target"]


def build_target(lowering: Lowering, target: Target) -> Action:
    """Add what `ovmake build` does for one target; return the action that publishes it."""
    frozen = freeze(lowering, target)
    converted = convert(lowering, target, frozen)
    ir = _ir(lowering, target, converted)
    if target.accuracy is None:
        return publish(lowering, target, converted=converted, ir=ir, frozen=frozen, verdict=None)
    expected = reference(lowering, target, converted=converted, frozen=frozen)
    evaluation = evaluate(lowering, target, converted=converted, ir=ir, expected=expected)
    verdict = gate(lowering, target, evaluation)
    return publish(lowering, target, converted=converted, ir=ir, frozen=frozen, verdict=verdict)


def measure_target(lowering: Lowering, target: Target) -> Action:
    """Add what `ovmake report` does for one target; return the action that measures it."""
    published = build_target(lowering, target)
    return benchmark(lowering, target, published=published, frozen=freeze(lowering, target))


def debug_target(lowering: Lowering, target: Target) -> Action:
    """Add what `ovmake debug` does for one target, gate or not; return the action that compares its layers.

    Layers have names in a frozen graph only. So the source is frozen for this also where the IR is made without.
    """
    converted = convert(lowering, target, freeze(lowering, target))
    ir = _ir(lowering, target, converted)
    return compare_layers(lowering, target, converted=converted, ir=ir, frozen=freeze(lowering, target, always=True))


def _ir(lowering: Lowering, target: Target, converted: Action) -> Action:
    """Add what makes the IR of a target's precision; return the action that does.

    To add a precision: a rule that makes its IR from `converted`, and a line here.
    """
    if target.precision in {"fp16", "bf16"}:
        return compress(lowering, target, converted)
    if target.quantization is None and target.weights is None:
        return converted
    # Layers have names in a frozen graph only, so the source is frozen where some of them are to stay as they are.
    frozen = freeze(lowering, target, always=is_traced(target))
    rule = quantize if target.quantization else compress_weights
    return rule(lowering, target, converted, frozen)
