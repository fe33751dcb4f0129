"""A promise that cannot be broken is refused, and so is a metric whose direction is in doubt."""

from __future__ import annotations

import pytest

from ovmake.diagnostics import OvmakeError
from ovmake.ovfile.parse import parse

OVFILE = """
[datasets.val]
path = "val.npz"
labels = "y"
[models.m]
source = "m"
accuracy = {{ dataset = "val", {accuracy} }}
"""


def codes(accuracy: str) -> list[str]:
    """Return the codes of the mistakes in a gate."""
    try:
        parse(OVFILE.format(accuracy=accuracy))
    except OvmakeError as error:
        return [diagnostic.code for diagnostic in error.diagnostics]
    return []


@pytest.mark.parametrize("metric", ["accuracy", "top-5", "precision", "recall", "f1", "miou", "cosine"])
@pytest.mark.parametrize("drop", ["1", "1.0", "5", "100", '"100%"', '"2000%"'])
def test_share_cannot_drop_by_one_or_more(metric: str, drop: str) -> None:
    assert ["drop-too-large"] == codes(f'metric = "{metric}", max-drop = {drop}')


@pytest.mark.parametrize(
    "accuracy",
    [
        'metric = "accuracy", max-drop = 0.99',
        'metric = "accuracy", max-drop = "99%"',
        'metric = "accuracy", max-drop = -1',
        'metric = "mae", max-drop = 5',  # in the labels' unit
        'metric = "rmse", max-drop = "150%"',
        'metric = "r2", max-drop = 2',  # has no lower end
        'metric = "metrics.py:points", max-drop = 3',
    ],
)
def test_promise_that_can_be_broken_is_accepted(accuracy: str) -> None:
    assert not codes(accuracy)


@pytest.mark.parametrize(
    "function",
    ["loss", "val_loss", "error", "mae", "MAE", "word_error_rate", "wordErrorRate", "rmse_of_depth", "brier", "L1Loss"],
)
def test_function_whose_name_suggests_lower_needs_a_direction(function: str) -> None:
    metric = f'metric = "metrics.py:{function}"'

    assert ["missing-direction"] == codes(metric)
    assert not codes(f"{metric}, higher-is-better = false")
    assert not codes(f"{metric}, higher-is-better = true")


@pytest.mark.parametrize("function", ["recall", "lossless_share", "terror", "accuracy", "mirror", "glosses_found"])
def test_other_functions_need_no_direction(function: str) -> None:
    assert not codes(f'metric = "metrics.py:{function}"')
