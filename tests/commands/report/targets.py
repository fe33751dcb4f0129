"""Targets to report on, as `records.gather` would return them.

measured(...), evaluated(...), target(...)    one each, changed by keyword
EVERY_CASE                                    targets for a page with each part present and missing
"""

# ruff: noqa: RUF001 - the signs for times are intended

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from ovmake.commands.report.document import document
from ovmake.commands.report.facts.measurement import Measured
from ovmake.commands.report.facts.records import Evaluation, OutputDifference, TargetReport
from ovmake.commands.report.tables import Page, build_page
from ovmake.contracts.codec import decode, to_bytes
from ovmake.contracts.files.executed import ExecutedLayer, TimedLayer
from ovmake.contracts.files.machine import Machine
from ovmake.contracts.files.measurement import SideFigures, TimedByDefault, Way
from ovmake.contracts.files.requirements import Requirement
from ovmake.contracts.files.search import Search
from ovmake.contracts.files.speed import Candidate, Choice, SpeedCheck, SpeedRatio
from ovmake.contracts.files.verdict import DefaultVerdict
from tests.evaluations import a_verdict

MACHINE = "Intel(R) Xeon(R) Processor; 2 cores; cpu limit none; 24105 MiB; 6.18.44; avx avx2 avx512f f16c fma sse4_2"
GATE_OFF = "`accuracy = false` in the Ovfile"


NO_RAPL = "not available: this kernel shows no powercap zones"
NO_PEAK = "this system does not report the peak memory of a process"
FACTS = Machine(
    processor="Intel(R) Xeon(R) Processor",
    instruction_sets=("avx2", "avx512f", "fma"),
    int8_instructions=(),
    bf16_instructions=(),
    cores=2,
    cores_online=2,
    threads_per_core=1,
    governor=None,
    boost=True,
    cpu_limit=None,
    memory_bytes=25_275_924_480,
    memory_limit_bytes=None,
    system="Debian GNU/Linux 12 (bookworm)",
    kernel="6.18.44",
    virtual=False,
    python="3.11.7",
    missing={"governor": "this system shows no frequency governor"},
)
VERSIONS = {"openvino": "2026.4.1", "tensorflow": "2.21.0", "numpy": "2.3.1", "python": "3.11.7"}


def quantiles(median_us: float) -> tuple[float, ...]:
    """Return percentiles of latencies with this median and a tail."""
    return tuple(round(median_us * (0.9 + 0.002 * at + (0.3 if at == 100 else 0)), 3) for at in range(101))


def side(median_us: float, **changed: object) -> SideFigures:
    """Return the figures of a framework with this median latency."""
    figures = SideFigures(
        latency_median_us=median_us,
        latency_p90_us=median_us * 1.15,
        latency_p95_us=median_us * 1.25,
        latency_p99_us=median_us * 1.5,
        latency_p999_us=median_us * 2,
        quantiles_us=quantiles(median_us),
        throughput_per_second=1.6e6 / median_us,
        in_flight=2,
        peak_memory_bytes=647_331_840,
        import_memory_bytes=402_653_184,
        inferences=2457,
        import_ms=2310.5,
        load_ms=253.4,
        first_inference_ms=41.7,
        way="frozen",
        missing={"energy_joules": NO_RAPL},
    )
    return replace(figures, **changed)  # type: ignore[arg-type]


def measured(
    speedup: float = 4.8,
    low: float = 4.3,
    high: float = 5.1,
    *,
    unstable: bool = False,
    loaded: bool = False,
    high_latency: bool = False,
) -> Measured:
    """Return a measurement with this speed-up and range."""
    return Measured(
        tensorflow=side(1003.2),
        openvino=side(
            round(1003.2 / speedup, 3),
            peak_memory_bytes=122_310_656,
            import_memory_bytes=61_341_696,
            way="compiled with the latency hint",
            import_ms=181.2,
            load_ms=79.1,
            first_inference_ms=0.9,
            inferences=12_987,
        ),
        speedup=SpeedRatio(median=speedup, low=low, high=high),
        device="CPU",
        level=0.95,
        unstable=unstable,
        loaded=loaded,
        foreign_cores=0.7 if loaded else 0.01,
        high_latency=high_latency,
        core_latency_ns=238.5 if high_latency else 48.0,
        pairs=39,
        quiet_pairs=2 if loaded or high_latency else 38,
        windows=8,
        seconds=9.2,
        throughput_ratio=SpeedRatio(median=5.2, low=5.0, high=5.4),
        ways=(
            Way(
                name="frozen",
                latency_median_us=1003.2,
                inferences=2457,
                speedup=SpeedRatio(median=4.8, low=4.3, high=5.1),
            ),
            Way(
                name="signature",
                latency_median_us=1374.4,
                inferences=310,
                speedup=SpeedRatio(median=6.6, low=6.2, high=7),
            ),
        ),
        layers=(
            TimedLayer(name="convolution.8", type="Convolution", precision="i8", us=101.5, moves=False),
            TimedLayer(name="Transpose_12", type="Transpose", precision="f32", us=31.25, moves=True),
            TimedLayer(name="fashion_1/classifier_1/BiasAdd", type="MatMul", precision="i8", us=42, moves=False),
        ),
        executed={"f32": 1, "i8": 2},
        batch=1,
        threads=2,
        inputs="dataset",
        machine=MACHINE,
        machine_facts=FACTS,
        versions=VERSIONS,
    )


