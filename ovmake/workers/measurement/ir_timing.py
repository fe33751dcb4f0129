"""Time several IRs of one model, interleaved in one process: which is faster, and by how much.

    compare_speed      an IR of reduced precision and the FP32 IR, for about a second
    time_candidates    all candidates of `auto` that pass their gate, and the FP32 IR

One process is enough, and avoids loading OpenVINO again: memory is not measured here, and two compilations of one IR in
a process differ by less than `verdicts.intervals` can distinguish. Both actions write the median time of every block,
round by round; the verdict is computed elsewhere.

They write `contracts.files.speed.SpeedComparison` and `CandidateTimes`.
"""

from __future__ import annotations

import contextlib
import statistics
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ovmake import machine
from ovmake.contracts.codec import load, save
from ovmake.contracts.files.speed import CandidateTimes, SpeedComparison
from ovmake.contracts.files.verdict import Kept
from ovmake.contracts.params.helping import TimeParams
from ovmake.contracts.params.measurement import CompareSpeedParams, TimeCandidatesParams
from ovmake.workers.ipc.client import WorkerProcess
from ovmake.workers.ipc.protocol import Request
from ovmake.workers.measurement.interleaving import Side, take_turns, warm_up

BASE = "fp32"
# The check is part of a build, so it is short. Many short rounds are more reliable than a few long ones: noise
# hits only one of many, and a block of 10 ms still has hundreds of the shortest inferences.
CHECK_SECONDS = 1.0
CHECK_BLOCK_SECONDS = 0.01
# A model whose inferences take seconds gets no result.
CHECK_LIMIT_SECONDS = 6.0
# The user requested the choice, so it may take a while.
CHOICE_BLOCK_SECONDS = 0.02
CHOICE_MOST_ROUNDS = 80
LEAST_ROUNDS = 8
# The share of `benchmark.max-seconds` for timing; the rest is for loading.
CHOICE_SHARE = 0.8


def compare_speed(request: Request) -> dict[str, object]:
    """Time the IR of `xml` and `bin`, interleaved with that of `fp32.xml` and `fp32.bin`; write `comparison`."""
    asked = request.asked(CompareSpeedParams)
    timed = TimeParams(device=asked.device, samples=asked.samples, threads=machine.usable_cores())
    with _sides(request, timed, {BASE: f"{BASE}.", "ir": ""}) as sides:
        opened = [side.open() for side in sides]
        layers = sides[1].layers()
        for side in sides:
            warm_up(side, CHECK_BLOCK_SECONDS)
        take_turns(sides, seconds=CHECK_SECONDS, least=LEAST_ROUNDS, limit_seconds=CHECK_LIMIT_SECONDS)
        comparison = SpeedComparison(
            threads=machine.usable_cores(),
            rounds=_rounds(sides),
            executed=layers.executed,
            conversions=layers.conversions,
            dynamic_inputs=opened[1].dynamic_inputs,
            int8_instructions=_int8_instructions(asked.device.device),
        )
    save(comparison, request.outputs["comparison"])
    return {}


def time_candidates(request: Request) -> dict[str, object]:
    """Time the candidates that keep their gate, and the FP32 IR; write `measurement`. One alone is not timed."""
    asked = request.asked(TimeCandidatesParams)
    kept = [name for name in asked.candidates if _is_kept(request, name)]
    timed = list(dict.fromkeys([BASE, *kept])) if len(kept) > 1 else []
    times = CandidateTimes(threads=machine.usable_cores())
    if timed:
        seconds = asked.max_seconds * CHOICE_SHARE
        params = TimeParams(device=asked.device, samples=asked.samples, threads=machine.usable_cores())
        with _sides(request, params, {name: f"{name}." for name in timed}) as sides:
            opened = [side.open() for side in sides]
            for side in sides:
                warm_up(side, CHOICE_BLOCK_SECONDS)
            take_turns(sides, seconds=seconds, least=LEAST_ROUNDS, most=CHOICE_MOST_ROUNDS)
            inputs = "dataset" if opened[0].dataset else "seeded random"
            times = replace(times, inputs=inputs, rounds=_rounds(sides))
    save(times, request.outputs["measurement"])
    return {}


@contextlib.contextmanager
def _sides(request: Request, timed: TimeParams, prefixes: Mapping[str, str]) -> Iterator[list[Side]]:
    """Start a worker for all sides. A side's IR has the input roles that begin with its prefix."""
    with tempfile.TemporaryDirectory() as folder:
        worker = WorkerProcess.start("openvino", boot_log=f"{folder}/openvino.log")
        try:
            yield [_side(request, timed, worker, (name, prefix)) for name, prefix in prefixes.items()]
        finally:
            worker.end()


def _side(request: Request, timed: TimeParams, worker: WorkerProcess, named: tuple[str, str]) -> Side:
    name, prefix = named
    shared = {role: path for role, path in request.inputs.items() if not role.endswith(("xml", "bin", ".kept"))}
    own = {role: request.inputs[f"{prefix}{role}"] for role in ("xml", "bin")}
    return Side(worker=worker, request=request, time=timed, inputs={**shared, **own}, name=name)


def _rounds(sides: Sequence[Side]) -> tuple[Mapping[str, float], ...]:
    """Return the median of each block in µs, by side, round by round."""
    medians = {side.name: [round(statistics.median(block) / 1000, 3) for block in side.blocks] for side in sides}
    return tuple(dict(zip(medians, times, strict=True)) for times in zip(*medians.values(), strict=True))


def _is_kept(request: Request, candidate: str) -> bool:
    """Whether a candidate passes its gate, or has none."""
    place = request.inputs.get(f"{candidate}.kept")
    return place is None or load(Kept, place, f"{candidate}: kept").kept


def _int8_instructions(device: str) -> tuple[str, ...] | None:
    """Return the processor's INT8 instructions, None if they are unknown or the CPU is not the device."""
    found = machine.int8_instructions(machine.processor()) if device == "CPU" else None
    return None if found is None else tuple(found)
