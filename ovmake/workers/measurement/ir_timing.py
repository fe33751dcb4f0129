"""Time several IRs of one model, interleaved in one process: which is faster, and by how much.

    compare_speed      an IR of reduced precision and the FP32 IR, for about a second
    time_candidates    all candidates of `auto` that pass their gate, and the FP32 IR

One process is enough, and avoids loading OpenVINO again: memory is not measured here, and two compilations of one IR in
a process differ by less than `verdicts.intervals` can distinguish. Both actions write the median time of every block,
round by round; the verdict is computed elsewhere.

comparison = {
    "format": 1, "threads": 2, "rounds": [{"fp32": 152.9, "ir": 100.3}, ...],          µs
    "executed": {"i8": 8, "f32": 2}, "conversions": 1,                                  of the IR's executed layers
    "dynamic_inputs": ["image"], "int8_instructions": ["avx512_vnni"] or null,          null: not known
}
measurement = {"format": 1, "threads": 2, "inputs": "dataset", "rounds": [{"fp32": ..., "int8": ...}, ...]}
"""

from __future__ import annotations

import contextlib
import json
import statistics
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ovmake import machine
from ovmake.errors import ActionError
from ovmake.workers.ipc.client import WorkerProcess
from ovmake.workers.ipc.protocol import Request
from ovmake.workers.measurement.interleaving import Side, take_turns, warm_up

BASE = "fp32"
# The check is part of a build, so it is short. Many short rounds are more reliable than a few long ones: a disturbance
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
    with _sides(request, {BASE: f"{BASE}.", "ir": ""}) as sides:
        opened = [side.ask("open") for side in sides]
        layers = sides[1].ask("layers")
        for side in sides:
            warm_up(side, CHECK_BLOCK_SECONDS)
        take_turns(sides, seconds=CHECK_SECONDS, least=LEAST_ROUNDS, limit_seconds=CHECK_LIMIT_SECONDS)
        comparison = {
            "format": 1,
            "threads": machine.usable_cores(),
            "rounds": _rounds(sides),
            "executed": layers["executed"],
            "conversions": layers["conversions"],
            "dynamic_inputs": opened[1]["dynamic_inputs"],
            "int8_instructions": _int8_instructions(str(request.params.get("device", "CPU"))),
        }
    _write(request.outputs["comparison"], comparison)
    return {}


def time_candidates(request: Request) -> dict[str, object]:
    """Time the candidates that pass their gate, and the FP32 IR; write `measurement`. A single one is not timed."""
    candidates = request.params["candidates"]
    if not isinstance(candidates, list):
        raise ActionError("bad-request", "`candidates` is not an array")
    kept = [str(name) for name in candidates if _is_kept(request, str(name))]
    timed = list(dict.fromkeys([BASE, *kept])) if len(kept) > 1 else []
    measurement: dict[str, object] = {"format": 1, "threads": machine.usable_cores(), "rounds": []}
    if timed:
        seconds = float(str(request.params["benchmark.max-seconds"])) * CHOICE_SHARE
        with _sides(request, {name: f"{name}." for name in timed}) as sides:
            opened = [side.ask("open") for side in sides]
            for side in sides:
                warm_up(side, CHOICE_BLOCK_SECONDS)
            take_turns(sides, seconds=seconds, least=LEAST_ROUNDS, most=CHOICE_MOST_ROUNDS)
            inputs = "dataset" if opened[0]["dataset"] else "seeded random"
            measurement |= {"inputs": inputs, "rounds": _rounds(sides)}
    _write(request.outputs["measurement"], measurement)
    return {}


@contextlib.contextmanager
def _sides(request: Request, prefixes: Mapping[str, str]) -> Iterator[list[Side]]:
    """Start a worker for all sides. A side's IR has the input roles that begin with its prefix."""
    with tempfile.TemporaryDirectory() as folder:
        worker = WorkerProcess.start("openvino", boot_log=f"{folder}/openvino.log")
        try:
            yield [_side(request, worker, name, prefix) for name, prefix in prefixes.items()]
        finally:
            worker.end()


def _side(request: Request, worker: WorkerProcess, name: str, prefix: str) -> Side:
    shared = {role: path for role, path in request.inputs.items() if not role.endswith(("xml", "bin", ".kept"))}
    own = {role: request.inputs[f"{prefix}{role}"] for role in ("xml", "bin")}
    return Side(worker=worker, request=request, inputs={**shared, **own}, name=name)


def _rounds(sides: Sequence[Side]) -> list[dict[str, float]]:
    """Return the median of each block in µs, by side, round by round."""
    medians = {side.name: [round(statistics.median(block) / 1000, 3) for block in side.blocks] for side in sides}
    return [dict(zip(medians, times, strict=True)) for times in zip(*medians.values(), strict=True)]


def _is_kept(request: Request, candidate: str) -> bool:
    """Whether a candidate passes its gate, or has none."""
    place = request.inputs.get(f"{candidate}.kept")
    return place is None or json.loads(Path(place).read_bytes())["kept"] is True


def _int8_instructions(device: str) -> list[str] | None:
    """Return the processor's INT8 instructions, None if they are unknown or the CPU is not the device."""
    found = machine.int8_instructions(machine.processor()) if device == "CPU" else None
    return None if found is None else list(found)


def _write(place: str, content: Mapping[str, object]) -> None:
    Path(place).write_text(json.dumps(content, indent=1) + "\n")
