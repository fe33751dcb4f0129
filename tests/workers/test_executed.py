"""What the runtime executed, from what it tells: without a runtime."""

from __future__ import annotations

from ovmake.workers.executed import counts, not_executed


def test_layers_are_counted_by_precision_sorted() -> None:
    layers = [{"name": str(n), "type": "Convolution", "precision": p} for n, p in enumerate(["i8", "f32", "i8"])]

    assert [("f32", 1), ("i8", 2)] == list(counts(layers).items())


def test_precision_that_no_layer_was_computed_in_was_not_measured() -> None:
    expected = "bf16 is not available on this machine: it was asked for, and the runtime executed f32"

    assert expected == not_executed("bf16", {"f32": 12})


def test_one_layer_in_it_is_enough_and_a_device_that_does_not_tell_is_believed() -> None:
    assert not_executed("bf16", {"bf16": 1, "f32": 12}) == ""
    assert not_executed("bf16", {}) == ""
