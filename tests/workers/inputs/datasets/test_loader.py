"""A user's loader in its own process: what it may yield, and what becomes of its mistakes."""

from __future__ import annotations

import time
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest

from ovmake.errors import ActionError
from ovmake.workers.inputs.datasets import spooling
from ovmake.workers.inputs.samples import Samples
from ovmake.workers.ipc.protocol import Request
from tests.workers.inputs.datasets.models import interface, labels, samples, tensor, values

X = interface(tensor("x", -1, 2))


def load(folder: Path, code: str, **params: object) -> Samples:
    (folder / "data.py").write_text(dedent(code))
    return samples(X, folder / "data.py", loader="val", **params)


def test_bare_arrays_with_labels(tmp_path: Path) -> None:
    read = load(
        tmp_path,
        """
        def val():
            for n in range(100):
                yield [n, n + 0.5], n % 3
        """,
    )

    assert [[n, n + 0.5] for n in range(100)] == values(read, "x").tolist()
    assert [n % 3 for n in range(100)] == labels(read)


def test_dicts_without_labels_by_other_names_and_with_a_limit(tmp_path: Path) -> None:
    read = load(
        tmp_path,
        """
        import numpy as np
        def val():
            return [{"a": np.full(2, n), "unused": np.zeros(7)} for n in range(10)]
        """,
        inputs__x="a",
        limit=4,
    )

    (feed,) = read.feeds()
    assert (np.random.default_rng(0).permutation(10)[:4].tolist(), None) == (
        feed.inputs["x"][:, 0].tolist(),
        feed.labels,
    )


def test_modules_beside_the_file_can_be_imported(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("def rows():\n    return [[1, 2]]\n")

    assert [[1, 2]] == values(load(tmp_path, "import helper\ndef val():\n    yield from helper.rows()\n"), "x").tolist()


def test_labels_that_are_no_numbers_come_as_they_are(tmp_path: Path) -> None:
    read = load(
        tmp_path,
        """
        import numpy as np
        def val():
            yield [1, 2], {"boxes": np.zeros((1, 4)), "classes": [3]}
            yield [1, 2], {"boxes": np.ones((2, 4)), "classes": [4, 5]}
        """,
    )

    first, second = labels(read)
    assert {"boxes": [[0, 0, 0, 0]], "classes": [3]} == first
    assert isinstance(second, dict)
    assert [4, 5] == second["classes"]


def test_nothing_is_left_on_the_disk(tmp_path: Path) -> None:
    read = load(tmp_path, "def val():\n    yield [1, 2]\n")

    assert 1 == read.count
    assert ["data.py"] == [path.name for path in tmp_path.iterdir() if path.name != "__pycache__"]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("def other(): pass\n", "`data.py` has no function `val`"),
        ("def val():\n    return 3\n", "`data.py:val` returned int, which does not yield samples"),
        ("def val():\n    return iter(())\n", "`data.py:val` yielded no samples"),
        ("def val():\n    yield {}, 1\n", "sample 0 of the loader is an empty dict"),
        ("def val(split):\n    yield [1, 2]\n", r"`data.py:val` failed: TypeError: val\(\) missing 1 required"),
        ("import nothing_like_it\n", "`data.py:val` failed: ModuleNotFoundError"),
        ("def val(:\n", "`data.py:val` failed: SyntaxError"),
        ("def val():\n    yield 'word'\n", "sample 0 of the loader is str, which is not an array of numbers"),
        ("def val():\n    yield [1, 2], 3, 4\n", "sample 0 of the loader is tuple, which is not an array of numbers"),
        ("def val():\n    yield {'x': [1, 2]}\n    yield {'x': [1]}\n", r"sample 1 of the loader is `x` int64 \[1\]"),
        ("def val():\n    yield [1, 2], 0\n    yield [1, 2]\n", "sample 1 of the loader has no label"),
        ("def val():\n    yield [1, 2, 3]\n", r"sample has shape \[3\] \(the loader's arrays\), input `x` wants \[2\]"),
        ("import os\ndef val():\n    os._exit(3)\n", "the process of `data.py:val` ended with exit status 3"),
        ("import sys\ndef val():\n    sys.exit(3)\n", "`data.py:val` failed: SystemExit: 3"),
        ("def val():\n    yield [1, 2]\n    raise KeyboardInterrupt\n", "failed after 1 sample: KeyboardInterrupt$"),
        (
            "import os\ndef val():\n    yield [1, 2]\n    os.abort()\n",
            "the process of `data.py:val` was killed by SIGABRT",
        ),
        ("def val():\n    breakpoint()\n    yield [1, 2]\n", "`data.py:val` failed: BdbQuit"),
        ("def val():\n    yield [1, int(input())]\n", "`data.py:val` failed: EOFError"),
        ("def val():\n    yield [10**400, 1]\n", "sample 0 of the loader is list, which is not an array of numbers"),
        (
            "def val():\n    yield [1, 2], {'a': 10**9999}\n",
            "the label of sample 0 of the loader, dict, cannot be stored",
        ),
        (
            "def val():\n    yield [1, 2], {'a': object()}\n",
            "the label of sample 0 of the loader, dict, cannot be stored",
        ),
        (
            "import os, contextlib\ndef val():\n    with contextlib.suppress(OSError):\n        for fd in range(3, 9): os.write(fd, b'noise')\n    yield [1, 2]\n",  # noqa: E501
            "the process of `data.py:val` gave no answer: its answer channel has other output",
        ),
    ],
)
def test_mistake_is_a_diagnostic_that_points_at_the_loader(tmp_path: Path, code: str, message: str) -> None:
    with pytest.raises(ActionError, match=message) as caught:
        load(tmp_path, code)

    assert "dataset" == caught.value.setting


