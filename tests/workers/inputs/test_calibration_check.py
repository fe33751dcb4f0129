"""What is found out about samples before they calibrate."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ovmake.contracts.codec import encode_object
from ovmake.contracts.files.interface import Interface
from ovmake.contracts.params.data import DatasetParams
from ovmake.contracts.params.evaluation import CheckCalibrationParams
from ovmake.errors import ActionError
from ovmake.workers.inputs.calibration_check import check_calibration
from ovmake.workers.inputs.datasets.yielded import DIGITS
from ovmake.workers.inputs.preparing import Array
from ovmake.workers.ipc.protocol import Request
from tests.workers.inputs.datasets.models import interface, paint, params_of, tensor

MODEL = interface(tensor("x", -1, 2), classes=3)
ROWS = np.arange(8.0).reshape(4, 2)
RANDOM = np.random.default_rng(3)


def checked(
    folder: Path, calibration: Path, known: Interface = MODEL, *, alone: bool = False, **params: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Check a dataset beside validation.npz, or `alone`; return what was found, and the facts."""
    known.write(str(folder / "interface"))
    judging = {} if alone else {"validation": str(folder / "validation.npz")}
    dataset = DatasetParams(form="loader", loader="val") if calibration.suffix == ".py" else params_of(calibration)
    asked = CheckCalibrationParams(
        samples=params.pop("samples", 40),
        calibration="train",
        dataset=dataset,
        max_overlap=params.pop("allowed", 0),
        validated_by=None if alone else "val",
        validation=None if alone else DatasetParams(form="arrays"),
        seed=0,
        **params,
    )
    facts = check_calibration(
        Request(
            id=1,
            kind="check-calibration",
            params=encode_object(asked),
            inputs={"interface": str(folder / "interface"), "dataset": str(calibration), **judging},
            outputs={role: str(folder / role) for role in ("checked", "passed")},
        )
    )
    found = json.loads((folder / "checked").read_bytes())
    assert isinstance(found, dict)
    return found, facts


def beside(
    folder: Path, calibration: Array, validation: Array, known: Interface = MODEL, **params: Any
) -> dict[str, Any]:
    """Return the facts of two arrays."""
    np.savez(folder / "train.npz", x=calibration)
    np.savez(folder / "validation.npz", x=validation)
    return checked(folder, folder / "train.npz", known, **params)[1]


def test_sample_in_both_is_refused_with_its_numbers(tmp_path: Path) -> None:
    np.savez(tmp_path / "train.npz", x=ROWS)
    np.savez(tmp_path / "validation.npz", x=np.concatenate([ROWS + 100, ROWS[2:3]]).astype(np.float32))

    with pytest.raises(ActionError) as caught:
        checked(tmp_path, tmp_path / "train.npz")

    assert "calibration-overlaps-validation" == caught.value.code
    assert "1 of the 4 samples that calibrate INT8 are also in `val`, which validates it" == caught.value.message
    assert ("their numbers in `train` (and in `val`): 2 (4)",) == caught.value.notes
    assert "remove them; or, if it is coincidence, set `max-overlap = 1` in [datasets.train]" == caught.value.help


def test_overlap_that_is_allowed_is_counted(tmp_path: Path) -> None:
    np.savez(tmp_path / "train.npz", x=ROWS)
    np.savez(tmp_path / "validation.npz", x=ROWS[:1])

    assert 1 == checked(tmp_path, tmp_path / "train.npz", allowed=1)[0]["overlap"]


def test_only_samples_that_calibrate_count(tmp_path: Path) -> None:
    np.savez(tmp_path / "train.npz", x=np.arange(200.0).reshape(100, 2))
    chosen = np.random.default_rng(0).permutation(100)[:10]
    left = sorted(set(range(100)) - set(chosen.tolist()))
    np.savez(tmp_path / "validation.npz", x=np.arange(200.0).reshape(100, 2)[left])

    found, facts = checked(tmp_path, tmp_path / "train.npz", samples=10)

    assert ({"format": 2, "samples": 10, "overlap": 0, "doubts": []}, {}) == (found, facts)


