"""The keys of integer precisions: their values, the tables that take them, and which of them go together."""

from __future__ import annotations

import pytest

from ovmake.diagnostics import OvmakeError
from ovmake.ovfile.parse import parse
from ovmake.ovfile.schema.compression import (
    AccuracyControl,
    FourBits,
    Ignored,
    Quantization,
    SmoothQuant,
    WeightCompression,
)
from ovmake.ovfile.spec import Target

DATA = '[datasets.train]\npath = "train.npz"\n'
INT8 = DATA + '[models.m]\nsource = "m"\nprecisions = ["int8"]\ncalibration = "train"\n'
WEIGHTS = '[models.m]\nsource = "m"\nprecisions = ["int8-weights", "int4-weights"]\n'


def target(text: str, precision: str = "int8") -> Target:
    return next(target for target in parse(text).targets if target.precision == precision)


def codes(text: str) -> list[str]:
    with pytest.raises(OvmakeError) as refusal:
        parse(text)
    return [diagnostic.code for diagnostic in refusal.value.diagnostics]


def test_every_key_of_int8_arrives() -> None:
    text = f"""{INT8}
samples = 64
preset = "performance"
model-type = "transformer"
ignored = {{ names = ["b", "a"], types = ["MatMul"], patterns = ["x.*"] }}
smooth-quant = {{ matmul = 0.5, convolution = -1 }}
bias-correction = true
fast-bias-correction = false
overflow-fix = "enable"
"""

    expected = Quantization(
        calibration="train",
        samples=64,
        preset="performance",
        model_type="transformer",
        ignored=Ignored(names=("a", "b"), types=("MatMul",), patterns=("x.*",)),
        smooth_quant=SmoothQuant(matmul=0.5, convolution=-1.0),
        bias_correction=True,
        fast_bias_correction=False,
        overflow_fix="enable",
    )
    assert expected == target(text).quantization


def test_smooth_quant_can_be_switched_off_for_any_model() -> None:
    settings = target(f"{INT8}smooth-quant = false\n").quantization

    assert settings
    assert settings.smooth_quant is None


def test_weights_have_a_zero_point_and_small_layers_smaller_groups_by_default() -> None:
    assert WeightCompression(bits="int8") == target(WEIGHTS, "int8-weights").weights
    expected = FourBits(bits="int4", group_size_fallback_mode="adjust")
    assert expected == target(WEIGHTS, "int4-weights").weights


def test_every_key_of_the_weights_arrives() -> None:
    text = f"""{WEIGHTS}ignored.types = ["Gather"]
[models.m.int8-weights]
mode = "sym"
[models.m.int4-weights]
mode = "sym"
group-size = -1
ratio = 0.8
all-layers = true
backup-mode = "none"
group-size-fallback-mode = "error"
"""

    ignored = Ignored(types=("Gather",))
    assert WeightCompression(bits="int8", mode="sym", ignored=ignored) == target(text, "int8-weights").weights
    expected = FourBits(
        bits="int4",
        mode="sym",
        ignored=ignored,
        group_size=-1,
        ratio=0.8,
        all_layers=True,
        backup_mode="none",
        group_size_fallback_mode="error",
    )
    assert expected == target(text, "int4-weights").weights


def test_weights_need_no_calibration() -> None:
    assert [None, None] == [target.quantization for target in parse(WEIGHTS).targets]


@pytest.mark.parametrize("table", ["models.m", "defaults", "models.m.int8", "models.m.int8-weights"])
def test_keys_of_four_bits_are_allowed_in_the_table_of_four_bits_only(table: str) -> None:
    text = f"{WEIGHTS}[{table}]\nratio = 0.5\n" if table != "models.m" else f"{WEIGHTS}ratio = 0.5\n"

    assert ["unknown-key"] == codes(text)


@pytest.mark.parametrize("line", ["ratio = 0", "ratio = 0.0", "group-size = 0"])
def test_zeros_that_nncf_misreads_are_refused(line: str) -> None:
    assert ["bad-value"] == codes(f"{WEIGHTS}[models.m.int4-weights]\n{line}\n")


def test_warning_about_settings_of_a_precision_that_is_not_listed() -> None:
    found = parse('[models.m]\nsource = "m"\n[models.m.bf16]\nbatch = 1\n[models.m.int4-weights]\nratio = 0.5\n')

    assert ["unused-precision", "unused-precision"] == [warning.code for warning in found.warnings]


def test_search_has_limits() -> None:
    searched = target(f'{INT8}on-drop = "mixed"\nmax-minutes = 5\n').quantization
    plain = target(INT8).quantization

    assert searched
    assert plain
    assert (AccuracyControl(max_evaluations=60, max_minutes=5.0), None) == (searched.control, plain.control)


def test_names_and_patterns_may_name_layers_of_the_source() -> None:
    found = [Ignored(names=("a",)), Ignored(patterns=("a.*",)), Ignored(types=("MatMul",)), Ignored()]

    assert [True, True, False, False] == [one.traced for one in found]


def test_mode_in_the_words_of_nncf() -> None:
    assert "int8-asym" == WeightCompression(bits="int8").nncf_mode
    assert "int4-sym" == FourBits(bits="int4", mode="sym").nncf_mode
