"""Links in `.ovmake/` and `build/` of a cloned repo: no command follows one out of the repo."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.attacks.stranger import EACH, Stranger

# Where a link stands -> what it leads to, below the user's home.
IN_THE_STATE = {
    ".ovmake": ".ssh",
    ".ovmake/lock": ".ssh/authorized_keys",
    ".ovmake/stamp": ".ssh/authorized_keys",
    ".ovmake/.stamp.tmp": ".ssh/authorized_keys",
    ".ovmake/.gitignore": ".ssh/authorized_keys",
    ".ovmake/state.db": ".ssh/authorized_keys",
    ".ovmake/state.db-wal": ".ssh/authorized_keys",
    ".ovmake/state.db-journal": ".ssh/authorized_keys",
    ".ovmake/state.db.unreadable": ".ssh/authorized_keys",
    ".ovmake/cas": ".ssh",
    ".ovmake/tmp": ".ssh",
    ".ovmake/logs": ".ssh",
    ".ovmake/journals": ".ssh",
    ".ovmake/check": ".ssh",
    ".ovmake/anything": "nowhere",
}
IN_THE_OUTPUTS = {
    "build": "",
    "build/m": "",
    "build/report": "",
    "build/m/fp32": "",
    "build/m/fp32/m.xml": "m.xml",
    "build/m/.fp32.1.old": ".ssh",
    "build/m/.fp32.1.new": ".ssh",
    "build/report/index.html": "index.html",
    "build/report/.index.html.tmp": "index.html",
}
COMMANDS = ("status", "explain", "build -n", "build", "report --no-measure", "gc", "clean", "clean --all")


def put_link(stranger: Stranger, place: str, leads_to: str) -> None:
    link = stranger.repo / place
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(stranger.home / leads_to)


@pytest.mark.parametrize("by", EACH)
@pytest.mark.parametrize(("place", "leads_to"), IN_THE_STATE.items(), ids=IN_THE_STATE.keys())
def test_link_in_the_state_is_refused_by_every_command_before_anything_is_touched(
    place: str, leads_to: str, by: str, tmp_path: Path
) -> None:
    stranger = Stranger(tmp_path / "x")
    put_link(stranger, place, leads_to)

    # Any two of them would do for most; the rest of the commands open the repo in the same way.
    for words in ("status", "clean --all"):
        done = stranger.run(*words.split(), by=by)

        assert (1, "") == (done.status, done.stdout)
        assert done.stderr.startswith(f"error[foreign-entry]: `{place}` is a link; ovmake did not make it\n")
        stranger.home_is_untouched()
    assert (stranger.repo / place).is_symlink()


@pytest.mark.heavy
@pytest.mark.parametrize("by", EACH)
@pytest.mark.parametrize("words", COMMANDS)
def test_no_command_follows_any_link_in_the_outputs(words: str, by: str, tmp_path: Path) -> None:
    for number, (place, leads_to) in enumerate(IN_THE_OUTPUTS.items()):
        stranger = Stranger(tmp_path / str(number))
        put_link(stranger, place, leads_to)

        stranger.run(*words.split(), by=by)

        stranger.home_is_untouched()


@pytest.mark.parametrize("words", ["clean", "report --no-measure"])
def test_folder_of_reports_that_is_a_link_is_named(words: str, tmp_path: Path) -> None:
    stranger = Stranger(tmp_path / "x")
    put_link(stranger, "build/report", "")

    done = stranger.run(*words.split())

    assert done.status == 1
    assert "error[foreign-entry]: `build/report` is a link" in done.stderr
    assert "--allow-outside" in done.stderr


OUTSIDE = "the build folder `{0}` is a link that leaves the repo"


@pytest.mark.parametrize("words", ["build", "build -n", "status", "clean", "gc", "report --no-measure"])
@pytest.mark.parametrize(
    ("named", "place", "said"),
    [
        ("", "build", "error[path-outside]: " + OUTSIDE.format("build") + "\n"),
        ('build-dir = "out/ir"\n', "out/ir", "error[path-outside]: " + OUTSIDE.format("out/ir") + "\n --> Ovfile:1:13"),
        ('build-dir = "out/ir"\n', "out", "error[path-outside]: " + OUTSIDE.format("out") + "\n --> Ovfile:1:13"),
    ],
)
def test_build_folder_that_is_a_link_out_of_the_repo_is_refused_before_anything_is_done(
    words: str, named: str, place: str, said: str, tmp_path: Path
) -> None:
    stranger = Stranger(tmp_path / "x")
    (stranger.repo / "Ovfile").write_text(named + (stranger.repo / "Ovfile").read_text())
    put_link(stranger, place, "")

    done = stranger.run(*words.split())

    assert (1, "") == (done.status, done.stdout)
    assert done.stderr.startswith(said)
    assert "help: run ovmake with --allow-outside if you trust it" in done.stderr
    assert not (stranger.repo / ".ovmake").exists()
    stranger.home_is_untouched()


def test_build_folder_that_is_a_link_is_followed_where_the_user_says_so(tmp_path: Path) -> None:
    stranger = Stranger(tmp_path / "x")
    put_link(stranger, "build", "")

    assert stranger.run("status", "--allow-outside").status == 0


@pytest.mark.parametrize("make", [lambda path: path.write_text("x"), os.mkfifo], ids=["file", "pipe"])
@pytest.mark.parametrize("words", ["build", "build -n", "status", "report --no-measure"])
def test_build_folder_that_is_a_file_is_named(words: str, make: Callable[[Path], object], tmp_path: Path) -> None:
    stranger = Stranger(tmp_path / "x")
    make(stranger.repo / "build")

    done = stranger.run(*words.split())

    assert (1, "") == (done.status, done.stdout)
    assert done.stderr == (
        "error[build-dir]: outputs cannot go to `build`: it is not a folder\n"
        'help: move it away, or name another folder at the top of the Ovfile: `build-dir = "FOLDER"`\n'
    )


@pytest.mark.heavy
def test_log_that_is_a_link_is_removed_and_not_followed(tmp_path: Path) -> None:
    stranger = Stranger(tmp_path / "x")
    for name in ("convert-m.log", "publish-m-fp32.log", "worker-openvino.log", "worker-tensorflow.log"):
        put_link(stranger, f".ovmake/logs/{name}", ".ssh/authorized_keys")

    done = stranger.run("build")

    assert done.status == 1
    stranger.home_is_untouched()


def test_hard_link_is_not_written_in_place(tmp_path: Path) -> None:
    stranger = Stranger(tmp_path / "x")
    (stranger.repo / ".ovmake").mkdir()
    os.link(stranger.home / ".ssh/authorized_keys", stranger.repo / ".ovmake/lock")

    done = stranger.run("status")

    assert done.status == 1
    assert "`.ovmake/lock` has 2 names (hard links)" in done.stderr
    assert (stranger.home / ".ssh/authorized_keys").read_bytes().startswith(b"ssh-ed25519")