def test_same_pixels_in_another_form_of_dataset_are_the_same_sample(tmp_path: Path) -> None:
    paint(tmp_path / "train/a.png", (1, 2, 3))
    np.savez(tmp_path / "validation.npz", image=np.full((1, 4, 4, 3), (1, 2, 3), dtype=np.uint8))

    with pytest.raises(ActionError, match="1 of the 1 samples"):
        checked(tmp_path, tmp_path / "train", interface(tensor("image", -1, 4, 4, 3)))


@pytest.mark.parametrize(
    ("value", "word"), [(np.nan, "NaN"), (np.inf, "infinite values"), (-np.inf, "infinite values")]
)
@pytest.mark.parametrize("alone", [True, False])
def test_what_is_no_number_is_refused_with_its_array_and_sample(
    tmp_path: Path,
    value: float,
    word: str,
    alone: bool,  # noqa: FBT001 - a parameter
) -> None:
    rows = RANDOM.random((30, 2))
    rows[[17, 20], [0, 1]] = value
    np.savez(tmp_path / "train.npz", x=rows)
    np.savez(tmp_path / "validation.npz", x=RANDOM.random((30, 2)))

    with pytest.raises(ActionError) as caught:
        checked(tmp_path, tmp_path / "train.npz", alone=alone)

    assert ("calibration-not-finite", "calibration") == (caught.value.code, caught.value.setting)
    assert caught.value.message == (
        f"array `x` of `train` has {word} in 2 of the 30 samples that calibrate INT8, first in sample 17"
    )


def test_only_a_sample_that_calibrates_has_to_be_finite(tmp_path: Path) -> None:
    rows = RANDOM.random((30, 2))
    chosen = np.random.default_rng(0).permutation(30)[:10]
    rows[next(number for number in range(30) if number not in chosen)] = np.nan

    assert not beside(tmp_path, rows, RANDOM.random((30, 2)), samples=10)


def test_each_of_many_samples_is_looked_at(tmp_path: Path) -> None:
    rows = RANDOM.random((2500, 2))
    rows[1234, 1] = np.nan

    with pytest.raises(ActionError, match="in 1 of the 2500 samples that calibrate INT8, first in sample 1234"):
        beside(tmp_path, rows, RANDOM.random((30, 2)), samples=2500)


@pytest.mark.parametrize(
    ("calibration", "validation", "message"),
    [
        (
            (0, 1),
            (0, 255),
            r"input `x` runs from 0.* to 0.9.* in `train`, which calibrates, and from .* to 25",
        ),
        ((0, 255), (0, 1), "input `x` runs from"),
        ((-1, 1), (0, 255), "input `x` runs from"),
        ((-1, 1), (0, 1), "input `x` runs from"),  # scaled to another range of the same size
        ((100, 101), (0, 1), "input `x` runs from"),
    ],
)
def test_other_range_than_what_judges_is_told_with_both(
    tmp_path: Path, calibration: tuple[float, float], validation: tuple[float, float], message: str
) -> None:
    facts = beside(tmp_path, RANDOM.uniform(*calibration, (60, 2)), RANDOM.uniform(*validation, (60, 2)))

    code, text, _, hint, setting = facts["warnings"][0]
    assert ("calibration-range", "calibration") == (code, setting)
    assert re.match(message, text), text
    assert "prepare both in the same way" in hint


def test_ranges_of_the_same_kind_of_data_are_alike(tmp_path: Path) -> None:
    assert not beside(tmp_path, RANDOM.uniform(0, 255, (60, 2)), RANDOM.uniform(0, 200, (60, 2)))
    assert not beside(tmp_path, RANDOM.normal(0, 1, (60, 2)), RANDOM.normal(0.3, 1.5, (60, 2)))
    outlier = RANDOM.normal(0, 1, (600, 2))
    outlier[5] = 1e6  # one of many
    assert not beside(tmp_path, RANDOM.normal(0, 1, (300, 2)), outlier)


def test_numbers_of_words_have_no_range(tmp_path: Path) -> None:
    known = interface(tensor("x", -1, 2, kind="i64"))

    assert not beside(tmp_path, RANDOM.integers(0, 9, (60, 2)), RANDOM.integers(900, 999, (60, 2)), known=known)


