"""What the runtime executed, from what it tells: without a runtime."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ovmake.contracts.files.executed import ExecutedLayer
from ovmake.errors import ActionError
from ovmake.workers.conversion.executed import counts, insist, not_executed

BF16, F32 = "bf16", "f32"


def test_layers_are_counted_by_precision_sorted() -> None:
    layers = [ExecutedLayer(name=str(n), type="Convolution", precision=p) for n, p in enumerate(["i8", "f32", "i8"])]

    assert [("f32", 1), ("i8", 2)] == list(counts(layers).items())


def test_precision_that_no_layer_was_computed_in_was_not_measured() -> None:
    expected = "bf16 is not available on this machine: the target requests it, but the runtime executed f32"

    assert expected == not_executed(BF16, {"f32": 12})


def test_one_layer_in_it_is_enough_and_a_device_that_does_not_tell_is_believed() -> None:
    assert not_executed(BF16, {"bf16": 1, "f32": 12}) == ""
    assert not_executed(BF16, {}) == ""


def test_target_that_asks_for_no_precision_is_content_with_any() -> None:
    assert not_executed(F32, {"f32": 12}) == ""


def test_what_is_not_executed_as_asked_is_neither_timed_nor_taken_apart() -> None:
    layers = [ExecutedLayer(name="add.17", type="Convolution", precision="f32")]

    with pytest.raises(ActionError) as refused:
        insist(BF16, layers)
    insist(F32, [replace(layers[0], precision="i8")])

    expected = "bf16 is not available on this machine: the target requests it, but the runtime executed f32"
    assert expected == str(refused.value)
