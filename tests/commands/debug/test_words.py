"""What `ovmake debug` says of a comparison: which layer it blames, in words and as JSON."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from ovmake.commands.debug.findings import Findings, tolerance_of
from ovmake.commands.debug.words import lines, to_json
from ovmake.contracts.files.compared import LayerComparison, LayerComparisons, LayerFigures, State
from ovmake.ovfile.parse import parse
from ovmake.ovfile.spec import Target


def target(precision: str = "fp32", more: str = "") -> Target:
    """Return the target `m` of an Ovfile."""
    text = f'[datasets.d]\npath = "d.npz"\n[models.m]\nsource = "m"\nprecisions = ["{precision}"]\n{more}\n'
    if precision == "int8":
        text += '[models.m.int8]\ncalibration = "d"\n'
    (made,) = parse(text, file="Ovfile", inside=lambda _: True).targets
    return made


def layer(
    name: str,
    *inputs: str,
    snr: float | None = 120.0,
    worst: float = 1e-6,
    nan_mismatch: int = 0,
    quantum: float | None = None,
) -> LayerComparison:
    """Return a matched layer as *compare-layers* writes it; its scale is 1."""
    figures = LayerFigures(
        snr_db=snr, max_abs=worst, scale=1.0, cosine=1 - worst / 10, nan_mismatch=nan_mismatch, quantum=quantum
    )
    return LayerComparison(
        name=name,
        operation="Relu",
        tensor=f"{name}:0",
        inputs=tuple(f"{before}:0" for before in inputs),
        state="matched",
        shape=(4, 8),
        counterpart=f"{name}.1",
        figures=figures,
    )


def other(name: str, *inputs: str, state: State = "folded", operation: str = "Conv2D") -> LayerComparison:
    """Return a layer that was not matched."""
    return LayerComparison(
        name=name,
        operation=operation,
        tensor=f"{name}:0",
        inputs=tuple(f"{one}:0" for one in inputs),
        state=state,
        why="no operation of the IR is its counterpart",
    )


def findings(*layers: LayerComparison, of: Target | None = None) -> Findings:
    """Return findings about layers, on four samples."""
    return Findings.of(of or target(), LayerComparisons(samples=4, layers=layers))


def test_the_first_layer_that_leaves_is_named_with_what_is_folded_into_it() -> None:
    shown = lines(
        findings(
            layer("stem"),
            other("conv", "stem"),
            layer("conv_bn", "conv", snr=41.2, worst=0.031),
            layer("relu", "conv_bn", snr=40.0, worst=0.031),
            other("pad", "relu", state="unmatched", operation="Pad"),
        ),
    )

    assert [
        (
            "m:fp32: the first layer that differs from TensorFlow's is "
            "`conv_bn` (Relu) with `conv` (Conv2D) folded into it: "
            "SNR 41.2 dB, max abs 0.031, 3.10e-02 of its scale; tolerance 0.0001 of its scale (of the target's gate)"
        ),
        "the worst layers, on 4 samples:",
        "  layer      operation     shape        SNR   own SNR  max abs",
        "  * relu     Relu          [4, 8]   40.0 dB   46.2 dB    0.031",
        "  * conv_bn  Conv2D, Relu  [4, 8]   41.2 dB   41.2 dB    0.031",
        "  stem       Relu          [4, 8]  120.0 dB  120.0 dB    1e-06",
        "3 of 5 layers matched; 1 folded into later ones; 1 not matched",
        "  no operation of the IR is its counterpart: pad",
    ] == shown


def test_no_layer_leaves() -> None:
    answer, *_ = lines(findings(layer("stem"), layer("relu", "stem", snr=None, worst=0.0)))

    expected = "m:fp32: no layer differs from TensorFlow's by more than 0.0001 of its scale (of the target's gate)"
    assert expected == answer


def test_nothing_matched_is_no_good_news() -> None:
    answer, *_ = lines(findings(other("conv")))

    assert "m:fp32: not compared, because no layer was found in the IR" == answer


def test_all_layers_are_shown_in_the_order_in_which_they_compute() -> None:
    shown = lines(findings(other("conv"), layer("bn", "conv", snr=90.0), layer("relu", "bn")), everything=True)

    assert [
        "all layers, in the order of computation, on 4 samples:",
        "  layer  operation     shape        SNR    own SNR  max abs",
        "  conv   Conv2D        folded",
        "  bn     Conv2D, Relu  [4, 8]   90.0 dB    90.0 dB    1e-06",
        "  relu   Relu          [4, 8]  120.0 dB  adds none    1e-06",
    ] == shown[1:6]


def test_int8_is_held_to_the_cosine_and_told_who_adds_most_noise() -> None:
    made = target("int8", "accuracy.agreement.cosine = 0.9")
    shown = lines(
        findings(
            layer("stem", snr=30.0, worst=0.1),
            layer("wide", "stem", snr=20.0, worst=0.4),
            layer("last", "wide", snr=19.0, worst=0.5),
            of=made,
        ),
    )

    assert "m:int8: no layer differs from TensorFlow's by more than cosine 0.9 (of the target's gate)" == shown[0]
    assert "most noise is added by `wide` (Relu): own SNR 20.5 dB" == shown[1]


@pytest.mark.parametrize(
    ("precision", "more", "expected"),
    [
        ("fp32", "", ("max-error", 1e-4)),
        ("fp16", "", ("max-error", 0.25)),
        ("fp16", "accuracy.agreement.max-error = 0.5", ("max-error", 0.5)),
        ("fp32", "accuracy = false", ("max-error", 1e-4)),
        ("int8", "accuracy = false", ("cosine", 0.98)),
        ("int8", "accuracy.agreement.max-error = 0.5", ("max-error", 0.5)),
    ],
)
def test_tolerance_is_the_gates_own_or_the_precisions(precision: str, more: str, expected: tuple[str, float]) -> None:
    tolerance = tolerance_of(target(precision, more))

    assert expected == (tolerance.kind, tolerance.value)


def test_a_nan_on_one_side_leaves_whatever_the_tolerance() -> None:
    found = findings(layer("stem", nan_mismatch=1), of=target("int8"))

    assert found.first is not None
    assert "1 elements NaN or infinite on one side" in lines(found)[0]


def test_nothing_finite_to_compare_comes_first_and_is_json() -> None:
    none = LayerFigures(snr_db=None, max_abs=None, scale=None, cosine=None, nan_mismatch=32)
    nothing = replace(layer("stem"), figures=none)
    found = findings(layer("before", snr=3.0), nothing)
    written = to_json(found)["layers"]

    assert ["stem", "before"] == [worst.name for worst in found.worst()]
    assert isinstance(written, list)
    assert (3.0, None, 32) == (written[0]["snr_db"], written[1]["snr_db"], written[1]["nan_mismatch"])


def test_one_step_of_a_tensor_of_integers_is_rounding() -> None:
    rounded = layer("a", snr=60.0, worst=0.04, quantum=0.04)
    wrong = layer("b", snr=50.0, worst=0.08, quantum=0.04)

    found = findings(rounded, wrong)

    assert [False, True] == [found.leaves(one) for one in found.layers]


def test_a_loop_among_layers_ends() -> None:
    found = findings(layer("a", "c"), other("b", "a"), other("c", "b"))

    assert ["b", "c"] == [inner.name for inner in found.folded_into(found.layers[0])]
    assert found.own_db(found.layers[0]) is not None


def test_names_from_a_model_do_not_reach_the_terminal_as_control_characters() -> None:
    found = findings(layer("a\x1b[2J", snr=1.0, worst=0.5))

    assert not any("\x1b" in line for line in lines(found))


def test_equal_layers_have_no_noise() -> None:
    found = findings(layer("a", snr=None, worst=0.0))

    assert math.inf == found.own_db(found.layers[0])
    assert not replace(found, layers=()).worst()
