"""benchmark: time TensorFlow and an IR alternately on this machine, each in a fresh process of its own.

The order below gives each figure a process that did nothing else before:

    1  import only the framework: its time and memory
    2  load the model as an application does, and run it: time to load, first inference, peak memory
    3  load everything else that is timed: the other way to call TensorFlow; more inputs
    4  latency, in pairs of blocks (windows.py), and from them the speed-up (spread.py)
    5  throughput, also interleaved
    6  energy, where the machine has counters (energy.py)
    7  the time of each layer of the IR

`figures.py` computes the measurement. Standard library only: this process must not slow down what it measures.
"""

from __future__ import annotations

import gzip
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

from ovmake import machine
from ovmake.contracts.codec import decode, save
from ovmake.contracts.files.measurement import Energy
from ovmake.contracts.files.timing import ImportCost
from ovmake.contracts.params.helping import TimeParams
from ovmake.contracts.params.measurement import BenchmarkParams
from ovmake.errors import ActionError
from ovmake.workers.ipc.client import WorkerProcess
from ovmake.workers.ipc.environment import ENVIRONMENT
from ovmake.workers.ipc.protocol import Request
from ovmake.workers.measurement import energy
from ovmake.workers.measurement.core_latency import Cores
from ovmake.workers.measurement.cpu_load import Load, foreign_cores
from ovmake.workers.measurement.figures import BY_DEFAULT, Bench, Throughput, measurement, samples
from ovmake.workers.measurement.interleaving import Side, take_turns, warm_up
from ovmake.workers.measurement.windows import Sides, Watched, take_windows

# Blocks long enough to time, and short enough that foreign load hits both sides.
BLOCK_SECONDS = 0.05
# Shares of the time limit: the rest is for warming up.
LATENCY_SHARE = 0.6
THROUGHPUT_SHARE = 0.25
PROFILE_SHARE = 0.05
# Of each run and each idle interval for energy. They come on top of the limit: few machines have counters.
ENERGY_SHARE = 0.04
# Enough inferences to touch all memory that an inference needs; fewer for a slow model.
MEMORY_RUNS = 20
MEMORY_SECONDS = 1.0
# Rounds that compare the ways to call TensorFlow; the IR is timed against the fastest.
WAY_ROUNDS = 5
WAY_SECONDS = 3.0
THROUGHPUT_ROUNDS = 8
LEAST_ROUNDS = 3

TENSORFLOW, OPENVINO = "tensorflow", "openvino"
LEAN = "lean"  # see timing_tflite.py
# Speed is measured with oneDNN on: TensorFlow's default, and its fastest setting.
TIMED_ENVIRONMENT = {**ENVIRONMENT, "TF_ENABLE_ONEDNN_OPTS": "1"}


def benchmark(request: Request) -> dict[str, object]:
    """Measure; write `measurement` and `samples`."""
    with _workers() as workers:
        bench = _measure(request, workers)
    save(measurement(bench), request.outputs["measurement"])
    with gzip.GzipFile(request.outputs["samples"], "wb", mtime=0) as file:
        for line in samples(bench):
            file.write(json.dumps(line).encode() + b"\n")
    return {}


class _Workers:
    """The processes that are timed."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._started: list[WorkerProcess] = []

    def start(self, name: str) -> WorkerProcess:
        """Start a worker. To replace one, end it first."""
        log = f"{self._folder}/{name}-{len(self._started)}.log"
        self._started.append(WorkerProcess.start(name, boot_log=log, environment=TIMED_ENVIRONMENT))
        return self._started[-1]

    def end(self) -> None:
        for worker in self._started:
            worker.end()


@contextmanager
def _workers() -> Iterator[_Workers]:
    with tempfile.TemporaryDirectory() as folder:
        workers = _Workers(folder)
        try:
            yield workers
        finally:
            workers.end()


def _measure(request: Request, workers: _Workers) -> Bench:
    asked = request.asked(BenchmarkParams)
    seconds = asked.max_seconds
    tensorflow, openvino = workers.start(TENSORFLOW), workers.start(OPENVINO)
    load = Load(worker.process.pid for worker in (tensorflow, openvino))
    started = time.monotonic()
    bench = Bench(device=asked.device.device, machine=machine.facts())
    fast = _alone(bench, OPENVINO, [_side(request, openvino, OPENVINO)])
    fast.start = lambda: workers.start(OPENVINO)
    ways = _ways(request, bench, tensorflow)
    layers = fast.layers()
    bench.executed, bench.by_default = layers.executed, layers.by_default
    default = _by_default(request, workers) if bench.by_default else []
    for side in (fast, *ways, *default):
        side.ask("feeds")
        bench.warm_ups[side.name] = warm_up(side, BLOCK_SECONDS)
    slow = _faster(ways)
    sides = Sides(fast=fast, slow=slow, seldom=[*(way for way in ways if way is not slow), *default])
    load.follow(side.worker.process.pid for side in (fast, slow, *default))
    with closing(Cores()) as cores:
        watched = Watched(load=load, cores=cores)
        bench.windows = take_windows(sides, watched, limit_seconds=seconds * LATENCY_SHARE)
    bench.fast, bench.ways = fast, ways
    _take_throughput(bench, [slow, fast], load, seconds * THROUGHPUT_SHARE)
    for framework, side in ((TENSORFLOW, slow), (OPENVINO, fast)):
        bench.energy[framework] = _energy(side, seconds * ENERGY_SHARE)
    bench.layers = fast.profile(seconds * PROFILE_SHARE).layers
    bench.seconds = time.monotonic() - started
    return bench


def _by_default(request: Request, workers: _Workers) -> list[Side]:
    """Open the IR compiled without properties, in a process of its own: the other side's process may be replaced."""
    side = _side(request, workers.start(OPENVINO), BY_DEFAULT)
    side.open()
    return [side]


