"""The words of verdicts and the content of report.json, with no figure that was not measured."""

# ruff: noqa: RUF001 - the signs for times and minus are intended

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from ovmake.commands.report.document import reported
from ovmake.commands.report.facts.records import Evaluation, OutputDifference, TargetReport
from ovmake.commands.report.tables import Page, build_page, verdicts
from ovmake.commands.report.words import precision
from ovmake.contracts.codec import encode_object
from tests.commands.report.targets import (
    EVERY_CASE,
    FACTS,
    GATE_OFF,
    NO_PEAK,
    NO_RAPL,
    VERSIONS,
    evaluated,
    every_case,
    gate_missed,
    gate_off,
    measured,
    not_built,
    not_measured,
    prices,
    quantiles,
    sure,
    target,
    undecided,
    unlabelled,
    weighed,
    without_peak_memory,
)
from tests.commands.report.targets import (
    json_of as page_json,
)


def verdict_of(report: TargetReport) -> str:
    (line,) = verdicts(build_page([report], title="t"))
    return line


def json_of(report: TargetReport) -> dict[str, Any]:
    (content,) = page_json(build_page([report], title="t"))["targets"]
    assert isinstance(content, dict)
    return content


# ----------------------------------------------------------------------------------------------------------------------
# verdicts

SPEEDS = {
    "faster": (
        measured(4.8, 4.3, 5.1),
        "is 4.8× as fast as TensorFlow (4.3 to 5.1×)",
    ),
    "a little faster": (
        measured(1.08, 1.03, 1.12),
        "is 1.08× as fast as TensorFlow (1.03 to 1.12×)",
    ),
    "much faster": (
        measured(123.4, 119.6, 131),
        "is 123× as fast as TensorFlow (120 to 131×)",
    ),
    "slower": (
        measured(0.72, 0.68, 0.76),
        "is slower than TensorFlow, 0.72× as fast (0.68 to 0.76×)",
    ),
    "range holds 1": (
        measured(1.04, 0.97, 1.12),
        "shows no clear difference in speed from TensorFlow, 1.04× (0.97 to 1.12×)",
    ),
    "range ends at 1": (
        measured(0.97, 0.93, 1.0),
        "shows no clear difference in speed from TensorFlow, 0.97× (0.93 to 1.00×)",
    ),
    "unstable": (
        measured(4.8, 2.9, 5.1, unstable=True),
        "is 4.8× as fast as TensorFlow (2.9 to 5.1×, unstable)",
    ),
    "loaded": (
        measured(4.8, 4.3, 5.1, loaded=True),
        "is 4.8× as fast as TensorFlow (4.3 to 5.1×, loaded)",
    ),
    "high core latency": (
        measured(4.8, 4.3, 5.1, unstable=True, high_latency=True),
        "is 4.8× as fast as TensorFlow (4.3 to 5.1×, unstable, high core latency)",
    ),
    "slower and unstable": (
        measured(0.6, 0.4, 0.9, unstable=True),
        "is slower than TensorFlow, 0.60× as fast (0.40 to 0.90×, unstable)",
    ),
    "range holds 1 and is unstable": (
        measured(1.3, 0.8, 2.4, unstable=True),
        "shows no clear difference in speed from TensorFlow, 1.30× (0.80 to 2.4×, unstable)",
    ),
}


@pytest.mark.parametrize("case", SPEEDS)
def test_the_range_decides_the_verdict_on_speed(case: str) -> None:
    measurement, words = SPEEDS[case]

    actual = verdict_of(target(measurement=measurement))

    assert f"fashion:int8 {words} at a cost of 0.42 points of accuracy" == actual


@pytest.mark.parametrize(
    ("scores", "words"),
    [
        ((0.918, 0.9138), " at a cost of 0.42 points of accuracy"),
        ((0.918, 0.918), " with the same accuracy"),
        # 0.3 - 0.1 - 0.2 in binary: not a difference.
        ((0.3, 0.1 + 0.2), " with the same accuracy"),
        ((0.918, 0.919), " and 0.10 points more accurate"),
        ((0.918, 0.91798), " at a cost of less than 0.01 points of accuracy"),
        ((0.918, 0.91802), " and less than 0.01 points more accurate"),
        ((0.918, float("nan")), "; accuracy not measured (a score is not finite)"),
    ],
)
def test_a_drop_of_accuracy_is_told_in_points(scores: tuple[float, float], words: str) -> None:
    actual = verdict_of(target(evaluation=evaluated(*scores)))

    assert f"fashion:int8 is 4.8× as fast as TensorFlow (4.3 to 5.1×){words}" == actual