def evaluated(
    reference: float = 0.918, candidate: float = 0.9138, metric: str = "accuracy", unit: str = "share"
) -> Evaluation:
    """Return an evaluation with these scores, and no interval of their drop."""
    return Evaluation(
        samples=5000,
        metric=metric,
        unit=unit,
        reference=reference,
        candidate=candidate,
        differences=(
            OutputDifference(
                name="probabilities",
                max_abs=0.44208,
                mean_abs=0.0030711,
                cosine=0.9987851,
                nan_mismatch=0,
                scale=1.0,
                max_rel=3.1,
                snr_db=26.1,
                argmax=0.9872,
            ),
        ),
        operations_tensorflow=58,
        operations_openvino=47,
        executed={"f32": 1, "i8": 2},
        layers=(
            ExecutedLayer(name="convolution.8", type="Convolution", precision="i8"),
            ExecutedLayer(name="fashion_1/classifier_1/BiasAdd", type="FullyConnected", precision="i8"),
            ExecutedLayer(name="fashion_1/classifier_1/Softmax", type="Softmax", precision="f32"),
        ),
        weights={"f32": 4552, "i8": 148_256},
    )


def sure(low: float, high: float, **changed: object) -> Evaluation:
    """Return an evaluation with this interval of the drop."""
    plain = evaluated(**changed)  # type: ignore[arg-type]
    scores = {"tensorflow": plain.reference or 0.0, "openvino": plain.candidate or 0.0}
    around = {name: (score - 0.008, score + 0.007) for name, score in scores.items()}
    return replace(plain, interval=(low, high), level=0.95, score_intervals=around)


def prices() -> Evaluation:
    """Return an evaluation of a regression: lower is better."""
    evaluation = sure(-0.2, 1.5, reference=20.5, candidate=21.25, metric="mae", unit="labels")
    return replace(evaluation, higher_is_better=False)


def defaulting(name: str = "usual:fp32") -> TargetReport:
    """Return a target that keeps its promise as verified, and breaks it if compiled without properties."""
    text = "accuracy 0.9180 in TensorFlow, 0.8838 in the IR: drop 0.0342, allowed 0.01"
    missed = a_verdict("missed", text=text)
    default = DefaultVerdict(precision="bf16", verdict=missed, needs="INFERENCE_PRECISION_HINT=f32")
    speed = TimedByDefault(
        precision="bf16", latency_median_us=151.2, inferences=410, speedup=SpeedRatio(median=6.6, low=6.1, high=7.2)
    )
    line = 'core.compile_model("usual.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})'
    return target(name, compiled=line, by_default=default, measurement=replace(measured(), by_default=speed))


def undecided(name: str = "fashion:int8") -> TargetReport:
    """Return a target that passes its gate with too few samples to be sure."""
    doubt = "the 200 samples of the validation set are too few to decide: drop 0.0042 ± 0.0110"
    text = "accuracy 0.9180 in TensorFlow, 0.9138 in the IR: drop 0.0042 (-0.0070 to 0.0150 …), allowed 0.01"
    return target(name, evaluation=sure(-0.007, 0.015), gate_text=f"{text}; {doubt}", decided=False)


def unlabelled() -> Evaluation:
    """Return an evaluation without labels, of a model with two outputs."""
    outputs = (
        OutputDifference(name="boxes", max_abs=0.0021, mean_abs=1.2e-05, cosine=0.999932, nan_mismatch=0),
        OutputDifference(name="scores", max_abs=1.4e-06, mean_abs=2.1e-08, cosine=0.9999999, nan_mismatch=0),
    )
    return replace(evaluated(), unit="none", metric=None, reference=None, candidate=None, differences=outputs)