def _side(request: Request, worker: WorkerProcess, name: str) -> Side:
    asked = request.asked(BenchmarkParams)
    timed = TimeParams(source=asked.source, device=asked.device, samples=asked.samples, threads=machine.usable_cores())
    return Side(worker=worker, request=request, time=timed, inputs=request.inputs, name=name)


def _alone(bench: Bench, framework: str, sides: list[Side]) -> Side:
    """Import a framework, load the model in the first way that works, and run it; return that side.

    Raises:
        ActionError: no way works; the error is that of the last one.
    """
    bench.imports[framework] = decode(ImportCost, sides[0].ask("import"), "import")
    for side in sides:
        try:
            opened = side.open()
        except ActionError as error:
            if error.code != "no-such-way" or side is sides[-1]:
                raise
            if side.name != LEAN:
                bench.no_way[side.name] = error.message
            continue
        started = time.monotonic()
        for _ in range(MEMORY_RUNS):
            side.block()
            if time.monotonic() - started > MEMORY_SECONDS:
                break
        bench.memory[framework] = side.peak_bytes()
        bench.opened[framework] = opened
        return side
    raise AssertionError("there is a way")


def _ways(request: Request, bench: Bench, worker: WorkerProcess) -> list[Side]:
    """Return the ways to call TensorFlow that are timed, all of them open.

    The way of an application goes first, because its memory is measured; preparing the fastest way takes extra memory.
    """
    kind = request.asked(BenchmarkParams).source.kind
    names: tuple[str, ...] = (LEAN, "interpreter") if kind == "tflite" else ("signature", "frozen")
    if names[0] == "signature" and (kind != "saved-model" or "graph" in request.inputs):
        names = names[1:]
    sides = [_side(request, worker, name) for name in names]
    first = _alone(bench, TENSORFLOW, sides)
    timed = [first] if first.name != LEAN else []
    for side in sides:
        if side.name in {LEAN, first.name, *bench.no_way}:
            continue
        try:
            side.open()
        except ActionError as error:
            if error.code != "no-such-way" or not timed:
                raise
            bench.no_way[side.name] = error.message
        else:
            timed.append(side)
    return timed


def _faster(ways: list[Side]) -> Side:
    """Return the way that is timed against the IR in every pair."""
    if len(ways) == 1:
        return ways[0]
    take_turns(ways, seconds=0, least=WAY_ROUNDS, limit_seconds=WAY_SECONDS)
    return min(ways, key=lambda way: statistics.median(map(statistics.median, way.blocks)))


def _take_throughput(bench: Bench, sides: list[Side], load: Load, seconds: float) -> None:
    """Measure the throughput of each side, interleaved; record samples per second, round by round."""
    for side in sides:
        in_flight = side.ask("side-by-side")["in_flight"]
        bench.in_flight[side.name] = int(str(in_flight))
    started, each = time.monotonic(), seconds / THROUGHPUT_ROUNDS / len(sides)
    for turn in range(THROUGHPUT_ROUNDS):
        if turn >= LEAST_ROUNDS and time.monotonic() - started > seconds:
            return
        before, rates = load.now(), {}
        for side in sides if turn % 2 else reversed(sides):
            facts = side.ask("throughput", seconds=each)
            rates[side.name] = float(str(facts["samples"])) / float(str(facts["seconds"]))
        bench.throughput.append(Throughput(rates=rates, foreign=foreign_cores(before, load.now())))


def _energy(side: Side, seconds: float) -> Energy | energy.NotAvailable:
    """Return the energy of an inference, in sequential inferences with nothing else running."""

    def run() -> int:
        started, inferences = time.monotonic(), 0
        while time.monotonic() - started < seconds:
            inferences += len(side.block())
        return inferences

    return energy.measure(energy.open_meter(), idle=lambda: time.sleep(seconds), run=run)
