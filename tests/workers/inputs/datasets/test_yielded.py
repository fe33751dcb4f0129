"""A loader that yields something else in another pass is told by the first difference, whoever runs it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ovmake.contracts.codec import from_bytes, to_bytes
from ovmake.contracts.files.reference import Pass
from ovmake.errors import ActionError
from ovmake.workers.inputs.datasets.yielded import DIGITS, Yielded
from ovmake.workers.inputs.samples import Samples
from tests.workers.inputs.datasets.models import samples
from tests.workers.inputs.datasets.test_loader import X, load

CODE = """
import numpy as np
def val():
    samples, labels = np.arange(40.0).reshape(20, 2), np.arange(20)
    {change}
    for x, y in zip(samples, labels):
        yield x, y
"""


def yielded(read: Samples) -> Yielded:
    assert read.yielded is not None
    return read.yielded


def passes(folder: Path, change: str, **params: object) -> None:
    """Compare a pass over 20 samples with one that is changed; each goes through JSON, as between actions."""
    before = yielded(load(folder, CODE.format(change="pass"), **params)).passed
    (folder / "data.py").unlink()
    yielded(load(folder, CODE.format(change=change), **params)).check(
        from_bytes(Pass, to_bytes(before), "passed"), "dataset"
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("samples[17] += 0.5", "`data.py:val` yielded different samples than before, first at 17"),
        ("samples[[3, 9]] = samples[[9, 3]]", "`data.py:val` yielded different samples than before, first at 3"),
        ("samples = samples.astype('f4')", "`data.py:val` yielded different samples than before, first at 0"),
        ("labels = labels[::-1]", "`data.py:val` yielded different labels than before, first at 0"),
        ("labels = labels.astype('f4')", "`data.py:val` yielded different labels than before, first at 0"),
        ("samples, labels = samples[:12], labels[:12]", "`data.py:val` yielded 12 samples, and 20 before"),
        ("labels = [{'boxes': y} for y in labels]", "`data.py:val` yielded different labels than before, first at 0"),
    ],
)
def test_other_pass_is_told_by_its_first_difference(tmp_path: Path, change: str, message: str) -> None:
    with pytest.raises(ActionError) as caught:
        passes(tmp_path, change)

    assert ("loader-unsteady", message, "dataset") == (caught.value.code, caught.value.message, caught.value.setting)
    assert "np.random.default_rng(0)" in caught.value.help


@pytest.mark.parametrize("change", ["pass", "samples = samples.copy(); labels = list(labels)"])
def test_same_pass_is_the_same(tmp_path: Path, change: str) -> None:
    passes(tmp_path, change)


def test_limit_does_not_hide_a_difference_among_those_that_are_left_out(tmp_path: Path) -> None:
    with pytest.raises(ActionError, match="first at 19"):
        passes(tmp_path, "samples[19] += 1", limit=2)


def test_labels_of_any_form_have_fingerprints(tmp_path: Path) -> None:
    code = "def val():\n    for n in range(3):\n        yield [n, n], {'boxes': [n] * n, 'name': 'é'}\n"
    first, second = (yielded(load(tmp_path, code)) for _ in range(2))

    assert first == second
    assert 3 == len({first.labels[at : at + DIGITS] for at in range(0, len(first.labels), DIGITS)})


def test_files_are_inputs_and_need_none(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", x=np.zeros((3, 2)))

    assert samples(X, tmp_path / "d.npz").yielded is None