def target(name: str = "fashion:int8", **changed: object) -> TargetReport:
    """Return a target that was built, passed its gate and was measured."""
    model, _, precision = name.partition(":")
    report = TargetReport(
        name=name,
        model=model,
        precision=precision,
        status="built",
        gate="passed",
        gate_text="accuracy 0.9180 in TensorFlow, 0.9138 in the IR: drop 0.0042, allowed 0.01",
        size_bytes=198_919,
        place=f"build/{model}/{precision}/{model}.xml",
        evaluation=evaluated(),
        measurement=measured(),
        options={"inputs.image.mean": [72.94], "preset": "mixed", "samples": 300},
        versions={"openvino": "2026.4.1", "tensorflow": "2.21.0", "nncf": "3.4.0", "ovmake": "0.1.0+61633b487d5d"},
        digests={"source": "a1" * 32, "xml": "b2" * 32, "bin": "c3" * 32},
        missing={},
    )
    return replace(report, **changed)  # type: ignore[arg-type]


def gate_missed(name: str = "fashion:int8") -> TargetReport:
    """Return a target whose IR was evaluated and not published."""
    text = "accuracy 0.9180 in TensorFlow, 0.8838 in the IR: drop 0.0342, allowed 0.01"
    return target(
        name,
        status="failed",
        gate="missed",
        gate_text=text,
        size_bytes=None,
        place=None,
        evaluation=evaluated(0.918, 0.8838),
        measurement=None,
        options={},
        versions={},
        missing={"ir": f"gate {name}: {text}", "measurement": "there is no IR to measure"},
    )


def gate_off(name: str = "fashion:int8") -> TargetReport:
    """Return a target without a gate."""
    return target(
        name,
        gate="not-measured",
        gate_text="`accuracy = false` turns the gate off",
        evaluation=None,
        missing={"evaluation": GATE_OFF},
    )


def not_built(name: str = "fashion:int8", why: str | None = None) -> TargetReport:
    """Return a target that failed before it had any figure."""
    message = why or f"convert {name.partition(':')[0]}: `models/gone` is not there"
    return target(
        name,
        status="failed",
        gate="not-measured",
        gate_text=message,
        size_bytes=None,
        place=None,
        evaluation=None,
        measurement=None,
        options={},
        versions={},
        missing={"ir": message, "evaluation": message, "measurement": "there is no IR to measure"},
    )


def not_measured(name: str = "fashion:int8", why: str = "not measured yet: run `ovmake report`") -> TargetReport:
    """Return a target that was published and not measured."""
    return target(name, measurement=None, missing={"measurement": why})


def without_peak_memory(name: str) -> TargetReport:
    """Return a target measured on a system that does not report peak memory."""
    plain = measured(2.1, 2.0, 2.2)
    unknown = {"energy_joules": NO_RAPL, "peak_memory_bytes": NO_PEAK, "import_memory_bytes": NO_PEAK}
    tensorflow = replace(plain.tensorflow, peak_memory_bytes=None, import_memory_bytes=None, missing=unknown)
    openvino = replace(plain.openvino, peak_memory_bytes=None, import_memory_bytes=None, missing=unknown)
    measurement = replace(plain, tensorflow=tensorflow, openvino=openvino)
    return target(name, measurement=measurement, evaluation=sure(0.0008, 0.0074))


def candidate(precision: str, median: float = 1.0, **changed: object) -> Candidate:
    """Return a candidate of `auto` that passes its gate."""
    one = Candidate(
        precision=precision,
        gate="passed",
        kept=True,
        text="accuracy 0.9180 in TensorFlow, 0.9138 in the IR: drop 0.0042, allowed 0.01",
        drop=0.0042,
        speed=SpeedRatio(median=median, low=median * 0.98, high=median * 1.03),
    )
    return replace(one, **changed)  # type: ignore[arg-type]


def required(name: str = "fashion:int8") -> TargetReport:
    """Return a target that misses some requirements."""
    speedup = Requirement(
        name="speedup",
        wanted="at least 5.0×",
        measured="4.8× (4.3 to 5.1×)",
        result="missed",
        decided=False,
        text="speedup is 4.8× (4.3 to 5.1×), at least 5.0× wanted; not decided, because the range holds it",
    )
    size = Requirement(
        name="size",
        wanted="at most 4 MB",
        measured="199 kB",
        result="passed",
        decided=True,
        text="size is 199 kB, at most 4 MB wanted",
    )
    p95 = Requirement(
        name="p95-ms",
        wanted="at most 8 ms",
        measured="not measured",
        result="not-measured",
        decided=True,
        text="p95-ms is not measured: it takes 20 inferences, and 7 fit into the time",
    )
    return target(name, requirements=(speedup, size, p95))


def elsewhere(name: str = "fashion:int8") -> TargetReport:
    """Return a target that was measured on a second device; a third was not available."""
    gone = 'not available: Device with "GPU" name is not registered in the OpenVINO Runtime'
    return target(name, devices={"AUTO:CPU": measured(4.1, 4.0, 4.2), "GPU": gone})


