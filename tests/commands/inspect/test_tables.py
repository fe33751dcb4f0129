"""A description as text: whole outputs, widths, long lists, hostile names."""

from __future__ import annotations

from dataclasses import replace

from ovmake.commands.inspect.tables import lines_of
from ovmake.contracts.files.inspected import LayerDescription, Port
from tests.commands.inspect.models import MOBILE, QUANTIZED, UNSUPPORTED


def text(description: object, *, all_layers: bool = False) -> str:
    assert isinstance(description, type(MOBILE))
    return "\n".join(lines_of(description, width=80, all_layers=all_layers)) + "\n"


def test_a_model_as_text() -> None:
    expected = """\
models/mobile
  SavedModel, 14.4 MB, 3,538,984 parameters
  loaded by: tf.saved_model.load

inputs
  image  f32 [-1, 96, 96, 3]

outputs
  scores  f32 [-1, 10]

signatures
  features (tags: serve)
    image -> map, mask
  serving_default (tags: serve), shown here
    image -> scores

layers to cut at: 3, in the order of computation
  backbone             2 layers                f32 [-1, 3, 3, 1280]
  backbone/a_layer_with_quite_a_long_name_in_it
                       Conv2D, BiasAdd, Relu6  f32 [-1, 3, 3, 1280]
  split                Split                   2 outputs:
    net/split/split:0                          f32 [-1, 5]
    net/split/split:1                          f32 of unknown shape

operations: 72
  Conv2D 35, Relu6 35, BiasAdd 1, Split 1

OpenVINO converts it, to 70 operations
"""
    assert expected == text(MOBILE)


def test_what_openvino_lacks_is_said_with_its_own_words() -> None:
    expected = """\
OpenVINO cannot convert it as it is
  unsupported-operations: OpenVINO has no conversion rule for `Betainc`,
    `MatrixSolve`
    | Model wasn't fully converted.
    | -- No conversion rule found for operations: Betainc, MatrixSolve
"""
    assert text(UNSUPPORTED).endswith(expected)


def test_integers_of_a_quantized_model_are_explained() -> None:
    expected = """\
models/tiny.tflite
  TensorFlow Lite model, 999 B, 77,706 parameters
  loaded by: tf.lite.Interpreter

inputs
  x  i8 [1, 32, 32, 3]  = 0.0078125 * (x + 128)

outputs
  y  i8 [1, 10]  = 0.25 * x

OpenVINO converts it, to 9 operations
"""
    assert expected == text(QUANTIZED)


def many(count: int) -> tuple[LayerDescription, ...]:
    port = Port(name="t:0", shape=(-1, 7), type="f32")
    return tuple(
        LayerDescription(name=f"layer_{index}", operations=("Relu",), parts=0, outputs=(port,))
        for index in range(count)
    )


def test_of_two_thousand_layers_the_first_and_the_last_are_shown() -> None:
    lines = text(replace(MOBILE, layers=many(2000))).splitlines()

    start = lines.index("layers to cut at: 2000, in the order of computation")
    assert "  layer_59    Relu  f32 [-1, 7]" == lines[start + 60]
    assert "  … 1880 more; `--all` shows them" == lines[start + 61]
    assert "  layer_1940  Relu  f32 [-1, 7]" == lines[start + 62]


def test_all_layers_are_shown_on_demand() -> None:
    lines = text(replace(MOBILE, layers=many(2000)), all_layers=True).splitlines()

    assert 2000 == sum(line.startswith("  layer_") for line in lines)


def test_everything_but_names_fits_the_width() -> None:
    layers = tuple(replace(layer, operations=("AVeryLongOperation",) * 9) for layer in many(300))

    for line in lines_of(replace(UNSUPPORTED, layers=layers), width=80, all_layers=True):
        assert len(line) <= 80


def test_nothing_of_a_model_reaches_the_terminal_as_a_control_character() -> None:
    hostile = replace(MOBILE, inputs=(Port(name="a\x1b[31m\nb", shape=(1,), type="f32"),), source="x\ry")

    shown = text(hostile)

    assert "a\\x1b[31m\\nb" in shown
    assert not set(shown) & {"\x1b", "\r"}
