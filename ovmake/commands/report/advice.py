"""Derive advice on what to do next from the measured figures, each with its evidence. Pure.

    advice_for(reports, beside=...) -> tuple[Advice, ...]     for the targets of a model, the most important first

Rule: no advice comes from a rule of thumb. Each piece has a condition on figures of this report, and its evidence
names them. A figure that was not measured gives no advice.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ovmake.commands.report import words
from ovmake.commands.report.facts.measurement import Measured
from ovmake.commands.report.facts.records import TargetReport
from ovmake.contracts.files.executed import TimedLayer
from ovmake.verdicts.intervals import SAME

MOST = 6
# Thresholds: a smaller share or ratio gives no advice.
LAYERS_SHARE = 0.1
FLOAT_SHARE = 0.25
WASTED = 0.05
TAIL = 3.0
UNEVEN = 1.3
STARTING = 1000.0  # duration of a start, in inferences
STARTING_MS = 500.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What to do, and why. Both are sentences without a final period."""

    text: str
    evidence: str
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """A target that was measured."""

    report: TargetReport
    measured: Measured

    @property
    def name(self) -> str:
        return self.report.name

    @property
    def ir_us(self) -> float:
        return self.measured.openvino.latency_median_us


def advice_for(reports: Sequence[TargetReport], *, beside: Sequence[TargetReport] = ()) -> tuple[Advice, ...]:
    """Return the advice for a model or a variant. `beside` are the targets of the model's other variants."""
    known, others = _known(reports), _known(beside)
    found = itertools.chain(*(rule(known) for rule in FIRST), _dynamic(known, others), *(rule(known) for rule in THEN))
    return tuple(itertools.islice(found, MOST))


def _known(reports: Sequence[TargetReport]) -> list[_Known]:
    return [_Known(report=report, measured=report.measurement) for report in reports if report.measurement is not None]


def _measure_again(known: Sequence[_Known]) -> Iterator[Advice]:
    loaded = [one for one in known if one.measured.loaded]
    if loaded:
        most = max(one.measured.foreign_cores or 0.0 for one in loaded)
        yield Advice(
            text="Measure again while the machine is quiet: `ovmake report --force`",
            evidence=f"other programs used up to {most:.1f} cores while {_listed(loaded)} {_was(loaded)} measured",
            targets=_names(loaded),
        )
    slow = [one for one in known if one.measured.high_latency]
    if slow:
        most = max(one.measured.core_latency_ns or 0.0 for one in slow)
        yield Advice(
            text="Measure again later, when the host has moved the cores together: `ovmake report --force`",
            evidence=f"the system says that the cores share a cache, but a value took up to {most:.0f} ns from core to "
            f"core while {_listed(slow)} {_was(slow)} measured",
            targets=_names(slow),
        )


def _no_gain(known: Sequence[_Known]) -> Iterator[Advice]:
    """No target is faster than TensorFlow."""
    for one in known[:1] if all(one.measured.speedup.low <= 1 for one in known) else ():
        fastest = max(known, key=lambda other: other.measured.speedup.median)
        memory = _memory_saved(fastest.measured)
        yield Advice(
            text="Do not move this model to OpenVINO for its speed"
            + (f"; it needs less memory, though: {memory}" if memory else ""),
            evidence=f"the fastest, {fastest.name}, is {_range(fastest.measured)} as fast as TensorFlow",
            targets=(one.name,),
        )


def _int8_no_faster(known: Sequence[_Known]) -> Iterator[Advice]:
    base = next((one for one in known if one.report.precision in {"fp32", "fp16"}), None)
    int8 = next((one for one in known if one.report.precision == "int8"), None)
    if base is None or int8 is None or int8.measured.speedup.low > base.measured.speedup.high:
        return
    speeds = f"{int8.name} is {_range(int8.measured)} as fast as TensorFlow, {base.name} {_range(base.measured)}"
    facts = int8.measured.machine_facts
    if facts.int8_instructions == ():
        yield Advice(
            text="Leave out INT8 on this machine, or measure it where it will run: this processor has no instructions "
            "for products of 8-bit integers (VNNI, AMX)",
            evidence=f"{speeds}; the processor's instruction sets include none of these",
            targets=(int8.name, base.name),
        )
        return
    floats = sum(count for name, count in int8.measured.executed.items() if name not in {"i8", "u8"})
    total = sum(int8.measured.executed.values())
    if total and floats / total > FLOAT_SHARE:
        yield Advice(
            text="See which layers of the INT8 IR stay in floating point: data is converted around them",
            evidence=f"{speeds}; {floats} of {total} layers are executed in floating point",
            targets=(int8.name, base.name),
        )


