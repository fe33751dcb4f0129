"""The stamp says "fresh" only while nothing it rests on has changed, and tells whose files did."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ovmake import ledger
from ovmake.names import DATABASE, STAMP
from ovmake.project import stamp
from ovmake.project.stamp import Stamp
from ovmake.seal import SEAL_BYTES, VARIABLE, keep_key

KEY = "Ovfile False"
TARGETS = {"digits": ["digits:fp32", "digits:int8"], "cats": ["cats:fp32"], "null": ["null:fp32"]}
FILES = {
    "digits": ["digits/model.pb", "build/digits.xml"],
    "cats": ["cats.tflite", "build/cats.xml"],
    "null": ["null.pb"],
}
TEXT = "content"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A folder with three models, their outputs, and a stamp that knows all of them."""
    folder = tmp_path / "repo"
    folder.mkdir()
    for name in ("Ovfile", "data.npz", DATABASE, *(name for names in FILES.values() for name in names)):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(TEXT)
    assert write(folder)
    return folder


def write(
    folder: Path, *, looked_ns: int | None = None, without: tuple[str, ...] = (), around: ledger.Files | None = None
) -> bool:
    """Write a stamp of the folder as it is, in which nothing is known of the models in `without`."""
    looked_ns = ledger.after_a_tick() if looked_ns is None else looked_ns

    def states(names: list[str]) -> ledger.Files:
        return {name: ledger.state_of(str(folder / name)) for name in names}

    files = {model: [*([model] if (folder / model).is_dir() else []), *names] for model, names in FILES.items()}
    data = stamp.encoded(
        key=KEY,
        secret=keep_key()[0],
        ovfile=("Ovfile", ledger.state_of(str(folder / "Ovfile")), TEXT, looked_ns),
        shared=states(["data.npz"]),
        models={model: (TARGETS[model], None if model in without else states(files[model])) for model in TARGETS},
        looked_ns=looked_ns,
        around=stamp.around() if around is None else around,
    )
    if data is not None:
        (folder / STAMP).write_bytes(data)
    return data is not None


def known(folder: Path, key: str = KEY) -> Stamp:
    """Return what the stamp says; it must say something."""
    found = stamp.look(str(folder), key)
    assert found is not None
    return found


def test_nothing_changed_means_fresh(repo: Path) -> None:
    there = known(repo)

    assert (4, frozenset(), False) == (there.fresh([]), there.stale, there.edited)
    assert TEXT == there.text


def test_working_folder_is_the_same_afterwards(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repo.parent)

    assert 4 == known(Path("repo")).fresh([])
    assert str(repo.parent) == os.getcwd()  # noqa: PTH109
    assert stamp.look("nowhere", KEY) is None
    assert str(repo.parent) == os.getcwd()  # noqa: PTH109


def test_targets_are_counted_by_name_and_by_model(repo: Path) -> None:
    there = known(repo)

    assert 2 == there.fresh(["digits"])
    assert 2 == there.fresh(["digits:int8", "cats"])


def test_unknown_target_is_left_to_the_full_look(repo: Path) -> None:
    assert known(repo).fresh(["digits", "dogs"]) is None
    assert known(repo).named(["dogs"]) is None


def same_size(path: Path) -> None:
    """Write as many other bytes."""
    path.write_text("CONTENT")


def replaced_keeping_times(path: Path) -> None:
    """Put another file in its place, with the same size and time."""
    found = path.stat()
    other = path.parent.parent / "other"
    other.write_text("CONTENT")
    os.utime(other, ns=(found.st_atime_ns, found.st_mtime_ns))
    other.replace(path)


OF_ONE_MODEL: dict[str, Callable[[Path], object]] = {
    "a source is edited": lambda repo: same_size(repo / "digits/model.pb"),
    "a source is touched": lambda repo: os.utime(repo / "digits/model.pb"),
    "a source is deleted": lambda repo: (repo / "digits/model.pb").unlink(),
    "a file appears in a source folder": lambda repo: (repo / "digits/new").touch(),
    "an output is edited": lambda repo: same_size(repo / "build/digits.xml"),
    "an output is deleted": lambda repo: (repo / "build/digits.xml").unlink(),
    "an output is replaced": lambda repo: replaced_keeping_times(repo / "build/digits.xml"),
}


@pytest.mark.parametrize("change", OF_ONE_MODEL.values(), ids=OF_ONE_MODEL.keys())
def test_change_of_one_model_leaves_the_others_fresh(change: Callable[[Path], object], repo: Path) -> None:
    change(repo)

    there = known(repo)

    assert frozenset({"digits"}) == there.stale
    assert (None, None, None) == (there.fresh([]), there.fresh(["digits:fp32"]), there.fresh(["cats", "digits"]))
    assert 1 == there.fresh(["cats"])
    assert {"digits": None} == {model: files for model, (_, files) in there.models().items() if files is None}


OF_ALL: dict[str, Callable[[Path], object]] = {
    "the state is deleted": lambda repo: (repo / DATABASE).unlink(),
    "what several models read is edited": lambda repo: same_size(repo / "data.npz"),
    "what several models read is gone": lambda repo: (repo / "data.npz").unlink(),
    "the stamp is torn": lambda repo: (repo / STAMP).write_bytes((repo / STAMP).read_bytes()[:-1]),
    "the stamp is short": lambda repo: (repo / STAMP).write_bytes((repo / STAMP).read_bytes()[:9]),
    "the stamp is empty": lambda repo: (repo / STAMP).write_bytes(b""),
    "the stamp is zeros": lambda repo: (repo / STAMP).write_bytes(bytes(1000)),
    "the stamp is of another format": lambda repo: replace(repo / STAMP, f"{stamp.FORMAT} ".encode(), b"9 "),
    "the stamp's paths are torn": lambda repo: replace(repo / STAMP, b"cats.tflite\0", b"cats.tflite/"),
    "the stamp is forgotten": lambda repo: (repo / STAMP).unlink(),
}


