"""What a walk over a source notes in its ledger: every folder, links followed; and what a state tells apart."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ovmake import ledger
from ovmake.store.files.disk import RealDisk


@pytest.mark.timeout(20)
def test_links_that_lead_back_up_are_followed_once(tmp_path: Path) -> None:
    (tmp_path / "m/variables").mkdir(parents=True)
    for name in ("one", "two", "three"):
        (tmp_path / "m" / name).symlink_to(".", target_is_directory=True)

    noted: ledger.Files = {}
    RealDisk(tmp_path).walk("m", noted.setdefault)

    assert {"m", "m/variables"} <= set(noted)


def test_folder_and_every_file_is_noted_and_a_link_to_nothing_as_absent(tmp_path: Path) -> None:
    (tmp_path / "m/empty").mkdir(parents=True)
    (tmp_path / "m/saved_model.pb").write_text("graph")
    (tmp_path / "m/nowhere").symlink_to("gone")

    noted: ledger.Files = {}
    RealDisk(tmp_path).walk("m", noted.setdefault)

    there = {path: ledger.state_if_any(str(tmp_path / path)) for path in noted}
    assert {"m", "m/empty", "m/saved_model.pb", "m/nowhere"} == set(noted)
    assert there == noted
    assert ledger.ABSENT == noted["m/nowhere"]


def test_what_is_not_there_is_noted_too(tmp_path: Path) -> None:
    noted: ledger.Files = {}

    assert RealDisk(tmp_path).stat("m.pb", noted.setdefault) is None
    assert {"m.pb": ledger.ABSENT} == noted


def test_no_decision_rests_on_a_folder_of_ours(tmp_path: Path) -> None:
    (tmp_path / "build/m").mkdir(parents=True)

    noted: ledger.Files = {}
    RealDisk(tmp_path).walk("build/m", noted.setdefault)

    assert {"build/m": ledger.ABSENT} == noted


def test_the_first_look_counts() -> None:
    seen = ledger.Ledger()
    for number in (1, 2):
        seen.of("m").setdefault("m", (number, 0, 0, 0))

    assert {"m": (1, 0, 0, 0)} == seen.of("m")


def test_state_of_a_file_rewritten_with_its_old_time_is_another(tmp_path: Path) -> None:
    file = tmp_path / "m.pb"
    states = []
    for data in (b"a", b"b"):
        file.write_bytes(data)
        os.utime(file, ns=(0, 0))
        states.append(ledger.state_of(str(file)))

    assert states[0] != states[1]
