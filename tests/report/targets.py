"""Targets to report on, as `records.gather` would return them.

measured(...), evaluated(...), target(...)    one each, changed by keyword
EVERY_CASE                                    a page with everything that can be there and not be there
"""

from __future__ import annotations

from dataclasses import replace

from ovmake.report.records import Evaluation, Layer, Measurement, OutputDifference, SideFigures, TargetReport
from ovmake.report.tables import Page, build_page

MACHINE = "Intel(R) Xeon(R) Processor; 2 cores; cpu limit none; 24105 MiB; 6.18.44; avx avx2 avx512f f16c fma sse4_2"
GATE_OFF = "`accuracy = false` in the Ovfile"


def side(median_us: float, **changed: object) -> SideFigures:
    """Return what a framework took whose typical inference takes `median_us`."""
    figures = SideFigures(
        latency_median_us=median_us,
        latency_p95_us=median_us * 1.25,
        throughput_per_second=1.6e6 / median_us,
        peak_memory_bytes=647_331_840,
        inferences=2457,
        load_ms=253.4,
        way="frozen",
        block_medians_us=(median_us, median_us * 1.01),
    )
    return replace(figures, **changed)  # type: ignore[arg-type]


def measured(speedup: float = 4.8, low: float = 4.3, high: float = 5.1) -> Measurement:
    """Return a measurement with this speed-up and range."""
    return Measurement(
        tensorflow=side(1003.2),
        openvino=side(
            round(1003.2 / speedup, 3),
            peak_memory_bytes=122_310_656,
            way="compiled with the latency hint",
            load_ms=79.1,
            inferences=12_987,
        ),
        speedup=speedup,
        speedup_low=low,
        speedup_high=high,
        pairs=39,
        batch=1,
        threads=2,
        inputs="dataset",
        machine=MACHINE,
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
            Layer(name="convolution.8", type="Convolution", precision="i8"),
            Layer(name="fashion_1/classifier_1/BiasAdd", type="FullyConnected", precision="i8"),
            Layer(name="fashion_1/classifier_1/Softmax", type="Softmax", precision="f32"),
        ),
        weights={"f32": 4552, "i8": 148_256},
    )


def sure(low: float, high: float, **changed: object) -> Evaluation:
    """Return an evaluation whose drop lies between these."""
    return replace(evaluated(**changed), interval=(low, high), level=0.95)  # type: ignore[arg-type]


def prices() -> Evaluation:
    """Return an evaluation of numbers, where lower is better."""
    evaluation = sure(-0.2, 1.5, reference=20.5, candidate=21.25, metric="mae", unit="labels")
    return replace(evaluation, higher_is_better=False)


def undecided(name: str = "fashion:int8") -> TargetReport:
    """Return a target that keeps its gate by luck, as far as its samples can tell."""
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
    """Return a target that was built, keeps its gate and was measured."""
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
    """Return a target that promises nothing."""
    return target(
        name,
        gate="not-measured",
        gate_text="`accuracy = false` turns the gate off",
        evaluation=None,
        missing={"evaluation": GATE_OFF},
    )


def not_built(name: str = "fashion:int8", why: str | None = None) -> TargetReport:
    """Return a target that failed before there was anything to say of it."""
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
    """Return a target measured on a system that does not tell peak memory."""
    plain = measured(2.1, 2.0, 2.2)
    tensorflow = replace(plain.tensorflow, peak_memory_bytes=None)
    openvino = replace(plain.openvino, peak_memory_bytes=None)
    measurement = replace(plain, tensorflow=tensorflow, openvino=openvino)
    return target(name, measurement=measurement, evaluation=sure(0.0008, 0.0074))


EVERY_CASE = (
    target("fashion:fp32", evaluation=evaluated(candidate=0.918), measurement=measured(4.6, 4.2, 5.0)),
    target("fashion:fp16", evaluation=evaluated(candidate=0.919), measurement=measured(4.7, 3.1, 6.4)),
    target("fashion:int8"),
    gate_missed("mobilenet:int8"),
    gate_off("mobilenet:fp32"),
    not_measured("mobilenet:fp16"),
    target("detector@a-rather-long-variant-name:fp32", evaluation=unlabelled(), measurement=measured(0.72, 0.68, 0.76)),
    without_peak_memory("detector@a-rather-long-variant-name:fp16"),
    target("tiny:fp32", evaluation=evaluated(candidate=0.918), measurement=measured(1.04, 0.97, 1.12)),
    target("priced:fp32", evaluation=prices()),
    undecided("priced:int8"),
    not_built("gone:fp32"),
    not_built("gone:int8"),
)


def every_case() -> Page:
    """Return the page of all of them."""
    return build_page(EVERY_CASE, title="")