def test_what_a_loader_prints_and_closes_is_its_own_affair(tmp_path: Path) -> None:
    read = load(
        tmp_path,
        """
        import os, sys
        def val():
            print("hello")
            os.write(1, b"hello")
            yield [1, 2]
            sys.stdout.close()
            os.close(1)
        """,
    )

    assert [[1, 2]] == values(read, "x").tolist()


def test_arrays_that_a_loader_fills_again_and_again_are_copied(tmp_path: Path) -> None:
    read = load(
        tmp_path,
        """
        import numpy as np
        def val():
            x, y = np.zeros(2), np.zeros((), int)
            for n in range(3):
                x[:] = y[...] = n
                yield x, y
        """,
    )

    assert ([[0, 0], [1, 1], [2, 2]], [0, 1, 2]) == (values(read, "x").tolist(), labels(read))


ENDLESS = """
import itertools
def val():
    for n in itertools.count():
        yield [n, n], n
"""


def test_loader_without_end_has_one_by_its_limit(tmp_path: Path) -> None:
    read = load(tmp_path, ENDLESS, limit=7)

    assert np.random.default_rng(0).permutation(70)[:7].tolist() == labels(read)


@pytest.mark.parametrize(
    ("attribute", "most", "message"),
    [
        ("MOST", 1000, "`data.py:val` has yielded 1,000 samples so far, and has not ended"),
        ("ROOM", 1e-9, "samples so far, 0.0 GB, and the disk is nearly full, and has not ended"),
    ],
)
def test_loader_without_end_or_limit_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attribute: str, most: float, message: str
) -> None:
    (tmp_path / "data.py").write_text(ENDLESS)
    (tmp_path / "spooled").mkdir()
    monkeypatch.setattr(spooling, attribute, most)
    asked = Request(
        id=1,
        kind="spool",
        params={"function": "val", "limit": None, "note": ""},
        inputs={"loader": str(tmp_path / "data.py")},
        outputs={"folder": str(tmp_path / "spooled")},
    )

    with pytest.raises(ActionError, match=message) as caught:
        spooling.spool(asked)

    assert "if it is endless, set `limit = 5000` in the dataset's table" in caught.value.help