def replace(path: Path, old: bytes, new: bytes) -> None:
    """Change the first of these bytes."""
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new, 1))


@pytest.mark.parametrize("change", OF_ALL.values(), ids=OF_ALL.keys())
def test_change_of_what_all_rest_on_ends_in_the_full_look(change: Callable[[Path], object], repo: Path) -> None:
    change(repo)

    assert stamp.look(str(repo), KEY) is None


def test_edited_ovfile_leaves_the_old_text_and_what_is_known_of_the_models(repo: Path) -> None:
    same_size(repo / "Ovfile")

    there = known(repo)

    assert (True, frozenset(), TEXT) == (there.edited, there.stale, there.text)
    assert (None, None) == (there.fresh([]), there.fresh(["cats"]))


def test_model_that_is_not_known_to_be_fresh_is_stale(repo: Path) -> None:
    assert write(repo, without=("cats",))

    there = known(repo)

    assert frozenset({"cats"}) == there.stale
    assert (None, 2) == (there.fresh([]), there.fresh(["digits"]))


def test_what_was_written_is_read_back(repo: Path) -> None:
    there = known(repo)

    assert {"data.npz": ledger.state_of(str(repo / "data.npz"))} | stamp.around() == there.shared()
    names = {model: (targets, sorted(files or ())) for model, (targets, files) in there.models().items()}
    assert {
        "digits": (TARGETS["digits"], ["build/digits.xml", "digits", "digits/model.pb"]),
        "cats": (TARGETS["cats"], ["build/cats.xml", "cats.tflite"]),
        "null": (TARGETS["null"], ["null.pb"]),
    } == names


def test_another_ovfile_of_the_folder_has_no_stamp(repo: Path) -> None:
    assert stamp.look(str(repo), "Other False") is None
    assert stamp.look(str(repo), "Ovfile True") is None


def test_file_written_within_a_tick_of_the_look_makes_its_model_unknown(repo: Path) -> None:
    same_size(repo / "build/cats.xml")

    assert write(repo, looked_ns=time.time_ns())

    assert frozenset({"cats"}) == known(repo).stale


def test_ovfile_written_within_a_tick_of_the_look_gets_no_stamp(repo: Path) -> None:
    (repo / STAMP).unlink()
    same_size(repo / "Ovfile")

    written = write(repo, looked_ns=time.time_ns())

    assert written is False
    assert not (repo / STAMP).exists()


def test_other_packages_installed_end_in_the_full_look(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = tmp_path / "packages"
    packages.mkdir()
    monkeypatch.setattr("sys.path", [*sys.path, str(packages)])
    assert write(repo)

    (packages / "openvino-2026.5.0.dist-info").mkdir()

    assert stamp.look(str(repo), KEY) is None


def test_console_script_and_module_share_a_stamp(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, *others = sys.path
    monkeypatch.setattr("sys.path", ["/the/script's/folder", *others])

    assert first != sys.path[0]
    assert 4 == known(repo).fresh([])


def test_other_code_ends_in_the_full_look(repo: Path, tmp_path: Path) -> None:
    code = tmp_path / "code.py"
    code.touch()
    assert write(repo, around={str(code): ledger.state_of(str(code))})
    assert stamp.look(str(repo), KEY) is not None

    code.write_text("other = True")

    assert stamp.look(str(repo), KEY) is None


def test_time_before_1970_is_a_time(repo: Path) -> None:
    os.utime(repo / "cats.tflite", ns=(-1_000_000_000, -1_000_000_000))

    assert write(repo)

    assert 4 == known(repo).fresh([])


def test_inode_of_64_bits_gets_no_stamp(repo: Path) -> None:
    assert not write(repo, around={"somewhere": (0, 0, 0, 1 << 63)})


def test_stamp_of_another_user_says_nothing(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert stamp.look(str(repo), KEY) is not None

    monkeypatch.setenv(VARIABLE, "somebody else, elsewhere")

    assert stamp.look(str(repo), KEY) is None


def test_stamp_of_which_a_bit_was_changed_says_nothing(repo: Path) -> None:
    place = repo / STAMP
    data = place.read_bytes()

    for at in (0, SEAL_BYTES - 1, SEAL_BYTES, len(data) // 2, len(data) - 1):
        place.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        assert stamp.look(str(repo), KEY) is None


@pytest.mark.timeout(20)
@pytest.mark.parametrize("kind", ["link", "endless", "pipe", "huge"])
def test_stamp_that_is_no_file_of_ours_says_nothing_and_keeps_nobody_waiting(kind: str, repo: Path) -> None:
    place = repo / STAMP
    data = place.read_bytes()
    place.unlink()
    if kind == "link":
        (repo / "elsewhere").write_bytes(data)
        place.symlink_to(repo / "elsewhere")
    elif kind == "endless":
        place.symlink_to("/dev/zero")
    elif kind == "pipe":
        os.mkfifo(place)
    else:
        with place.open("wb") as file:
            file.truncate(1 << 40)

    assert stamp.look(str(repo), KEY) is None