@pytest.mark.parametrize(
    ("scores", "words"),
    [
        ((0.5, 0.4877), "at a cost of 0.0123 in metrics.py:recall"),
        ((0.5, 0.5123), "and 0.0123 higher in metrics.py:recall"),
        ((0.5, 0.5), "with the same metrics.py:recall"),
    ],
)
def test_a_metric_without_a_unit_is_not_told_in_points(scores: tuple[float, float], words: str) -> None:
    actual = verdict_of(target(evaluation=evaluated(*scores, metric="metrics.py:recall", unit="none")))

    assert f"fashion:int8 is 4.8× as fast as TensorFlow (4.3 to 5.1×) {words}" == actual


@pytest.mark.parametrize(
    ("evaluation", "words"),
    [
        (sure(0.0008, 0.0074), "at a cost of 0.42 points of accuracy (0.08 to 0.74)"),
        (sure(-0.0074, 0.0, reference=0.9, candidate=0.905), "and 0.50 points more accurate (0.00 to 0.74)"),
        (sure(-0.001, 0.02, candidate=0.908, metric="f1"), "at a cost of 1.00 points of f1 (−0.10 to 2.00)"),
        (sure(-0.02, 0.0, reference=0.89, candidate=0.9, metric="f1"), "and 1.00 points higher in f1 (0.00 to 2.00)"),
        (prices(), "at a cost of 0.75 in mae (−0.2 to 1.5)"),
        (replace(prices(), candidate=20.0, interval=(-0.75, -0.25)), "and 0.5 lower in mae (0.25 to 0.75)"),
    ],
)
def test_a_drop_is_told_with_its_interval(evaluation: Evaluation, words: str) -> None:
    actual = verdict_of(target(evaluation=evaluation))

    assert f"fashion:int8 is 4.8× as fast as TensorFlow (4.3 to 5.1×) {words}" == actual


def test_a_metric_says_how_to_read_it() -> None:
    def read(evaluation: Evaluation | None) -> str:
        return build_page([target(evaluation=evaluation)], title="").rows[0].counted

    assert "higher is better, a share in per cent" == read(evaluated())
    assert "lower is better, in the unit of the labels" == read(prices())
    assert "higher is better" == read(evaluated(unit="none"))
    assert ("", "") == (read(unlabelled()), read(None))


def test_a_gate_that_is_not_decided_is_noted() -> None:
    (section,) = build_page([undecided()], title="").sections

    (row,) = section.rows
    assert ("−0.70 to 1.50", "0.42 points") == (row.interval, row.figures["drop"].text)
    assert (undecided().gate_text,) == section.notes
    gate = {"result": "passed", "text": undecided().gate_text, "decided": False, "at_chance": False}
    assert gate == encode_object(reported(row))["gate"]


def test_a_gate_over_guesses_is_noted_and_told_with_the_verdict() -> None:
    guessing = replace(undecided(), decided=True, at_chance="it guesses", gate_text="as it is; it guesses")

    (section,) = build_page([guessing], title="").sections

    (row,) = section.rows
    assert "; TensorFlow itself is no better than chance" in row.verdict
    (unmeasured,) = verdicts(build_page([replace(guessing, measurement=None)], title=""))
    assert "; TensorFlow itself is no better than chance" in unmeasured
    assert ("as it is; it guesses",) == section.notes
    assert (True, True) == (reported(row).gate.decided, reported(row).gate.at_chance)


def test_without_labels_the_worst_cosine_is_told() -> None:
    actual = verdict_of(target(evaluation=unlabelled()))

    assert (
        "fashion:int8 is 4.8× as fast as TensorFlow (4.3 to 5.1×); cosine 0.999932 with TensorFlow's outputs"
    ) == actual


def test_a_cosine_below_1_never_reads_as_1() -> None:
    (_, scores) = unlabelled().differences
    nearly = replace(unlabelled(), differences=(scores,))

    actual = verdict_of(target(evaluation=nearly))

    assert actual.endswith("; cosine over 0.999999 with TensorFlow's outputs")


