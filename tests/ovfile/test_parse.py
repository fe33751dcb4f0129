"""Parsing an Ovfile: defaults, precedence of layers, origins, and the value of every key."""

from __future__ import annotations

import pytest

from ovmake.contracts.params.promise import MaxDrop
from ovmake.diagnostics import OvmakeError
from ovmake.ovfile.parse import decode, parse, span_of
from ovmake.ovfile.schema.compression import Quantization
from ovmake.ovfile.schema.datasets import Dataset
from ovmake.ovfile.schema.inputs import Input
from ovmake.ovfile.schema.measuring import Benchmark
from ovmake.ovfile.spec import Accuracy, Ovfile, Target

DIGITS = '[models.digits]\nsource = "models/digits"\n'
DATA = '[datasets.val]\npath = "val.npz"\nlabels = "y"\n[datasets.train]\npath = "train.npz"\n'


def target(text: str, name: str = "digits:fp32") -> Target:
    return next(target for target in parse(text).targets if target.name == name)


def codes(text: str) -> list[str]:
    with pytest.raises(OvmakeError) as refusal:
        parse(text)
    return [diagnostic.code for diagnostic in refusal.value.diagnostics]


# --- defaults ---------------------------------------------------------------------------------------------


def test_two_lines_are_a_whole_ovfile() -> None:
    expected = Target(
        model="digits",
        precision="fp32",
        source="models/digits",
        signature="serving_default",
        tags=("serve",),
        batch=None,
        inputs=(),
        accuracy=Accuracy(dataset=None, metric=None, max_drop=None, cosine=0.99999, max_error=1e-4, promised=False),
        quantization=None,
        benchmark=Benchmark(max_seconds=20.0),
        at=("models", "digits"),
    )

    actual = parse(DIGITS)

    assert [target.name for target in actual.targets] == ["digits:fp32", "digits:fp16"]
    assert expected == actual.targets[0]
    assert (actual.build_dir, actual.device, actual.report_title) == ("build", "CPU", "")
    assert (actual.datasets, actual.warnings) == ({}, ())


def test_every_precision_has_its_own_least_agreement() -> None:
    ovfile = parse(DATA + DIGITS + 'precisions = ["fp32", "fp16", "int8"]\ncalibration = "train"\n')

    cosines = [target.accuracy.cosine for target in ovfile.targets if target.accuracy]

    assert cosines == [0.99999, 0.999, 0.98]


def test_int8_takes_300_samples_and_the_mixed_preset_by_default() -> None:
    text = DATA + DIGITS + 'precisions = ["int8"]\ncalibration = "train"\n'

    actual = target(text, "digits:int8").quantization

    assert Quantization(calibration="train", samples=300, preset="mixed") == actual


# --- every key --------------------------------------------------------------------------------------------


def test_keys_at_the_top() -> None:
    actual = parse('version = 1\nbuild-dir = "out/./ir"\ndevice = "CPU"\nreport.title = "Kitchen"\n' + DIGITS)

    assert (actual.build_dir, actual.device, actual.report_title) == ("out/ir", "CPU", "Kitchen")


@pytest.mark.parametrize(
    ("said", "form"),
    [
        ('path = "val.npz"', "arrays"),
        ('path = "val.CSV"', "csv"),
        ('path = "val"', "folder"),
        ('path = "data/val.tfrecord"', "tfrecord"),
        ('path = "data/val.tfrec-00001-of-00009"', "tfrecord"),
        ('loader = "data.py:val"', "loader"),
    ],
)
def test_form_of_a_dataset_follows_from_its_name(said: str, form: str) -> None:
    assert form == parse(f"[datasets.val]\n{said}\n{DIGITS}").datasets["val"].form


def test_keys_of_a_dataset() -> None:
    text = '[datasets.val]\npath = "./d/v.npz"\ninputs = { b = "x2", a = "x1" }\nlabels = "y"\nlimit = 9\n' + DIGITS
    expected = Dataset(
        name="val",
        path="d/v.npz",
        arrays=(("a", ("x1",)), ("b", ("x2",))),
        labels="y",
        limit=9,
        at=("datasets", "val"),
    )

    actual = parse(text).datasets

    assert actual == {"val": expected}


