"""A .keras or .h5 file is looked through before Keras sees it."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from ovmake.errors import ActionError
from ovmake.sources.archives import UNREADABLE
from ovmake.sources.screening.keras_file import LARGEST_CONFIG, screen_file
from tests.workers.hostile_keras import CONFIG, FORMS, archive, changed, h5py, hdf5, lying, sound


def refusal(source: Path, kind: str = "keras") -> str:
    """Return the message that refuses a file."""
    with pytest.raises(ActionError) as caught:
        screen_file(source, kind)
    assert (caught.value.code, caught.value.setting) == ("unsafe-source", "source")
    assert caught.value.help
    return caught.value.message


@pytest.mark.parametrize("form", FORMS)
def test_hdf5_that_leaves_its_file_or_has_no_end_is_refused(tmp_path: Path, form: str) -> None:
    message = refusal(hdf5(tmp_path / "m.h5", form), "keras-h5")

    assert message.startswith("`m.h5` is not read: `/")
    assert message.endswith(FORMS[form][1].removeprefix("`"))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("form", FORMS)
def test_so_are_the_weights_in_an_archive(tmp_path: Path, form: str, method: int) -> None:
    weights = hdf5(tmp_path / "w.h5", form).read_bytes()
    source = archive(tmp_path / "m.keras", [("config.json", CONFIG), ("model.weights.h5", weights)], method)

    message = refusal(source)

    assert message.startswith("`model.weights.h5` of `m.keras` is not read: `/")
    assert message.endswith(FORMS[form][1].removeprefix("`"))


def test_what_is_sound_passes(tmp_path: Path) -> None:
    weights = sound(tmp_path / "m.h5")
    source = archive(tmp_path / "m.keras", [("config.json", CONFIG), ("model.weights.h5", weights.read_bytes())])

    screen_file(weights, "keras-h5")
    screen_file(source, "keras")


def test_virtual_dataset_is_refused_without_opening_its_sources(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "secret.h5")  # a read of a pipe that nobody writes to never ends

    assert "such as `secret.h5`" in refusal(hdf5(tmp_path / "m.h5", "virtual"), "keras-h5")


# --- archives -----------------------------------------------------------------------------------------------

SCREEN = """
import resource
import sys
from pathlib import Path
from ovmake.errors import ActionError
from ovmake.sources.screening.keras_file import screen_file
taken = next(int(line.split()[1]) << 10 for line in open("/proc/self/status") if line.startswith("VmData"))
resource.setrlimit(resource.RLIMIT_DATA, (taken + (100 << 20), taken + (100 << 20)))
try:
    screen_file(Path(sys.argv[1]), "keras")
except ActionError as error:
    print(error.message)
"""


def screened(source: Path) -> str:
    """Screen a file in a process that may take 100 MB more than Python and h5py; return what is said."""
    done = subprocess.run(
        [sys.executable, "-c", SCREEN, str(source)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[3],
    )
    return done.stdout or done.stderr


@pytest.fixture(scope="module")
def bomb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A .keras of 300 kB whose config.json has 256 MB."""
    path = tmp_path_factory.mktemp("bomb") / "m.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file, file.open("config.json", "w") as member:
        for _ in range(16):
            member.write(b" " * (1 << 24))
    return path


def test_huge_configuration_is_refused_before_it_is_read(bomb: Path) -> None:
    what = "`config.json` in it has 268,435,456 bytes, and at most 16,777,216 are read"

    assert f"`m.keras` is not read: {what}\n" == screened(bomb)


def test_huge_configuration_that_is_said_to_be_small_is_refused_as_well(bomb: Path, tmp_path: Path) -> None:
    (tmp_path / "m.keras").write_bytes(bomb.read_bytes())

    told = screened(lying(tmp_path / "m.keras", "config.json", LARGEST_CONFIG))

    assert "BadZipFile: Bad CRC-32 for file 'config.json'" in told


def test_member_that_is_said_to_be_larger_than_it_can_be_is_refused(tmp_path: Path) -> None:
    source = archive(tmp_path / "m.keras", [("config.json", CONFIG), ("model.weights.h5", b"w" * 100)])

    message = refusal(lying(source, "model.weights.h5", 0xFFFF_0000))

    assert "`model.weights.h5` in it claims to unpack to 4,294,901,760 bytes, but its" in message


def test_weights_that_unpack_to_a_thousand_times_as_much_are_refused(tmp_path: Path) -> None:
    source = archive(tmp_path / "m.keras", [("config.json", CONFIG), ("model.weights.h5", bytes(1 << 25))])

    message = refusal(source)

    assert message.startswith("`m.keras` is not read: `model.weights.h5` in it unpacks from 3")
    assert message.endswith(" to 33,554,432 bytes, more than weights ever do")


@pytest.mark.parametrize("name", ["../config.json", "/etc/cron.d/x", "a/../../b", "..\\b", "C:\\b"])
def test_name_that_leads_out_of_the_archive_is_refused(tmp_path: Path, name: str) -> None:
    source = archive(tmp_path / "m.keras", [("config.json", CONFIG), (name, b"")])

    assert f"`m.keras` is not read: the name of `{name}` in it leads out of the archive" == refusal(source)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_configuration_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    source = archive(tmp_path / "m.keras", [("config.json", CONFIG), ("config.json", b"{}")])

    assert "`config.json` in it occurs twice, and readers disagree on which of the two counts" in refusal(source)


def test_encrypted_member_is_refused(tmp_path: Path) -> None:
    source = changed(archive(tmp_path / "m.keras", [("config.json", CONFIG)]), "config.json", 8, b"\x01")

    assert "`config.json` in it is encrypted" in refusal(source)


def test_unknown_packing_is_refused(tmp_path: Path) -> None:
    source = changed(archive(tmp_path / "m.keras", [("config.json", CONFIG)]), "config.json", 10, b"\x63")

    assert "`config.json` in it uses an unsupported compression method (99)" in refusal(source)


@pytest.mark.parametrize("depth", [300, 100_000])
@pytest.mark.parametrize("kind", ["keras", "keras-h5"])
def test_configuration_that_is_nested_too_deeply_is_refused(tmp_path: Path, depth: int, kind: str) -> None:
    nested = b'{"a":' * depth + b"1" + b"}" * depth
    source = archive(tmp_path / "m.keras", [("config.json", nested)])
    if kind == "keras-h5":
        with h5py.File(tmp_path / "m.keras", "w", track_order=True) as file:
            file.attrs["model_config"] = nested.decode()

    message = refusal(source, kind)

    assert "`m.keras` is not read: its configuration is nested more than 200 levels deep" == message


def test_damaged_file_is_not_called_hostile(tmp_path: Path) -> None:
    whole = sound(tmp_path / "m.h5").read_bytes()
    (tmp_path / "torn.h5").write_bytes(whole[: len(whole) // 2])

    with pytest.raises(UNREADABLE):
        screen_file(tmp_path / "torn.h5", "keras-h5")
