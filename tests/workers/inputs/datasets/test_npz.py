"""Arrays in .npz and .npy: mapped, unpacked or read, and the same in every case."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ovmake.errors import ActionError
from ovmake.workers.inputs.datasets import npz
from ovmake.workers.inputs.datasets.columns import Given
from tests.workers.inputs.datasets.models import interface, labels, params_of, request, samples, tensor, values

X = interface(tensor("x", -1, 3))
ROWS = np.arange(12, dtype=np.float32).reshape(4, 3)


@pytest.mark.parametrize("large", [0, 1 << 30])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_stored_and_deflated_arrays_are_read_alike(
    tmp_path: Path, save: object, order: str, large: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(npz, "LARGE_BYTES", large)
    array = np.asarray(ROWS, order="F" if order == "F" else "C")
    assert callable(save)
    save(tmp_path / "d.npz", x=array, y=np.arange(4))

    read = samples(X, tmp_path / "d.npz", labels="y")

    assert np.array_equal(ROWS, values(read, "x"))
    assert [0, 1, 2, 3] == labels(read)


def test_npy_feeds_the_input_without_a_name(tmp_path: Path) -> None:
    np.save(tmp_path / "d.npy", ROWS)

    assert np.array_equal(ROWS, values(samples(X, tmp_path / "d.npy"), "x"))


def test_npy_has_no_labels(tmp_path: Path) -> None:
    np.save(tmp_path / "d.npy", ROWS)

    with pytest.raises(ActionError, match=r"no array `y` for its labels: an \.npy contains one array"):
        samples(X, tmp_path / "d.npy", labels="y")


def test_pickled_array_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", allow_pickle=True, x=np.array([{}, {}], dtype=object))

    with pytest.raises(ActionError, match="cannot read the samples: object arrays"):
        samples(X, tmp_path / "d.npz")


def test_file_that_ends_early_is_unreadable(tmp_path: Path) -> None:
    np.save(tmp_path / "d.npy", ROWS)
    whole = (tmp_path / "d.npy").read_bytes()
    (tmp_path / "d.npy").write_bytes(whole[:-4])

    with pytest.raises(ActionError, match="cannot read the samples"):
        samples(X, tmp_path / "d.npy")


def test_array_without_rows_is_an_empty_dataset(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", x=ROWS[:0])

    with pytest.raises(ActionError, match="has no samples"):
        samples(X, tmp_path / "d.npz")


def test_limit_is_the_first_of_a_seeded_shuffle_with_its_labels(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", x=np.repeat(np.arange(100.0)[:, np.newaxis], 3, axis=1), y=np.arange(100))

    read = samples(X, tmp_path / "d.npz", labels="y", limit=10)

    expected = np.random.default_rng(0).permutation(100)[:10].tolist()
    assert expected == labels(read) == values(read, "x")[:, 0].tolist()


STREAM = """
import resource
import sys
from pathlib import Path
from tests.workers.inputs.datasets.models import interface, samples, tensor
read = samples(interface(tensor("x", -1, 1 << 17, kind="u8")), Path(sys.argv[1]))
taken = next(int(line.split()[1]) << 10 for line in open("/proc/self/status") if line.startswith("VmData"))
resource.setrlimit(resource.RLIMIT_DATA, (taken + int(sys.argv[2]), taken + int(sys.argv[2])))
print(sum(feed.count for feed in read.feeds()))
"""


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_file_larger_than_the_memory_it_may_take_is_streamed(tmp_path: Path, save: object) -> None:
    assert callable(save)
    save(tmp_path / "d.npz", x=np.zeros((1600, 1 << 17), dtype=np.uint8))

    # 200 MB of samples, and 100 MB more than Python and numpy take: a few feeds of 8 MB, with room to spare.
    done = subprocess.run(
        [sys.executable, "-c", STREAM, str(tmp_path / "d.npz"), str(100 << 20)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[4],
    )

    assert ("1600\n", "") == (done.stdout, done.stderr)


def test_temporary_files_go_beside_the_outputs(tmp_path: Path) -> None:
    asked = replace(request(tmp_path / "d.npz"), outputs={"xml": "/scratch/1/xml"})

    assert "/scratch/1" == Given.of(asked, "dataset", params_of(tmp_path / "d.npz")).scratch