def weighed(name: str = "fashion:auto") -> TargetReport:
    """Return a target of `auto` that chose INT8; one candidate missed its gate and was not timed."""
    late = candidate(
        "fp16", gate="missed", kept=False, speed=None, not_measured="its gate is missed, so its speed does not matter"
    )
    base = candidate(
        "fp32",
        drop=None,
        gate="not-measured",
        text="`accuracy = false`",
        speed=SpeedRatio(median=1.0, low=1.0, high=1.0),
    )
    weighing = Choice(
        chosen="int8",
        why="the fastest that passes its gate",
        candidates=(base, late, candidate("int8", 1.52)),
    )
    return target(name, choice=weighing)


def slower(name: str = "fashion:int8") -> TargetReport:
    """Return a target with a warning of the speed check."""
    reasons = (
        "this CPU has no instructions for INT8 products (VNNI or AMX on x86, dot product on Arm)",
        "9 of 16 layers compute in floating point, and activations are converted to INT8 in 6 places",
    )
    check = SpeedCheck(slower=True, speed=SpeedRatio(median=0.81, low=0.78, high=0.84), reasons=reasons)
    return target(name, speed_check=check)


def about(name: str, share: float, **more: object) -> dict[str, object]:
    """Return a layer in the JSON of a search."""
    return {"name": name, "type": "Convolution", "share": share, **more}


def tried(reverted: int, drop: float | None, **changed: object) -> dict[str, object]:
    """Return a trial that missed its promise, in the JSON of a search."""
    trial = {"reverted": reverted, "kept": False, "drop": drop, "samples": 5000, "ended_early": False}
    return trial | changed


def search(**changed: object) -> Search:
    """Return a search that reverted two of 15 layers: one with the source's name, and one without."""
    wide, add = about("convolution.18", 0.912, layer="wide_14"), about("add.31", 0.0411)
    body: dict[str, object] = {
        "layers": 15,
        "int8": 13,
        "reverted": [{**wide, "in_int8": 0.0042}, {**add, "in_int8": None}],
        "worst": [wide, add, about("convolution.8", 0.0002, layer="stem")],
        "trials": [
            tried(0, 0.0042),
            tried(1, 0.0071, samples=640, ended_early=True),
            tried(4, 0.0012, kept=True),
            tried(2, 0.0016, kept=True),
        ],
        "kept": True,
        "hopeless": False,
        "ended": "",
        "inferences": 15640,
    }
    return decode(Search, body | changed, "search")


def controlled(name: str = "fashion:int8", **changed: object) -> TargetReport:
    """Return a target that passes its gate with two layers in floating point."""
    return target(name, evaluation=evaluated(candidate=0.9164), search=search(**changed))


def control_failed(name: str = "fashion:int8") -> TargetReport:
    """Return a target that misses its gate with any set of reverted layers; a limit ended the search."""
    missed = [tried(0, 0.38), tried(1, 0.19, samples=640, ended_early=True), tried(2, 0.0342)]
    ended = "`max-evaluations` = 3 were done"
    return replace(gate_missed(name), search=search(kept=False, trials=missed, ended=ended))


EVERY_CASE = (
    target("fashion:fp32", evaluation=evaluated(candidate=0.918), measurement=measured(4.6, 4.2, 5.0)),
    target("fashion:fp16", evaluation=evaluated(candidate=0.919), measurement=measured(4.7, 3.1, 6.4, unstable=True)),
    target("fashion:int8"),
    weighed(),
    slower("slow:int8"),
    target(
        "slow:int8-weights",
        missing={"speed-check": "compare-speed slow:int8-weights: the bench worker was killed by SIGKILL"},
    ),
    gate_missed("mobilenet:int8"),
    gate_off("mobilenet:fp32"),
    not_measured("mobilenet:fp16"),
    target("detector@a-rather-long-variant-name:fp32", evaluation=unlabelled(), measurement=measured(0.72, 0.68, 0.76)),
    without_peak_memory("detector@a-rather-long-variant-name:fp16"),
    target("tiny:fp32", evaluation=evaluated(candidate=0.918), measurement=measured(1.04, 0.97, 1.12)),
    target("priced:fp32", evaluation=prices()),
    undecided("priced:int8"),
    required("wanted:int8"),
    elsewhere("roaming:int8"),
    target("busy:fp32", measurement=measured(2.1, 1.4, 2.9, unstable=True, loaded=True)),
    target("torn:fp32", measurement=measured(3.9, 3.1, 4.9, unstable=True, high_latency=True)),
    defaulting(),
    controlled("held:int8"),
    control_failed("vain:int8"),
    not_built("gone:fp32"),
    not_built("gone:int8"),
)


def every_case() -> Page:
    """Return the page of EVERY_CASE."""
    return build_page(EVERY_CASE, title="")


def json_of(page: Page) -> dict[str, Any]:
    """Return the content of report.json."""
    content: dict[str, Any] = json.loads(to_bytes(document(page)))
    return content