def test_samples_so_far_are_noted_and_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spool = spooling.Spool(folder=tmp_path, called="data.py:val", room_bytes=1000, count=12_345)
    clock = iter([spool.printed + 9.0, spool.printed + 9.5, spool.printed + 10.5])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    seen = []

    for count in (12_345, 12_400, 20_000):
        spool.count = count
        spool.tell(str(tmp_path / "note"))
        seen.append((tmp_path / "note").read_text())

    assert ["running\tdata.py:val\t12345\n"] * 2 + ["running\tdata.py:val\t20000\n"] == seen
    assert "data.py:val: 20,000 samples so far\n" == capsys.readouterr().out


@pytest.mark.parametrize("batch", [-1, 1, 4])
def test_loader_that_yields_batches_is_told_to_yield_samples(tmp_path: Path, batch: int) -> None:
    code = "import numpy as np\ndef val():\n    for n in range(3):\n        yield np.full((8, 2), n), [n] * 8\n"
    (tmp_path / "data.py").write_text(code)

    with pytest.raises(ActionError) as caught:
        samples(interface(tensor("x", batch, 2)), tmp_path / "data.py", loader="val")

    assert "a loader yields one sample at a time, without the batch" in caught.value.help
    if batch == -1:
        assert ("dataset-batch", "`data.py:val` yields batches of 8 samples") == (
            caught.value.code,
            caught.value.message,
        )


def test_batch_of_the_models_own_size_is_one_as_well(tmp_path: Path) -> None:
    (tmp_path / "data.py").write_text("import numpy as np\ndef val():\n    yield np.ones((8, 2))\n")

    with pytest.raises(ActionError, match="yields batches of 8 samples"):
        samples(interface(tensor("x", 8, 2)), tmp_path / "data.py", loader="val")


def test_batch_of_one_is_a_sample(tmp_path: Path) -> None:
    (tmp_path / "data.py").write_text("import numpy as np\ndef val():\n    yield np.ones((1, 2))\n")

    assert 1 == samples(X, tmp_path / "data.py", loader="val").count


def test_model_without_a_batch_takes_its_inputs_whole(tmp_path: Path) -> None:
    code = "import numpy as np\ndef val():\n    yield {'x': np.ones((8, 2)), 'y': np.ones(3)}\n"
    (tmp_path / "data.py").write_text(code)

    read = samples(interface(tensor("x", 8, 2), tensor("y", 3)), tmp_path / "data.py", loader="val")

    (feed,) = read.feeds()
    assert ((8, 2), (3,)) == (feed.inputs["x"].shape, feed.inputs["y"].shape)


def test_batch_that_is_smaller_than_the_first_is_told_to_be_samples(tmp_path: Path) -> None:
    with pytest.raises(ActionError, match="sample 1 of the loader is int64 \\[1, 2\\]") as caught:
        load(tmp_path, "def val():\n    yield [[1, 2], [3, 4]]\n    yield [[5, 6]]\n")

    assert "a loader yields one sample at a time" in caught.value.help


def test_samples_in_another_layout_are_told_which_one_the_input_takes(tmp_path: Path) -> None:
    (tmp_path / "data.py").write_text("import numpy as np\ndef val():\n    yield np.zeros((4, 5, 3))\n")

    with pytest.raises(ActionError, match=r"sample has shape \[4, 5, 3\]") as caught:
        samples(interface(tensor("x", -1, 3, 4, 5)), tmp_path / "data.py", loader="val")

    assert "store samples in the input's layout, [3, 4, 5], or change its `layout`" == caught.value.help


def test_exception_shows_where_in_the_users_code(tmp_path: Path) -> None:
    with pytest.raises(ActionError, match="failed after 2 samples: ZeroDivisionError") as caught:
        load(tmp_path, "def val():\n    for n in (2, 1, 0):\n        yield [n, 1 // n]\n")

    assert ("data.py:3, in val: yield [n, 1 // n]",) == caught.value.notes