def _bf16(known: Sequence[_Known]) -> Iterator[Advice]:
    base = next((one for one in known if one.report.precision == "fp32"), None)
    bf16 = next((one for one in known if one.report.precision == "bf16"), None)
    if base is None:
        return
    if bf16 is not None and bf16.ir_us * (1 + SAME) < base.ir_us:
        yield Advice(
            text=f"bf16 is {words.times(base.ir_us / bf16.ir_us)} as fast as fp32 here: compile with "
            "`INFERENCE_PRECISION_HINT = bf16` if its accuracy is good enough",
            evidence=f"{bf16.name} takes {_time(bf16.ir_us)}, {base.name} {_time(base.ir_us)}",
            targets=(bf16.name, base.name),
        )
    has = base.measured.machine_facts.bf16_instructions
    default = base.report.by_default
    broken = default is not None and default.precision == "bf16" and default.verdict.result != "passed"
    if bf16 is None and has and not broken:
        yield Advice(
            text="Try `bf16` in `precisions`: this processor supports it",
            evidence=f"it has {', '.join(map(str, has))}, and no target of this model is executed in bf16",
            targets=(base.name,),
        )


def _signature(known: Sequence[_Known]) -> Iterator[Advice]:
    """Calling TensorFlow through its signature, as shipped, is slower than necessary."""
    for one in known:
        ways = {way.name: way.latency_median_us for way in one.measured.ways}
        if "signature" in ways and len(ways) > 1:
            best = min(ways.values())
            wasted = 1 - best / ways["signature"]
            if wasted > WASTED:
                yield Advice(
                    text="If you stay with TensorFlow, freeze the model: calling it through its signature wastes "
                    f"{wasted:.0%} of the time",
                    evidence=f"measured with {one.name}, the signature took {_time(ways['signature'])}, the frozen "
                    f"graph {_time(best)}",
                    targets=(one.name,),
                )
                return


def _moving(known: Sequence[_Known]) -> Iterator[Advice]:
    """Layers that only move data."""
    for one in known:
        moving = [layer for layer in one.measured.layers if layer.moves]
        if _share(one, moving) >= LAYERS_SHARE:
            largest = max(moving, key=lambda layer: layer.us)
            yield Advice(
                text="Set `layout` to the layout that the model computes in, or cut off layers that only move data: "
                f"they take {_share(one, moving):.0%} of the time",
                evidence=f"layers of {one.name} that move data: {len(moving)} of {len(one.measured.layers)}; the "
                f"slowest is {largest.name} ({largest.type}), {_time(largest.us)}",
                targets=(one.name,),
            )
            return


def _converting(known: Sequence[_Known]) -> Iterator[Advice]:
    """Conversions between floats and INT8 that are executed as separate layers."""
    for one in known:
        converting = [layer for layer in one.measured.layers if layer.type in {"FakeQuantize", "Convert"}]
        if _share(one, converting) >= LAYERS_SHARE:
            yield Advice(
                text=f"{_share(one, converting):.0%} of {one.name}'s time goes into type conversions: set `type` to "
                "the type of your input, or leave fewer layers in floating point",
                evidence=f"its layers that only convert: {len(converting)} of {len(one.measured.layers)}",
                targets=(one.name,),
            )
            return


def _halves(known: Sequence[_Known]) -> Iterator[Advice]:
    """FP16 runs the kernels of FP32, and is half as large."""
    of = {one.report.precision: one for one in known}
    if "fp32" not in of or "fp16" not in of:
        return
    single, half = of["fp32"], of["fp16"]
    sizes = single.report.size_bytes or 0, half.report.size_bytes or 0
    alike = single.measured.speedup.low <= half.measured.speedup.high and half.report.gate == "passed"
    smaller = 0 < sizes[1] < (1 - SAME) * sizes[0]
    if smaller and alike and half.measured.speedup.high >= single.measured.speedup.low:
        yield Advice(
            text="Take fp16 rather than fp32: as fast, and smaller on disk",
            evidence=f"{half.name} {_range(half.measured)}, {words.size(sizes[1])}; {single.name} "
            f"{_range(single.measured)}, {words.size(sizes[0])}",
            targets=(half.name, single.name),
        )


