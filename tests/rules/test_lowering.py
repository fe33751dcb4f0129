"""From an Ovfile to actions: freezing, variants, and the actions that each setting reaches."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from ovmake.contracts.values import JsonValue
from ovmake.graph.action import Action, Artifact, Graph, Source
from ovmake.graph.lower import Rule, SourceForm, lower
from ovmake.ovfile.parse import parse
from ovmake.rules import build_target, debug_target, measure_target

MODEL = '[models.m]\nsource = "m"\nprecisions = ["fp32"]\n'


def graph(text: str, kind: str = "saved-model", beside: tuple[str, ...] = ()) -> Graph:
    return lower(parse(text), build_target, {"m": SourceForm(kind=kind, beside=beside)})


def kinds(text: str, kind: str = "saved-model") -> list[str]:
    return [action.kind for action in graph(text, kind).actions.values()]


@pytest.mark.parametrize("kind", ["saved-model", "frozen-graph", "tflite", ""])
def test_source_that_openvino_reads_is_not_frozen(kind: str) -> None:
    assert ["convert", "reference", "evaluate", "gate", "publish"] == kinds(MODEL, kind)


@pytest.mark.parametrize("kind", ["keras", "keras-h5", "checkpoint"])
def test_source_that_openvino_cannot_read_is_frozen_first(kind: str) -> None:
    assert "freeze" == kinds(MODEL, kind)[0]


@pytest.mark.parametrize("line", ['signature = "other"', 'tags = ["serve", "gpu"]', 'cut.outputs = ["pool"]'])
def test_saved_model_with_a_signature_tags_or_cut_is_frozen_first(line: str) -> None:
    assert "freeze" == kinds(MODEL + line)[0]


@pytest.mark.parametrize("kind", ["frozen-graph", "tflite"])
def test_cut_of_a_flat_graph_needs_no_freezing(kind: str) -> None:
    assert "freeze" not in kinds(MODEL + 'cut.inputs = ["pool"]', kind)


@pytest.mark.parametrize(
    ("lines", "by_computation"), [("", True), ('cut.outputs = ["pool"]\n', False), ("accuracy = false\n", None)]
)
def test_over_a_dataset_a_source_without_cut_is_compared_by_fingerprint(
    lines: str,
    by_computation: bool | None,  # noqa: FBT001
) -> None:
    scored = "" if by_computation is None else 'accuracy.dataset = "val"\n[datasets.val]\npath = "val.npz"\n'
    found = graph(MODEL + lines + scored, "frozen-graph").actions

    assert by_computation == (by_computation_of(found, "reference m") if "reference m" in found else None)
    assert bool(by_computation) == ("check-source m" in found)


def by_computation_of(found: Mapping[str, Action], name: str) -> bool:
    return next(given for given in found[name].inputs if given.role == "source").by_computation


def test_on_seeded_inputs_the_source_is_compared_by_bytes() -> None:
    found = graph(MODEL, "frozen-graph").actions

    assert not by_computation_of(found, "reference m")
    assert "check-source m" not in found


@pytest.mark.parametrize("rule", [build_target, measure_target, debug_target])
@pytest.mark.parametrize("kind", ["saved-model", "frozen-graph", "keras", "checkpoint", "tflite"])
@pytest.mark.parametrize("lines", ["", 'cut.outputs = ["pool"]\n', 'signature = "other"\n', "accuracy = false\n"])
@pytest.mark.parametrize("scored", [True, False])
def test_readers_of_a_fingerprint_also_read_the_answers_of_the_bytes(
    rule: Rule,
    kind: str,
    lines: str,
    scored: bool,  # noqa: FBT001
) -> None:
    """Otherwise a damaged model would get the results of an intact one with the same fingerprint."""
    scored = scored and "accuracy" not in lines
    text = MODEL.replace("precisions", 'calibration = "train"\nprecisions').replace('"fp32"', '"fp32", "int8", "auto"')
    text += lines + ('accuracy.dataset = "val"\n' if scored else "")
    text += "".join(f'[datasets.{name}]\npath = "{name}.npz"\n' for name in ("train", "val"))
    found = lower(parse(text), rule, {"m": SourceForm(kind=kind)}).actions

    for action in found.values():
        computing = [given for given in action.inputs if given.by_computation]
        answers = [given.origin for given in action.inputs if given.role == "answers"]
        assert action.kind == "publish" or bool(computing) == bool(answers), action.name
        for origin in answers:
            assert isinstance(origin, Artifact)
            read = {given.origin: given.by_computation for given in found[origin.action].inputs}
            assert "check-source" == found[origin.action].kind
            assert [False] * len(computing) == [read[given.origin] for given in computing]


@pytest.mark.parametrize(
    ("lines", "read"),
    [("", True), ('accuracy.dataset = "val"\n', False), ("accuracy = false\n", False)],
)
def test_timing_on_synthetic_inputs_uses_the_gates_feeding_plan(lines: str, read: bool) -> None:  # noqa: FBT001
    """Otherwise a model that refuses the first draw could be judged, but not timed."""
    text = MODEL.replace('"fp32"', '"fp32", "int8-weights", "auto"') + lines
    text += '[models.m.auto]\ncandidates = ["fp32", "int8-weights"]\n[datasets.val]\npath = "val.npz"\n'
    found = lower(parse(text), measure_target, {"m": SourceForm(kind="frozen-graph")}).actions
    timed = [name for name in found if name.startswith(("benchmark", "time-candidates", "compare-speed"))]
    plans = {name: [given.origin for given in found[name].inputs if given.role == "plan"] for name in timed}

    assert 5 == len(timed)
    assert {name: [Artifact("reference m", "plan")] if read else [] for name in timed} == plans


def test_kind_of_the_ovfile_overrides_the_recognised_one() -> None:
    assert "freeze" == kinds(MODEL + 'kind = "keras"', "saved-model")[0]


def test_variants_share_the_freezing_and_nothing_else() -> None:
    found = graph(MODEL + 'cut.outputs = ["a"]\n[models.m.variants.b]\ncut.outputs = ["b"]\n')

    assert ["freeze m"] == [name for name in found.actions if name.startswith("freeze")]
    assert ["convert m", "convert m@b"] == [name for name in found.actions if name.startswith("convert")]
    assert {"m:fp32": "publish m:fp32", "m@b:fp32": "publish m@b:fp32"} == found.targets
    places = [output.place for output in found.actions["publish m@b:fp32"].outputs]
    assert ["build/m@b/fp32/m@b.xml", "build/m@b/fp32/m@b.bin", "build/m@b/fp32/record.json"] == places


def test_files_of_a_source_are_inputs_of_its_readers() -> None:
    found = graph(MODEL, "checkpoint", ("m.index", "m.data-00000-of-00001"))

    assert ["source", "beside.0", "beside.1"] == [given.role for given in found.actions["freeze m"].inputs]
    assert {"graph", "names"} == {given.role for given in found.actions["convert m"].inputs}


@pytest.mark.parametrize(
    ("line", "touched"),
    [
        ("batch = 4", {"convert", "publish"}),
        ('inputs.x.type = "u8"', {"convert", "publish"}),
        ("inputs.x.value = true", {"convert", "publish"}),
        ('outputs = { y = "z" }', {"convert", "publish"}),
        ('kind = "frozen-graph"', {"convert", "reference", "publish"}),
        ("accuracy.agreement.max-error = 0.5", {"gate", "publish"}),
        ("benchmark.max-seconds = 3", set()),
    ],
)
def test_setting_reaches_the_actions_that_use_it(line: str, touched: set[str]) -> None:
    before, after = graph(MODEL).actions.values(), graph(MODEL + line).actions.values()

    assert touched == {new.kind for old, new in zip(before, after, strict=True) if old.params != new.params}


def test_device_reaches_evaluate_and_the_record() -> None:
    before, after = graph(MODEL).actions.values(), graph('device = "GPU"\n' + MODEL).actions.values()

    changed = {new.kind for old, new in zip(before, after, strict=True) if old.params != new.params}
    assert {"evaluate", "publish"} == changed


SCORED = """
[datasets.val]
path = "val.npz"
labels = "y"
[models.m.accuracy]
dataset = "val"
"""


def evaluated(settings: str) -> tuple[dict[str, JsonValue], dict[str, str]]:
    """Return the params and the sources of *evaluate* for a gate with these settings."""
    action = graph(MODEL + SCORED + settings).actions["evaluate m:fp32"]
    sources = {given.role: given.origin.path for given in action.inputs if isinstance(given.origin, Source)}
    return action.settings, sources


def test_users_function_is_an_input_of_the_action_that_runs_it() -> None:
    params, sources = evaluated('metric = "./lib/metrics.py:f"\nhigher-is-better = false\n')

    assert {"accuracy.metric": "./lib/metrics.py:f", "accuracy.higher-is-better": False}.items() <= params.items()
    assert "lib/metrics.py" == sources["metric"]


def test_annotations_are_an_input() -> None:
    _, sources = evaluated('metric = "coco-map"\nannotations = "boxes.json"\n')

    assert {"annotations": "boxes.json", "dataset": "val.npz"} == sources


@pytest.mark.parametrize(
    ("metric", "options", "expected"),
    [
        ("f1", "positive = 2\nthreshold = 0.25", {"positive": 2, "threshold": 0.25}),
        ("miou", "ignored = 255", {"ignored": 255}),
        ("mae", 'output = "y"', {"output": "y"}),
        ("mae", "positive = 2", {}),  # for another metric
    ],
)
def test_options_of_a_metric_are_params(metric: str, options: str, expected: dict[str, object]) -> None:
    params, _ = evaluated(f'metric = "{metric}"\n{options}\n')

    given = {name.removeprefix("accuracy."): value for name, value in params.items() if name.startswith("accuracy.")}
    assert {"metric": metric, **expected} == given


@pytest.mark.parametrize(
    ("metric", "promise"), [("f1", 0.01), ("r2", 0.01), ("mae", "1%"), ("rmse", "1%"), ("m.py:f", "1%")]
)
def test_default_promise_is_relative_for_metrics_of_any_unit(metric: str, promise: object) -> None:
    action = graph(MODEL + SCORED + f'metric = "{metric}"\n').actions["gate m:fp32"]

    assert promise == action.settings["accuracy.max-drop"]


@pytest.mark.parametrize(
    ("metric", "tools"), [("f1", ["scikit-learn"]), ("coco-map", ["pycocotools"]), ("accuracy", []), ("mae", [])]
)
def test_library_of_the_metric_is_a_tool(metric: str, tools: list[str]) -> None:
    settings = f'metric = "{metric}"\nannotations = "boxes.json"\n'
    action = graph(MODEL + SCORED + settings).actions["evaluate m:fp32"]

    assert ["openvino", "numpy", *tools] == list(action.tools)


def test_cosine_reads_no_labels() -> None:
    params, _ = evaluated('metric = "cosine"\n')

    assert "dataset.labels" not in params


# precisions

INT8 = '[datasets.train]\npath = "t.npz"\n[models.m]\nsource = "m"\nprecisions = ["int8"]\ncalibration = "train"\n'
WEIGHTS = '[models.m]\nsource = "m"\nprecisions = ["int4-weights"]\n'


def params(found: Graph, action: str) -> dict[str, JsonValue]:
    return found.actions[action].settings


@pytest.mark.parametrize(
    ("precision", "kind"),
    [
        ("fp16", "compress"),
        ("bf16", "compress"),
        ("int8-weights", "compress-weights"),
        ("int4-weights", "compress-weights"),
    ],
)
def test_rule_that_makes_the_ir_of_a_precision(precision: str, kind: str) -> None:
    found = graph(f'[models.m]\nsource = "m"\nprecisions = ["{precision}"]\nspeed-check = false\n')

    assert ["convert", kind, "reference", "evaluate", "gate", "publish"] == [a.kind for a in found.actions.values()]
    assert f"build/m/{precision}/m.xml" == found.actions[f"publish m:{precision}"].outputs[0].place


def test_only_bf16_is_verified_measured_and_recorded_in_bf16() -> None:
    found = lower(
        parse('[models.m]\nsource = "m"\nprecisions = ["fp16", "bf16"]\n'),
        measure_target,
        {"m": SourceForm(kind="saved-model")},
    )

    told = {name for name in found.actions if "execute-in" in params(found, name)}
    assert {"evaluate m:bf16", "benchmark m:bf16", "publish m:bf16"} == told


@pytest.mark.parametrize(
    "line",
    [
        'model-type = "transformer"',
        'preset = "performance"',
        'ignored.types = ["Softmax"]',
        "smooth-quant = false",
        "bias-correction = false",
        "fast-bias-correction = false",
        'overflow-fix = "enable"',
    ],
)
def test_setting_of_int8_reaches_quantize_and_the_record(line: str) -> None:
    before, after = graph(INT8).actions.values(), graph(INT8 + line).actions.values()

    changed = {new.kind for old, new in zip(before, after, strict=True) if old.params != new.params}
    assert {"quantize", "publish"} == changed


def test_setting_at_its_default_is_no_param() -> None:
    assert {"preset", "samples", "dataset.form", "seed"} == set(params(graph(INT8), "quantize m:int8"))
    assert {"mode", "group-size-fallback-mode"} == set(params(graph(WEIGHTS), "compress-weights m:int4-weights"))


@pytest.mark.parametrize("text", [INT8, WEIGHTS])
@pytest.mark.parametrize("key", ["names", "patterns"])
def test_source_is_frozen_for_the_names_of_layers_and_only_for_them(text: str, key: str) -> None:
    found = graph(f'{text}ignored.{key} = ["stem"]\nbatch = 4\n')

    makes = next(action for action in found.actions.values() if action.kind in {"quantize", "compress-weights"})
    assert {"graph", "names", "interface"} <= {given.role for given in makes.inputs}
    assert {"batch", f"ignored.{key}"} <= set(makes.settings)
    # The IR does not change.
    assert ["source"] == [given.role for given in found.actions["convert m"].inputs]
    assert "freeze" not in [action.kind for action in graph(f'{text}ignored.types = ["Add"]\n').actions.values()]


def test_layers_of_a_tflite_are_found_in_the_file_itself() -> None:
    found = graph(INT8 + 'ignored.names = ["stem"]\n', "tflite")

    assert "freeze m" not in found.actions
    assert "source" in {given.role for given in found.actions["quantize m:int8"].inputs}


@pytest.mark.parametrize(
    ("device", "expected"),
    [
        ("CPU", {}),
        ("AUTO:GPU,CPU", {}),
        ("GPU.1", {"target-device": "GPU", "overflow-fix": "disable"}),
        ("NPU", {"target-device": "NPU", "overflow-fix": "disable"}),
    ],
)
def test_quantization_is_for_the_device_and_sums_overflow_on_cpus_only(device: str, expected: dict[str, str]) -> None:
    found = params(graph(f'device = "{device}"\n{INT8}'), "quantize m:int8")

    assert expected == {name: found[name] for name in ("target-device", "overflow-fix") if name in found}


def test_overflow_fix_of_the_ovfile_wins_on_every_device() -> None:
    found = params(graph(f'device = "GPU"\n{INT8}overflow-fix = "enable"\n'), "quantize m:int8")

    assert "enable" == found["overflow-fix"]


def test_publish_depends_on_the_processor_if_the_ir_does() -> None:
    environments = {
        precision: graph(text).actions[f"publish m:{precision}"].environment
        for precision, text in {"fp32": MODEL, "int8": INT8, "int4-weights": WEIGHTS}.items()
    }

    assert {"fp32": (), "int8": ("isa",), "int4-weights": ("isa",)} == environments


def test_targets_that_agree_share_actions_also_if_another_target_has_the_name() -> None:
    text = """
[datasets.val]
path = "val.npz"
labels = "y"
[datasets.train]
path = "train.npz"
[models.m]
source = "models/m"
precisions = ["fp32", "fp16", "int8"]
calibration = "train"
accuracy = { dataset = "val", metric = "accuracy" }
[models.m.fp32]
batch = 4
"""
    made = lower(parse(text), build_target, {}).actions

    assert ["convert m", "convert m:fp16"] == [name for name in made if name.startswith("convert ")]
    assert ["check-samples m", "check-samples m:fp16"] == [name for name in made if name.startswith("check-samples ")]
    assert ["reference m", "reference m:fp16"] == [name for name in made if name.startswith("reference ")]
    assert "convert m:fp16" in made["quantize m:int8"].needs