def test_keys_of_an_input_come_as_tuples_sorted_by_name() -> None:
    text = DIGITS + 'inputs.z.mean = 1\ninputs."a.b:0" = { shape = [-1, 28], scale = [2, 0.5] }\n'

    actual = target(text).inputs

    assert actual == (Input(name="a.b:0", shape=(-1, 28), scale=(2.0, 0.5)), Input(name="z", mean=(1.0,)))


def test_empty_shape_is_a_scalars() -> None:
    assert target(DIGITS + "inputs.x.shape = []\n").inputs == (Input(name="x", shape=()),)


def test_keys_of_int8() -> None:
    text = DATA + DIGITS + 'precisions = ["int8"]\n[models.digits.int8]\ncalibration = "train"\nsamples = 7\n'

    actual = target(text + 'preset = "performance"\nignored = { types = [] }\non-drop = "fail"\n', "digits:int8")

    assert Quantization(calibration="train", samples=7, preset="performance") == actual.quantization


def test_batch_and_benchmark() -> None:
    actual = target(DIGITS + 'batch = 4\nbenchmark = { max-seconds = 2.5, hints = ["throughput", "latency"] }\n')

    assert (actual.batch, actual.benchmark) == (4, Benchmark(max_seconds=2.5))


def test_measured_requirements_are_listed_by_key() -> None:
    actual = target(DIGITS + 'require = { size = "1 MB", memory = "2 kB", speedup = 2 }\n').require

    assert (1_000_000, (("speedup", 2.0), ("memory", 2000))) == (actual.size, actual.measured)


def judged(
    *,
    dataset: str | None = None,
    metric: str | None = None,
    max_drop: MaxDrop | None = None,
    cosine: float | None = None,
    promised: bool = False,
    given: tuple[str, ...] = (),
) -> Accuracy:
    """Return the gate of an fp32 target, which always has a largest difference."""
    return Accuracy(
        dataset=dataset,
        metric=metric,
        max_drop=max_drop,
        cosine=cosine,
        max_error=1e-4,
        promised=promised,
        given=given,
    )


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ('dataset = "val"', judged(dataset="val", cosine=0.99999)),
        (
            'dataset = "val"\nmetric = "accuracy"',
            judged(dataset="val", metric="accuracy", promised=True, max_drop=MaxDrop(amount=0.01)),
        ),
        (
            'dataset = "val"\nmax-drop = -0.5',
            judged(dataset="val", metric="accuracy", promised=True, max_drop=MaxDrop(amount=-0.5)),
        ),
        (
            'dataset = "val"\nmax-drop = "2.5%"',
            judged(dataset="val", metric="accuracy", promised=True, max_drop=MaxDrop(amount=0.025, relative=True)),
        ),
        (
            'dataset = "val"\nmax-drop = 0\nagreement.cosine = 1',
            judged(
                dataset="val",
                metric="accuracy",
                promised=True,
                max_drop=MaxDrop(amount=0.0),
                cosine=1.0,
                given=("cosine",),
            ),
        ),
        ("agreement = { cosine = 0.5 }", judged(cosine=0.5, promised=True, given=("cosine",))),
        ("agreement = {}", judged(cosine=0.99999)),
    ],
)
def test_accuracy(written: str, expected: Accuracy) -> None:
    actual = target(f"{DATA}{DIGITS}[models.digits.accuracy]\n{written}\n").accuracy

    assert expected == actual


CALIBRATED = 'precisions = ["fp32", "int8", "auto"]\ncalibration = "train"\n'