def test_elements_that_are_finite_on_one_side_only_are_told() -> None:
    broken = tuple(replace(output, nan_mismatch=3) for output in unlabelled().differences)

    actual = verdict_of(target(evaluation=replace(unlabelled(), differences=broken)))

    assert actual.endswith("cosine 0.999932 with TensorFlow's outputs, 6 elements finite on one side only")


def test_without_a_measurement_the_accuracy_is_told_alone() -> None:
    unmeasured = "fashion:int8: speed not measured (not measured yet: run `ovmake report`)"
    same = replace(not_measured(), evaluation=evaluated(0.5, 0.5))

    assert f"{unmeasured}; 0.42 points less accurate than TensorFlow" == verdict_of(not_measured())
    assert f"{unmeasured}; the same accuracy as TensorFlow" == verdict_of(same)


def test_a_missed_gate_is_told_with_its_figures() -> None:
    assert (
        "fashion:int8 missed its gate and was not published: "
        "accuracy 0.9180 in TensorFlow, 0.8838 in the IR: drop 0.0342, allowed 0.01"
    ) == verdict_of(gate_missed())


def test_a_gate_that_is_off_leaves_accuracy_not_measured() -> None:
    assert (
        "fashion:int8 is 4.8× as fast as TensorFlow (4.3 to 5.1×); "
        "accuracy not measured (`accuracy = false` in the Ovfile)"
    ) == verdict_of(gate_off())


def test_figures_that_decide_nothing_are_told_with_the_reason() -> None:
    why = "INT8 is judged on real samples, and all 300 samples of `cal` calibrate; cosine 0.841"
    unjudged = replace(gate_off(), gate_text=why, evaluation=evaluated(), missing={})

    assert verdict_of(unjudged).endswith(f"; its gate was not measured: {why}")
    assert f"not measured: {why}" not in verdict_of(replace(unjudged, gate="passed"))
    assert f"; its gate was not measured: {why}" in verdict_of(
        replace(unjudged, measurement=None, missing={"measurement": "not measured yet: run `ovmake report`"})
    )


def test_an_output_that_was_empty_hides_no_cosine() -> None:
    empty = OutputDifference(
        name="found", max_abs=float("nan"), mean_abs=float("nan"), cosine=float("nan"), nan_mismatch=0, elements=0
    )
    other = replace(empty, name="sum", max_abs=0.0, mean_abs=0.0, cosine=1.0, elements=16)

    assert "cosine 1.000000 with TensorFlow's outputs" in verdict_of(without_labels(empty, other))
    assert "agreement with TensorFlow not measured (every output was empty)" in verdict_of(without_labels(empty))


def without_labels(*outputs: OutputDifference) -> TargetReport:
    """Return a target that was evaluated on these outputs, without a metric."""
    return replace(target("m:fp32"), evaluation=replace(unlabelled(), differences=outputs))


def test_a_target_that_failed_says_why() -> None:
    assert "fashion:int8 was not built: convert fashion: `models/gone` is not there" == verdict_of(not_built())


def test_verdicts_keep_the_order_of_the_targets() -> None:
    interleaved = [target("a:fp32"), target("b:fp32"), target("a:int8")]

    lines = verdicts(build_page(interleaved, title="t"))

    assert ["a:fp32", "b:fp32", "a:int8"] == [line.split()[0] for line in lines]


# ----------------------------------------------------------------------------------------------------------------------
# the best target


def test_the_best_target_is_the_fastest_that_passes_its_gate() -> None:
    page = build_page(
        [
            target("m:fp32", measurement=measured(2.0, 1.9, 2.1)),
            target("m:int8", measurement=measured(4.8, 4.3, 5.1)),
            replace(gate_off("m:bf16"), measurement=measured(9.0, 8.5, 9.5)),
            gate_missed("m:fp16"),
        ],
        title="t",
    )

    (section,) = page.sections
    assert section.best is not None
    assert "m:int8" == section.best.report.name
    assert () == section.rivals


