"""How many samples TensorFlow is asked: all that are named, and of ovmake's own choice as many as there is time for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.workers.conftest import run_python

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    answer = json.loads(run_python("refer_slowly.py", str(tmp_path_factory.mktemp("slow"))))
    assert isinstance(answer, dict)
    return answer


@pytest.mark.parametrize(
    ("model", "count", "samples"),
    [
        ("quick", None, 16),
        ("warming-up", None, 16),  # the first run says little
        ("slow", 2, 2),  # 220 seconds for 16 samples, as a TF1 front with a training switch took
        ("slower", 1, 1),
        ("fixed-batch", 4, 4),
        ("one-feed", None, 16),
        ("dataset", None, 20),  # the user named it
    ],
)
def test_a_slow_model_sees_fewer_samples(
    found: dict[str, dict[str, Any]], model: str, count: int | None, samples: int
) -> None:
    known = found[model]

    assert (count, samples, samples) == (known["count"], known["samples"], known["follows"])
    assert (count is not None) == known["warned"] == bool(known["notes"])


def test_the_record_says_how_many(found: dict[str, dict[str, Any]]) -> None:
    assert ["TensorFlow is slow on this model, so 2 samples were compared"] == found["slow"]["notes"]
    assert ["TensorFlow is slow on this model, so 1 sample was compared"] == found["slower"]["notes"]