def _dynamic(known: Sequence[_Known], others: Sequence[_Known]) -> Iterator[Advice]:
    """A dynamic batch is slower than the fixed batch of another variant."""
    for one, other in itertools.product(known, others):
        same = one.report.precision == other.report.precision
        same = same and one.report.digests.get("source") == other.report.digests.get("source")
        fixed = "batch" in other.report.options and "batch" not in one.report.options
        if same and fixed and one.measured.batch == other.measured.batch and one.ir_us > other.ir_us * (1 + SAME):
            yield Advice(
                text=f"Fix the batch if you know it: leaving it open costs {one.ir_us / other.ir_us - 1:.0%}",
                evidence=f"{one.name} takes {_time(one.ir_us)}, {other.name} (batch {other.measured.batch}) "
                f"{_time(other.ir_us)}",
                targets=(one.name, other.name),
            )
            return


def _use(known: Sequence[_Known]) -> Iterator[Advice]:
    """Latency gains more than throughput, or less."""
    best = max(known, key=lambda one: one.measured.speedup.median, default=None)
    ratio = best.measured.throughput_ratio if best else None
    if best is None or ratio is None:
        return
    low, high = sorted((best.measured.speedup.median, ratio.median))
    if high / low > UNEVEN:
        gains = ("one inference at a time", "many inferences in parallel")
        more, less = gains if best.measured.speedup.median > ratio.median else gains[::-1]
        yield Advice(
            text=f"OpenVINO gains more with {more} than with {less}",
            evidence=f"{best.name} is {words.times(best.measured.speedup.median)} as fast with one at a time, and does "
            f"{words.times(ratio.median)} as many samples per second in parallel",
            targets=(best.name,),
        )


def _tail(known: Sequence[_Known]) -> Iterator[Advice]:
    for one in known:
        p99 = one.measured.openvino.latency_p99_us
        if p99 is not None and not (one.measured.loaded or one.measured.high_latency) and p99 > TAIL * one.ir_us:
            yield Advice(
                text="Plan for slow inferences: one in a hundred takes several times the median",
                evidence=f"{one.name}: median {_time(one.ir_us)}, 99 % within {_time(p99)}",
                targets=(one.name,),
            )
            return


def _starting(known: Sequence[_Known]) -> Iterator[Advice]:
    for one in known:
        side = one.measured.openvino
        if side.load_ms > STARTING_MS and side.load_ms * 1000 > STARTING * one.ir_us:
            yield Advice(
                text="Cache the compiled model (OpenVINO's property `CACHE_DIR`) if processes are short-lived",
                evidence=f"{one.name} takes {_time(side.load_ms * 1000)} to load and compile, and {_time(one.ir_us)} "
                "for an inference",
                targets=(one.name,),
            )
            return


Rule = Callable[[Sequence[_Known]], Iterator[Advice]]
FIRST: tuple[Rule, ...] = (_measure_again, _no_gain, _int8_no_faster)
THEN: tuple[Rule, ...] = (_bf16, _moving, _converting, _halves, _signature, _use, _tail, _starting)


def _share(one: _Known, layers: Sequence[TimedLayer]) -> float:
    total = sum(layer.us for layer in one.measured.layers)
    return sum(layer.us for layer in layers) / total if total else 0.0


def _range(measured: Measured) -> str:
    found = measured.speedup
    return f"{words.times(found.median)} ({words.ratio(found.low)} to {words.times(found.high)})"


def _memory_saved(measured: Measured) -> str:
    before, after = measured.tensorflow.peak_memory_bytes, measured.openvino.peak_memory_bytes
    if before is None or after is None or after >= before:
        return ""
    return f"{words.size(after)} instead of {words.size(before)}"


def _time(us: float) -> str:
    return words.duration(us, words.unit_for(us))


def _names(known: Sequence[_Known]) -> tuple[str, ...]:
    return tuple(one.name for one in known)


def _listed(known: Sequence[_Known]) -> str:
    return ", ".join(_names(known))


def _was(known: Sequence[_Known]) -> str:
    return "was" if len(known) == 1 else "were"