def test_bytes_have_one(tmp_path: Path) -> None:
    known = interface(tensor("x", -1, 2, kind="u8"))

    facts = beside(tmp_path, RANDOM.integers(0, 2, (60, 2)), RANDOM.integers(0, 256, (60, 2)), known=known, allowed=60)

    assert "calibration-range" == facts["warnings"][0][0]


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        (np.tile([[1.0, 2.0]], (20, 1)), "the 20 samples of `train` that calibrate are all the same"),
        (np.tile([[1.0, 2.0], [3.0, 4.0]], (10, 1)), "the 20 samples of `train` that calibrate are copies of 2"),
    ],
)
def test_samples_that_are_copies_are_told(tmp_path: Path, rows: Array, text: str) -> None:
    np.savez(tmp_path / "train.npz", x=rows)

    found, facts = checked(tmp_path, tmp_path / "train.npz", alone=True)

    assert ("calibration-copies", text) == tuple(facts["warnings"][0][:2])
    assert [text] == found["doubts"]


def test_input_that_never_changes_is_told(tmp_path: Path) -> None:
    known = interface(tensor("x", -1, 2), tensor("mask", -1, 2))
    np.savez(tmp_path / "train.npz", x=RANDOM.random((20, 2)), mask=np.zeros((20, 2)))

    _, facts = checked(tmp_path, tmp_path / "train.npz", known, alone=True)

    assert "all values of `mask` are the same in `train`" == facts["warnings"][0][1]


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (1, "`train` has 1 sample to calibrate INT8, and 300 are requested"),
        (20, "`train` has 20 samples to calibrate INT8, and 300 are requested"),
    ],
)
def test_fewer_samples_than_asked_for_are_told(tmp_path: Path, count: int, text: str) -> None:
    np.savez(tmp_path / "train.npz", x=RANDOM.random((count, 2)))

    _, facts = checked(tmp_path, tmp_path / "train.npz", alone=True, samples=300)

    assert ("calibration-few", text) == tuple(facts["warnings"][0][:2])
    assert f"`samples = {count}`" in facts["warnings"][0][3]
    assert not checked(tmp_path, tmp_path / "train.npz", alone=True, samples=10 * count)[1]


def test_number_that_the_ovfile_gives_is_wanted_whole(tmp_path: Path) -> None:
    np.savez(tmp_path / "train.npz", x=RANDOM.random((20, 2)))
    written = {"samples_written": True}

    assert not checked(tmp_path, tmp_path / "train.npz", MODEL, alone=True, samples=20, **written)[1]
    assert (
        "calibration-few"
        == checked(tmp_path, tmp_path / "train.npz", MODEL, alone=True, samples=21, **written)[1]["warnings"][0][0]
    )


def test_the_weightiest_comes_first_and_the_others_are_notes(tmp_path: Path) -> None:
    facts = beside(tmp_path, np.tile([[1.0, 0.0]], (20, 1)), RANDOM.uniform(0, 255, (60, 2)), samples=300)

    code, _, notes, _, _ = facts["warnings"][0]
    assert "calibration-range" == code
    assert ["all the same", "300 are requested"] == [
        next(part for part in ("all the same", "300 are requested") if note.endswith(part)) for note in notes
    ]


LOADER = """
import numpy as np
def val():
    for row in np.random.default_rng({seed}).random((40, 2)):
        yield row
"""


def test_what_a_loader_yielded_is_left_for_quantize(tmp_path: Path) -> None:
    (tmp_path / "data.py").write_text(LOADER.format(seed=0))

    checked(tmp_path, tmp_path / "data.py", MODEL, alone=True)

    passed = json.loads((tmp_path / "passed").read_bytes())
    assert (40 * DIGITS, "") == (len(passed["samples"]), passed["labels"])


def test_files_leave_nothing(tmp_path: Path) -> None:
    np.savez(tmp_path / "train.npz", x=ROWS)

    checked(tmp_path, tmp_path / "train.npz", alone=True)

    assert json.loads((tmp_path / "passed").read_bytes()) is None