@pytest.mark.parametrize("name", ["digits:fp32", "digits:int8"])
@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("", ("train", 300, False)),
        ("[models.digits.int8]\nsamples = 7\n", ("train", 7, False)),  # of INT8 alone, and it holds for all
        ('accuracy.dataset = "val"\n', (None, 300, False)),
        ('accuracy = { agreement.cosine = 0.9, inputs = "noise" }\n', (None, 300, True)),
        ('accuracy = { dataset = "val", agreement.cosine = 0.9, inputs = "noise" }\n', (None, 300, False)),
    ],
)
def test_which_samples_judge_without_a_validation_set(name: str, written: str, expected: tuple[object, ...]) -> None:
    found = target(DATA + DIGITS + CALIBRATED + written, name).accuracy

    assert found is not None
    assert expected == (found.calibration, found.calibrating, found.noise)


def test_a_default_judges_no_int8_on_noise() -> None:
    """Only who asks for an agreement can mean that."""
    text = DATA + DIGITS + CALIBRATED + 'accuracy.inputs = "noise"\n'
    plain, quantized = target(text).accuracy, target(text, "digits:int8").accuracy

    assert plain is not None
    assert quantized is not None
    assert (True, False) == (plain.noise, quantized.noise)
    assert "train" == quantized.calibration
    (warning,) = parse(text).warnings
    told = "`inputs` has no effect: INT8 has no default for noise: set an `agreement`"
    assert told == warning.message


def test_a_calibration_set_does_not_judge_without_int8() -> None:
    found = target(DATA + DIGITS + 'calibration = "train"\n').accuracy

    assert found is not None
    assert found.calibration is None


@pytest.mark.parametrize(
    ("written", "expected"), [("", False), ('metric = "cosine"', False), ('metric = "accuracy"', True)]
)
def test_labels_are_read_by_metrics_that_need_them(written: str, expected: bool) -> None:  # noqa: FBT001
    actual = target(f'{DATA}{DIGITS}[models.digits.accuracy]\ndataset = "val"\n{written}\n')

    assert actual.accuracy
    assert (expected, ("models", "digits")) == (actual.accuracy.uses_labels, actual.home)


def test_max_drop_reads_as_it_was_written() -> None:
    assert [MaxDrop(amount=0.01).written, MaxDrop(amount=0.025, relative=True).written] == [0.01, "2.5%"]


# --- layers -----------------------------------------------------------------------------------------------

LAYERS = ["defaults", "defaults.fp32", "models.digits", "models.digits.fp32"]


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_nearest_of_the_layers_that_have_a_setting_wins(count: int) -> None:
    text = "".join(f"{layer}.batch = {index}\n" for index, layer in enumerate(LAYERS[:count], 1))
    text = f'models.digits.source = "m"\nmodels.digits.precisions = ["fp32"]\n{text}'

    actual = target(text)

    assert count == actual.batch
    assert actual.origins["batch"] == (*LAYERS[count - 1].split("."), "batch")


def test_settings_of_different_precisions_or_models_have_no_effect() -> None:
    text = f'{DIGITS}batch = 1\n[models.digits.fp16]\nbatch = 2\n[models.other]\nsource = "o"\nbatch = 3\n'

    batches = {target.name: target.batch for target in parse(text).targets}

    assert batches == {"digits:fp32": 1, "digits:fp16": 2, "other:fp32": 3, "other:fp16": 3}


def test_tables_of_several_layers_are_read_as_one() -> None:
    text = f"[defaults.inputs.x]\nmean = 1\nscale = 2\n{DIGITS}inputs = {{ x.mean = 5, y.scale = 3 }}\n"

    actual = target(text).inputs

    assert actual == (Input(name="x", mean=(5.0,), scale=(2.0,)), Input(name="y", scale=(3.0,)))


def test_precisions_of_a_model_replace_those_of_the_defaults() -> None:
    text = f'defaults.precisions = ["fp32", "fp16"]\n{DIGITS}precisions = ["fp16"]\n[models.o]\nsource = "o"\n'

    actual = [target.name for target in parse(text).targets]

    assert actual == ["digits:fp16", "o:fp32", "o:fp16"]


OFF, DROP = "false", '{ dataset = "val", max-drop = 0.5 }'