def test_a_target_whose_range_overlaps_the_best_is_a_rival() -> None:
    page = build_page(
        [
            target("m:fp32", measurement=measured(4.6, 4.2, 5.0)),
            target("m:fp16", measurement=measured(3.0, 2.9, 3.1)),
            target("m:int8", measurement=measured(4.8, 4.3, 5.1)),
        ],
        title="t",
    )

    (section,) = page.sections
    assert ("m:fp32",) == section.rivals


@pytest.mark.parametrize("report", [gate_missed(), gate_off(), not_built(), not_measured()])
def test_without_a_measured_target_that_passes_its_gate_there_is_no_best(report: TargetReport) -> None:
    (section,) = build_page([report], title="t").sections

    assert section.best is None


# ----------------------------------------------------------------------------------------------------------------------
# report.json


def test_the_json_of_a_target() -> None:
    assert json_of(target(evaluation=sure(0.0008, 0.0074))) == {
        "target": "fashion:int8",
        "model": "fashion",
        "precision": "int8",
        "status": "built",
        "verdict": "fashion:int8 is 4.8× as fast as TensorFlow (4.3 to 5.1×) at a cost of 0.42 points of accuracy "
        "(0.08 to 0.74)",
        "gate": {
            "result": "passed",
            "text": "accuracy 0.9180 in TensorFlow, 0.9138 in the IR: drop 0.0042, allowed 0.01",
            "decided": True,
            "at_chance": False,
        },
        "place": "build/fashion/int8/fashion.xml",
        "metric": "accuracy",
        "unit": "share",
        "higher_is_better": True,
        "tensorflow": {
            "latency_median_us": 1003.2,
            "latency_p90_us": pytest.approx(1153.68),
            "latency_p95_us": 1254.0,
            "latency_p99_us": pytest.approx(1504.8),
            "latency_p999_us": 2006.4,
            "throughput_per_second": 1.6e6 / 1003.2,
            "peak_memory_bytes": 647_331_840,
            "import_memory_bytes": 402_653_184,
            "import_ms": 2310.5,
            "load_ms": 253.4,
            "first_inference_ms": 41.7,
            "energy_joules": None,
            "inferences": 2457,
            "accuracy": 0.918,
            "operations": 58,
        },
        "openvino": {
            "latency_median_us": 209.0,
            "latency_p90_us": pytest.approx(240.35),
            "latency_p95_us": 261.25,
            "latency_p99_us": 313.5,
            "latency_p999_us": 418.0,
            "throughput_per_second": 1.6e6 / 209.0,
            "peak_memory_bytes": 122_310_656,
            "import_memory_bytes": 61_341_696,
            "import_ms": 181.2,
            "load_ms": 79.1,
            "first_inference_ms": 0.9,
            "energy_joules": None,
            "inferences": 12_987,
            "accuracy": 0.9138,
            "operations": 47,
            "size_bytes": 198_919,
        },
        "speedup": {"median": 4.8, "low": 4.3, "high": 5.1},
        "throughput_ratio": {"median": 5.2, "low": 5.0, "high": 5.4},
        "drop": pytest.approx(0.0042),
        "drop_interval": {"low": 0.0008, "high": 0.0074, "level": 0.95},
        "score_intervals": {
            "tensorflow": {"low": pytest.approx(0.91), "high": pytest.approx(0.925), "level": 0.95},
            "openvino": {"low": pytest.approx(0.9058), "high": pytest.approx(0.9208), "level": 0.95},
        },
        "max_abs_difference": 0.44208,
        "samples": 5000,
        "differences": [
            {
                "name": "probabilities",
                "max_abs": 0.44208,
                "mean_abs": 0.0030711,
                "cosine": 0.9987851,
                "nan_mismatch": 0,
                "scale": 1.0,
                "max_rel": 3.1,
                "snr_db": 26.1,
                "argmax": 0.9872,
                "elements": None,
            },
        ],
        "executed": {"f32": 1, "i8": 2},
        "layers": [
            {"name": "convolution.8", "type": "Convolution", "precision": "i8"},
            {"name": "fashion_1/classifier_1/BiasAdd", "type": "FullyConnected", "precision": "i8"},
            {"name": "fashion_1/classifier_1/Softmax", "type": "Softmax", "precision": "f32"},
        ],
        "weights": {"f32": 4552, "i8": 148_256},
        "measured": {
            "pairs": 39,
            "quiet_pairs": 38,
            "windows": 8,
            "seconds": 9.2,
            "batch": 1,
            "threads": 2,
            "inputs": "dataset",
            "device": "CPU",
            "level": 0.95,
            "unstable": False,
            "loaded": False,
            "foreign_cores": 0.01,
            "high_latency": False,
            "core_latency_ns": 48.0,
            "machine": measured().machine,
            "machine_facts": {name: value for name, value in encode_object(FACTS).items() if value is not None},
            "versions": VERSIONS,
            "layers_missing": "",
            "tensorflow_called": "frozen",
            "openvino_called": "compiled with the latency hint",
            "ways": [
                {
                    "name": "frozen",
                    "latency_median_us": 1003.2,
                    "inferences": 2457,
                    "speedup": {"median": 4.8, "low": 4.3, "high": 5.1},
                },
                {
                    "name": "signature",
                    "latency_median_us": 1374.4,
                    "inferences": 310,
                    "speedup": {"median": 6.6, "low": 6.2, "high": 7},
                },
            ],
            "ways_missing": {},
            "executed": {"f32": 1, "i8": 2},
            "layers": [
                {"name": "convolution.8", "type": "Convolution", "precision": "i8", "us": 101.5, "moves": False},
                {"name": "Transpose_12", "type": "Transpose", "precision": "f32", "us": 31.25, "moves": True},
                {
                    "name": "fashion_1/classifier_1/BiasAdd",
                    "type": "MatMul",
                    "precision": "i8",
                    "us": 42,
                    "moves": False,
                },
            ],
            "tensorflow_in_flight": 2,
            "openvino_in_flight": 2,
            "tensorflow_quantiles_us": list(quantiles(1003.2)),
            "openvino_quantiles_us": list(quantiles(209.0)),
        },
        "requirements": [],
        "devices": {},
        "options": {"inputs.image.mean": [72.94], "preset": "mixed", "samples": 300},
        "versions": {"openvino": "2026.4.1", "tensorflow": "2.21.0", "nncf": "3.4.0", "ovmake": "0.1.0+61633b487d5d"},
        "digests": {"source": "a1" * 32, "xml": "b2" * 32, "bin": "c3" * 32},
        "missing": {"tensorflow.energy_joules": NO_RAPL, "openvino.energy_joules": NO_RAPL},
    }


