"""The stamp follows the links that the walk over a source follows, and no further."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ovmake.project import stamp


@pytest.mark.timeout(20)
def test_links_that_lead_back_up_are_followed_once(tmp_path: Path) -> None:
    (tmp_path / "m/variables").mkdir(parents=True)
    for name in ("one", "two", "three"):
        (tmp_path / "m" / name).symlink_to(".", target_is_directory=True)

    folders = stamp.folders_of(str(tmp_path), "m")

    assert {"m", "m/variables"} <= set(folders)


def test_state_of_a_file_rewritten_with_its_old_time_is_another(tmp_path: Path) -> None:
    file = tmp_path / "m.pb"
    states = []
    for data in (b"a", b"b"):
        file.write_bytes(data)
        os.utime(file, ns=(0, 0))
        states.append(stamp.state_of(str(file)))

    assert states[0] != states[1]