@pytest.mark.parametrize(
    ("defaults", "model", "precision", "gate"),
    [
        (OFF, None, None, None),
        (OFF, DROP, None, 0.5),
        (DROP, OFF, None, None),
        (DROP, None, OFF, None),
        (OFF, None, DROP, 0.5),
        (DROP, OFF, "{ max-drop = 0.25 }", None),  # refused: the dataset is behind the `false`
        (DROP, None, "{ max-drop = 0.25 }", 0.25),
        (DROP, "{ max-drop = 0.25 }", None, 0.25),
    ],
)
def test_false_turns_the_gate_off_and_a_nearer_table_on_again(
    defaults: str, model: str | None, precision: str | None, gate: float | None
) -> None:
    text = f'{DATA}[defaults]\naccuracy = {defaults}\nprecisions = ["fp32"]\n{DIGITS}'
    text += "" if model is None else f"accuracy = {model}\n"
    text += "" if precision is None else f"fp32.accuracy = {precision}\n"

    if (defaults, model) == (DROP, OFF) and precision:
        assert codes(text) == ["missing-dataset"]
        return
    actual = target(text).accuracy

    assert gate == (actual and actual.max_drop and actual.max_drop.amount)


# --- origins and places -----------------------------------------------------------------------------------


def test_origins_say_where_each_setting_was_found() -> None:
    text = f"{DATA}[defaults.accuracy]\nagreement.cosine = 0.5\n{DIGITS}inputs.x.mean = 1\n"

    origins = target(text).origins

    assert origins["accuracy.agreement.cosine"] == ("defaults", "accuracy", "agreement", "cosine")
    assert origins["inputs.x.mean"] == ("models", "digits", "inputs", "x", "mean")
    assert "batch" not in origins


def test_span_of_a_setting_is_its_value_and_of_a_table_its_header() -> None:
    text = f"\ufeff{DIGITS}batch = 4\n"

    value, header = span_of(("models", "digits", "batch"), text, "O"), span_of(("models", "digits"), text, "O")

    assert value
    assert header
    assert (value.line, value.column, value.length) == (3, 9, 1)
    assert (header.line, header.column, header.length) == (1, 1, len("[models.digits]"))


def test_span_of_a_missing_key_is_that_of_its_table() -> None:
    place = span_of(("models", "digits", "inputs", "x", "mean"), DIGITS, "O")

    assert place
    assert place.text == "[models.digits]"
    assert span_of(("nothing",), DIGITS, "O") is None


def test_carriage_returns_do_not_count_as_characters_of_a_value() -> None:
    place = span_of(("models", "digits", "tags"), '[models.digits]\r\ntags = [\r\n"serve"]\r\n', "O")

    assert place
    assert (place.text, place.length) == ("tags = [", 1)


# --- what is legal ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [f"\ufeff{DIGITS}", DIGITS.replace("\n", "\r\n"), DIGITS.rstrip("\n")])
def test_byte_order_mark_and_line_ends_do_not_matter(text: str) -> None:
    assert parse(DIGITS) == parse(decode(text.encode()))


def test_order_of_tables_and_keys_changes_nothing_about_a_target() -> None:
    one = f"{DIGITS}inputs.a.mean = 1\ninputs.b.mean = 2\nbatch = 1\n{DATA}"
    other = f"{DATA}[models.digits]\nbatch = 1\ninputs.b.mean = 2\ninputs.a.mean = 1\n{DIGITS.splitlines()[1]}\n"

    assert parse(one).targets == parse(other).targets


def test_different_samples_of_one_file_may_calibrate() -> None:
    text = (
        '[datasets.val]\npath = "d.npz"\ninputs.x = "x_val"\n[datasets.train]\npath = "d.npz"\ninputs.x = "x_train"\n'
    )
    text += f'{DIGITS}precisions = ["int8"]\ncalibration = "train"\naccuracy.dataset = "val"\n'

    assert parse(text).targets


def test_gate_that_is_off_leaves_its_dataset_to_calibration() -> None:
    text = f'{DATA}[defaults]\naccuracy.dataset = "val"\n{DIGITS}precisions = ["int8"]\naccuracy = false\n'

    assert target(f'{text}calibration = "val"\n', "digits:int8").accuracy is None