def test_the_page_has_a_format_and_a_title() -> None:
    content = page_json(build_page([target()], title="Our models"))

    assert (4, "Our models") == (content["format"], content["title"])


def test_a_metric_with_a_dot_in_its_name_stays_one_key() -> None:
    content = json_of(target(evaluation=evaluated(0.5, 0.4, metric="metrics.py:recall")))

    assert 0.5 == content["tensorflow"]["metrics.py:recall"]
    assert 0.4 == content["openvino"]["metrics.py:recall"]


def paths_of_nulls(content: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in content.items():
        if value is None:
            yield prefix + name
        elif isinstance(value, dict) and name not in {"options", "missing"}:
            yield from paths_of_nulls(value, f"{prefix}{name}.")


@pytest.mark.parametrize("report", EVERY_CASE, ids=lambda report: report.name)
def test_what_is_null_has_a_reason_and_nothing_else_has(report: TargetReport) -> None:
    content = json_of(report)

    # A failed speed check is left out, with its reason.
    checked = {"speed_check"} if "speed-check" in report.missing else set()
    assert {*paths_of_nulls(content), *checked} == set(content["missing"])
    assert checked.isdisjoint(content)
    assert all(content["missing"].values())


@pytest.mark.parametrize("report", EVERY_CASE, ids=lambda report: report.name)
def test_no_figure_is_invented(report: TargetReport) -> None:
    """A target without any facts has no number, not even a 0."""
    bare = replace(report, evaluation=None, measurement=None, size_bytes=None, place=None, options={}, missing={})

    content = json_of(bare)

    numbers = [
        value
        for group in (content, content["tensorflow"], content["openvino"], content["speedup"])
        for value in group.values()
        if isinstance(value, int | float)
    ]
    assert [] == numbers


def test_reasons_name_what_is_missing() -> None:
    missing = json_of(gate_off())["missing"]
    assert {GATE_OFF, NO_RAPL} == set(missing.values())

    missing = json_of(gate_missed())["missing"]
    assert "there is no IR to measure" == missing["speedup.median"] == missing["tensorflow.latency_median_us"]
    assert "not published: it missed its gate" == missing["openvino.size_bytes"]
    assert "gate fashion:int8: accuracy 0.9180 in TensorFlow, 0.8838 in the IR" in missing["place"]

    missing = json_of(target(evaluation=unlabelled()))["missing"]
    assert "no labelled dataset, so only outputs are compared" == missing["drop"]

    missing = json_of(without_peak_memory("m:fp32"))["missing"]
    of_memory = {path: reason for path, reason in missing.items() if "memory" in path}
    paths = [f"{side}.{name}_memory_bytes" for side in ("tensorflow", "openvino") for name in ("peak", "import")]
    assert dict.fromkeys(paths, NO_PEAK) == of_memory


def test_figures_that_are_not_finite_are_null() -> None:
    """JSON has no NaN, and `nan` on a page is no information."""
    overflowed = replace(unlabelled().differences[0], max_abs=float("inf"), cosine=float("nan"))
    broken = replace(evaluated(0.918, float("nan")), differences=(overflowed,))

    content = json_of(target(evaluation=broken))

    json.dumps(content, allow_nan=False)
    assert content["openvino"]["accuracy"] is None
    assert "its value is nan, which cannot be compared" == content["missing"]["openvino.accuracy"]


# ----------------------------------------------------------------------------------------------------------------------
# words


def shown(report: TargetReport, path: str) -> str:
    (row,) = build_page([report], title="t").rows
    return row.figures[path].text


def test_all_times_of_a_model_have_one_unit() -> None:
    page = build_page([target("m:fp32", measurement=measured(0.5, 0.5, 0.5)), target("m:int8")], title="t")

    units = {row.figures[f"{side}.latency_median_us"].text for row in page.rows for side in ("tensorflow", "openvino")}

    assert {"1,003 µs", "2,006 µs", "209 µs"} == units


@pytest.mark.parametrize(
    ("median_us", "text"),
    [(4.513, "4.51 µs"), (45.13, "45.1 µs"), (999.4, "999 µs"), (16_512, "16.5 ms"), (2_400_000, "2.40 s")],
)
def test_times_have_about_three_digits(median_us: float, text: str) -> None:
    plain = measured(1, 1, 1)
    both = replace(
        plain,
        tensorflow=replace(plain.tensorflow, latency_median_us=median_us),
        openvino=replace(plain.openvino, latency_median_us=median_us),
    )

    assert text == shown(target(measurement=both), "openvino.latency_median_us")


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (198_919, "199 kB"), (999_600, "1.00 MB"), (14_200_000, "14.2 MB"), (3e12, "3.00 TB")],
)
def test_sizes_are_in_decimal_units(count: int, text: str) -> None:
    assert text == shown(target(size_bytes=count), "openvino.size_bytes")


