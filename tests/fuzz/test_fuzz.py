"""A few damaged models a day, beside their sound siblings; `python -m tests.fuzz 1000` tries more."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.examples import tries
from tests.fuzz.harness import fuzz, sound
from tests.once import once

pytestmark = pytest.mark.heavy


def test_what_is_published_of_damaged_models_tensorflow_loads_and_computes(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    models = once(tmp_path_factory, "fuzzed", sound)
    seed = Random().randrange(1 << 30)  # noqa: S311

    report = fuzz(models, tmp_path / "repo", count=tries(daily=12, ci=60, long=1_000), seed=seed)

    assert [] == report.wrong, f"seed {seed}"
    assert report.counts