# --- several mistakes -------------------------------------------------------------------------------------


def test_mistakes_of_form_do_not_hide_those_of_meaning() -> None:
    text = f'{DIGITS}batch = 0\n[models.o]\nsource = "o"\naccuracy.dataset = "nope"\n[models.p]\nsource = "p"\n'

    actual = codes(f'{text}precisions = ["int8"]\n[models.q]\nsource = "q"\naccuracy.max-drop = 0\n')

    assert actual == ["bad-value", "unknown-dataset", "missing-calibration", "missing-dataset"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[models.digits]\nsorce = "m"\n', ["unknown-key"]),  # and not that `source` is missing
        (f'[dataset.val]\npath = "v.npz"\n{DIGITS}accuracy.dataset = "val"\n', ["unknown-key"]),
        ('[model.digits]\nsource = "m"\n', ["unknown-key"]),
        (f'datasets = "d"\n{DIGITS}accuracy.dataset = "val"\n', ["wrong-type"]),
        (f'{DIGITS}precisions = ["int8"]\ncalibration = 3\n', ["wrong-type"]),
        (
            f'[datasets.v]\npath = "v.npz"\nlabel = "y"\n{DIGITS}accuracy = {{ dataset = "v", max-drop = 0 }}\n',
            ["unknown-key"],
        ),
        ('version = 7\nmodel = "m"\n', ["unknown-version"]),
    ],
)
def test_one_mistake_is_not_reported_as_two(text: str, expected: list[str]) -> None:
    assert expected == codes(text)


def test_mistake_in_a_table_that_no_target_uses_is_reported() -> None:
    text = f'[defaults.int8]\ncalibration = "nope"\n{DIGITS}fp16.accuracy.dataset = "no"\nprecisions = ["fp32"]\n'

    assert codes(text) == ["unknown-dataset", "unknown-dataset"]


def test_caller_decides_whether_a_path_is_inside_the_repo() -> None:
    with pytest.raises(OvmakeError) as refusal:
        parse(DIGITS, inside=lambda path: path != "models/digits")

    assert [diagnostic.code for diagnostic in refusal.value.diagnostics] == ["path-outside"]
    assert isinstance(parse(DIGITS, inside=lambda _: True), Ovfile)


def test_origin_of_the_device_is_the_top() -> None:
    found = target('device = "AUTO:GPU,CPU"\n' + DIGITS)

    assert ("AUTO:GPU,CPU", ("device",)) == (found.device, found.origins["device"])


# --- user code --------------------------------------------------------------------------------------------


def test_allowed_ops_are_those_of_every_target_by_the_key_that_allows_them() -> None:
    text = DIGITS + 'allow-ops = ["WriteFile", "ReadFile", "WriteFile"]\n[models.digits.fp16]\nallow-ops = ["PyFunc"]\n'

    actual = parse(text)

    expected = {
        ("models", "digits", "allow-ops"): ("ReadFile", "WriteFile"),
        ("models", "digits", "fp16", "allow-ops"): ("PyFunc",),
    }
    assert expected == actual.allowed_ops
    assert {} == parse(DIGITS).allowed_ops


def test_user_code_is_every_function_that_a_build_would_run_by_the_key_that_names_it() -> None:
    text = (
        '[datasets.val]\nloader = "data.py:val"\n[datasets.plain]\npath = "val.npz"\nlabels = "y"\n'
        '[defaults.accuracy]\ndataset = "val"\nmetric = "score.py:weighted"\n'
        + DIGITS
        + '[models.plain]\nsource = "p"\naccuracy = { dataset = "plain", metric = "f1" }\n'
        '[models.unjudged]\nsource = "u"\naccuracy = false\n'
    )
    expected = {
        ("datasets", "val", "loader"): "data.py:val",
        ("defaults", "accuracy", "metric"): "score.py:weighted",
    }

    actual = parse(text).user_code

    assert expected == actual