@pytest.mark.parametrize(
    ("scores", "text"),
    [
        ((0.918, 0.9138), "0.42 points"),
        ((0.918, 0.919), "−0.10 points"),
        ((0.918, 0.918), "none"),
        ((0.918, 0.91802), "less than 0.01 points better"),
        ((0.918, 0.91798), "less than 0.01 points worse"),
    ],
)
def test_a_drop_in_a_table(scores: tuple[float, float], text: str) -> None:
    assert text == shown(target(evaluation=evaluated(*scores)), "drop")


@pytest.mark.parametrize(
    ("element", "text"),
    [("f32", "FP32"), ("f16", "FP16"), ("bf16", "BF16"), ("i8", "INT8"), ("u4", "UINT4"), ("boolean", "boolean")],
)
def test_an_element_type_by_its_usual_name(element: str, text: str) -> None:
    assert text == precision(element)


def test_a_page_of_no_targets_can_be_made() -> None:
    page = build_page([], title="")

    assert Page(title="OpenVINO compared with TensorFlow", rows=(), sections=()) == page


def test_machines_are_told_once() -> None:
    assert (measured().machine,) == every_case().machines


def test_drops_of_autos_candidates_are_told_in_the_metrics_unit() -> None:
    ((row,),) = (section.rows for section in build_page([weighed()], title="").sections)

    assert "0.42 points" == row.candidates[-1].drop.text
