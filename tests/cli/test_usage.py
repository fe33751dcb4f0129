"""What the command line says to those who use it wrongly: exit status, stdout and stderr, whole.

argparse's usage lines are cut to one word here, for they change with every option and every Python.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OVFILE = '[models.digits]\nsource = "models/digits"\n'
WRONG = '[models.digits]\nsource = 3\nprecision = ["fp32"]\n'
NO_OVFILE_HELP = "help: `ovmake init` writes one; -f FILE or -C DIR names a different one\n"


@dataclass(frozen=True, slots=True)
class Said:
    """What a command printed, and its exit status."""

    status: int
    output: str
    complaint: str


def run(folder: Path, *words: str) -> Said:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", "COLUMNS": "120"}
    done = subprocess.run(
        [sys.executable, "-m", "ovmake", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    complaint = re.sub(r"usage: ovmake.*\n(?: .*\n)*", "[usage]\n", done.stderr.replace(str(folder), "[root]"))
    return Said(done.returncode, done.stdout, complaint)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    (tmp_path / "Ovfile").write_text(OVFILE)
    return tmp_path


def test_folder_that_is_named_by_way_of_another_has_its_sources_inside(repo: Path) -> None:
    (repo / "other").mkdir()

    said = run(repo / "other", "build", "-n", "-C", "..")

    assert "there is no `models/digits`" in said.complaint
    assert "leaves the repo" not in said.complaint


# --- words ------------------------------------------------------------------------------------------------


def test_no_command_shows_the_commands(tmp_path: Path) -> None:
    said = run(tmp_path)

    assert (said.status, said.output) == (2, "")
    assert said.complaint.startswith("[usage]\n\nmake for OpenVINO models\n")
    assert "    build" in said.complaint


@pytest.mark.parametrize(
    ("word", "shown", "hint"),
    [
        ("bulid", "bulid", "did you mean `build`?"),
        ("reprot", "reprot", "did you mean `report`?"),
        ("BUILD", "BUILD", "did you mean `build`?"),
        ("convert", "convert", "did you mean `build`?"),
        ("ls", "ls", "did you mean `status`?"),
        ("digits:int8", "digits:int8", "`ovmake build digits:int8` builds a target"),
        (
            "Ovfile",
            "Ovfile",
            "`ovmake inspect Ovfile` describes a model, `ovmake init Ovfile` writes an Ovfile",
        ),
        ("xyzzy", "xyzzy", "`ovmake help` lists the commands"),
        ("\x1b[31m", "\\x1b[31m", "`ovmake help` lists the commands"),
    ],
)
def test_unknown_command_is_met_with_the_one_that_was_meant(word: str, shown: str, hint: str, repo: Path) -> None:
    expected = f"[usage]\novmake: error: there is no command `{shown}`\nhelp: {hint}\n"

    assert Said(2, "", expected) == run(repo, word)


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (("build", "--keep-gong"), "--keep-going"),
        (("report", "--no-mesure", "m"), "--no-measure"),
        (("gc", "--max_age=30d"), "--max-age"),
        (("status", "--jsn"), "--json"),
    ],
)
def test_unknown_option_is_met_with_the_nearest(words: tuple[str, ...], option: str, repo: Path) -> None:
    wrong = next(word for word in words if word.startswith("--"))

    said = run(repo, *words)

    assert (2, "") == (said.status, said.output)
    assert said.complaint.startswith(f"[usage]\novmake: error: unrecognized arguments: {wrong}")
    assert said.complaint.endswith(f"\nhelp: did you mean `{option}`?\n")


@pytest.mark.parametrize(
    ("word", "shown", "hint"),
    [
        ("bulid", "bulid", "did you mean `build`?"),
        ("gate-mised", "gate-mised", "did you mean `gate-missed`?"),
        ("\x1b[31m", "\\x1b[31m", "`ovmake help` lists the topics"),
    ],
)
def test_unknown_topic_is_met_with_the_one_that_was_meant(word: str, shown: str, hint: str, repo: Path) -> None:
    expected = f"error[unknown-topic]: there is nothing to read about `{shown}`\nhelp: {hint}\n"

    assert Said(2, "", expected) == run(repo, "help", word)


@pytest.mark.parametrize("word", ["build", "gc", "BUILD"])
def test_help_of_a_command_is_what_the_command_says_and_what_to_read(word: str, tmp_path: Path) -> None:
    said = run(tmp_path, "help", word)
    shown = run(tmp_path, word.lower(), "--help")

    assert (0, "") == (said.status, said.complaint)
    assert said.output.startswith(f"{shown.output}\nRead more:\n")
    assert said.output.startswith("usage: ovmake")


def test_help_alone_begins_with_the_commands(tmp_path: Path) -> None:
    said = run(tmp_path, "help")

    assert said.output.startswith(run(tmp_path, "--help").output + "\ntopics:\n")
    assert (0, "") == (said.status, said.complaint)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("build", "-j", "0"), "ovmake build: error: argument -j/--jobs: '0' is not a whole number of at least 1"),
        (("build", "-j"), "ovmake build: error: argument -j/--jobs: expected one argument"),
        (
            ("build", "--timeout", "0"),
            "ovmake build: error: argument --timeout: '0' is not a number of minutes above 0",
        ),
        (
            ("report", "--timeout", "soon"),
            "ovmake report: error: argument --timeout: 'soon' is not a number of minutes above 0",
        ),
        (
            ("debug", "m", "--timeout", "inf"),
            "ovmake debug: error: argument --timeout: 'inf' is not a number of minutes above 0",
        ),
        (
            ("build", "--memory", "8"),
            "ovmake build: error: argument --memory: '8' is not a size such as '8 GB' or '512 MiB'",
        ),
        (("build", "--zzz"), "ovmake: error: unrecognized arguments: --zzz"),
    ],
    ids=" ".join,
)
def test_option_that_makes_no_sense(words: tuple[str, ...], complaint: str, repo: Path) -> None:
    assert run(repo, *words) == Said(2, "", f"[usage]\n{complaint}\n")


def test_timeline_that_cannot_be_written_ends_before_the_build(repo: Path) -> None:
    expected = (
        "error[cannot-write]: cannot write nowhere/t.json: No such file or directory\nhelp: name another --timeline\n"
    )

    assert Said(2, "", expected) == run(repo, "build", "--timeline", "nowhere/t.json")
    assert not (repo / "build").exists()


def test_jobs_that_are_no_number(repo: Path) -> None:
    said = run(repo, "build", "-j", "many")

    assert (said.status, said.output) == (2, "")
    assert said.complaint.startswith("[usage]\novmake build: error: argument -j/--jobs: ")
    assert "'many'" in said.complaint


# --- targets ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["build", "explain", "status", "report"])
def test_unknown_target_is_met_with_the_nearest(command: str, repo: Path) -> None:
    expected = "error[unknown-target]: unknown target `digit:fp16`\nhelp: did you mean `digits:fp16`?\n"

    assert run(repo, command, "digit:fp16") == Said(2, "", expected)


def test_every_unknown_target_is_named_and_nothing_is_built(repo: Path) -> None:
    expected = (
        "error[unknown-target]: unknown target `xyz`\n"
        "help: known targets: digits, digits:fp16, digits:fp32\n"
        "error[unknown-target]: unknown target `digits:int8`\n"
        "help: did you mean `digits`?\n"
        "2 errors\n"
    )

    said = run(repo, "build", "xyz", "digits", "digits:int8")

    assert said == Said(2, "", expected)
    assert not (repo / "build").exists()


def test_unknown_target_does_not_reach_the_terminal_as_a_control_character(repo: Path) -> None:
    assert run(repo, "build", "a\x1b[31m").complaint.startswith("error[unknown-target]: unknown target `a\\x1b[31m`\n")


# --- the Ovfile -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["build", "explain", "status", "report", "clean"])
def test_missing_ovfile(command: str, tmp_path: Path) -> None:
    assert run(tmp_path, command) == Said(2, "", f"error[no-ovfile]: there is no Ovfile\n{NO_OVFILE_HELP}")
    assert list(tmp_path.iterdir()) == []


def test_folder_that_is_not_there(repo: Path) -> None:
    assert run(repo, "build", "-C", "nowhere") == Said(
        2, "", f"error[no-ovfile]: there is no nowhere/Ovfile\n{NO_OVFILE_HELP}"
    )


def test_folder_that_is_a_file(repo: Path) -> None:
    said = run(repo, "build", "-C", "Ovfile")

    assert (said.status, said.output) == (2, "")
    assert said.complaint.startswith("error[unreadable-ovfile]: cannot read Ovfile/Ovfile: ")
    assert "Not a directory" in said.complaint


def test_ovfile_that_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "Ovfile").mkdir()

    said = run(tmp_path, "build")

    assert (said.status, said.output) == (2, "")
    assert said.complaint.startswith("error[unreadable-ovfile]: cannot read Ovfile: ")
    assert "Is a directory" in said.complaint


def test_ovfile_that_may_not_be_read(repo: Path) -> None:
    (repo / "Ovfile").chmod(0)
    if os.access(repo / "Ovfile", os.R_OK):
        pytest.skip("this user reads everything")

    said = run(repo, "build")

    assert (said.status, said.output) == (2, "")
    assert "Permission denied" in said.complaint


def test_ovfile_of_another_name_is_named_in_messages(tmp_path: Path) -> None:
    (tmp_path / "models.toml").write_text("batch = [")

    assert run(tmp_path, "build", "-f", "models.toml") == Said(
        2,
        "",
        "error[toml-syntax]: the Ovfile is not valid TOML\n"
        " --> models.toml:1:10\n"
        "  |\n"
        "1 | batch = [\n"
        "  |          ^ the Ovfile ends here: invalid value\n",
    )


def test_mistakes_come_together_in_the_order_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "Ovfile").write_text(WRONG)

    assert run(tmp_path, "build") == Said(
        2,
        "",
        "error[wrong-type]: `models.digits.source` is an integer, not a string\n"
        " --> Ovfile:2:10\n"
        "  |\n"
        "2 | source = 3\n"
        "  |          ^ expected a string\n"
        "error[unknown-key]: unknown key `precision` in [models.digits]\n"
        " --> Ovfile:3:1\n"
        "  |\n"
        '3 | precision = ["fp32"]\n'
        "  | ^^^^^^^^^\n"
        "  |\n"
        "help: did you mean `precisions`?\n"
        "2 errors\n",
    )


@pytest.mark.parametrize("command", ["build", "explain", "status", "report"])
def test_mistakes_as_json_go_to_stdout_a_line_each(command: str, tmp_path: Path) -> None:
    (tmp_path / "Ovfile").write_text(WRONG)

    said = run(tmp_path, command, "--json")

    assert (said.status, said.complaint) == (2, "")
    assert [json.loads(line) for line in said.output.splitlines()] == [
        {
            "event": "diagnostic",
            "severity": "error",
            "code": "wrong-type",
            "message": "`models.digits.source` is an integer, not a string",
            "at": {"file": "Ovfile", "line": 2, "column": 10, "length": 1},
            "label": "expected a string",
        },
        {
            "event": "diagnostic",
            "severity": "error",
            "code": "unknown-key",
            "message": "unknown key `precision` in [models.digits]",
            "at": {"file": "Ovfile", "line": 3, "column": 1, "length": 9},
            "help": "did you mean `precisions`?",
        },
    ]


# --- what is not wrong ------------------------------------------------------------------------------------


def test_help_and_version_go_to_stdout(tmp_path: Path) -> None:
    shown = run(tmp_path, "build", "--help")

    assert (shown.status, shown.complaint) == (0, "")
    assert shown.output.startswith("usage: ovmake build ")
    assert re.fullmatch(r"ovmake \d+\.\d+\.\d+\n", run(tmp_path, "--version").output)


def test_file_below_the_folder_is_found(repo: Path) -> None:
    (repo / "kitchen").mkdir()
    (repo / "kitchen" / "Models").write_text(OVFILE)

    said = run(repo, "build", "-n", "-C", "kitchen", "-f", "Models", "nope")

    assert said.complaint.startswith("error[unknown-target]")


@pytest.mark.parametrize("buffered", ["", "1"], ids=["at the end", "at once"])
def test_output_that_cannot_be_written_is_said_and_is_no_success(repo: Path, buffered: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": buffered}
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "ovmake", "status"],
            cwd=repo,
            env=environment,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert 1 == done.returncode
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def test_console_script_ends_with_the_commands_status(repo: Path) -> None:
    script = "import sys; from ovmake.cli import command; sys.argv = ['ovmake', *sys.argv[1:]]; command()"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    statuses = [
        subprocess.run([sys.executable, "-c", script, *words], cwd=repo, env=environment, check=False).returncode
        for words in (["--version"], ["build", "nope"], ["build", "--nope"], ["build"])
    ]

    assert [0, 2, 2, 1] == statuses


# paths that lead nowhere


@pytest.mark.parametrize(
    ("ovfile", "place", "meant"),
    [
        ('[models.m]\nsource = "models/digts"\n', "Ovfile:2:10", "models/digits"),
        ("[models.m]\nsource = 'models\\digits'\n", "Ovfile:2:10", "models/digits"),
        (
            (
                '[datasets.v]\npath = "data/vall.npz"\nlabels = "y"\n[models.m]\nsource = "models/digits"\n'
                'accuracy = { dataset = "v", max-drop = 0.01 }\n'
            ),
            "Ovfile:2:8",
            "data/val.npz",
        ),
        (
            (
                '[models.m]\nsource = "models/digits"\naccuracy.metric = "metric.py:mine"\naccuracy.dataset = "v"\n'
                '[datasets.v]\npath = "data/val.npz"\n'
            ),
            "Ovfile:",
            "metrics.py",
        ),
    ],
    ids=["source", "backslash", "dataset", "metric"],
)
def test_path_that_is_not_there_is_met_with_the_nearest(ovfile: str, place: str, meant: str, tmp_path: Path) -> None:
    for name in ("models/digits/saved_model.pb", "data/val.npz", "metrics.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "Ovfile").write_text(ovfile)

    said = run(tmp_path, "build", "-n", "-k")

    assert said.status == 1
    assert "error[source-not-found]" in said.complaint
    assert place in said.complaint
    assert f"help: did you mean `{meant}`?" in said.complaint


@pytest.mark.parametrize("command", ["inspect", "init"])
def test_model_that_is_not_there_is_met_with_the_nearest(command: str, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models/digits.pb").write_bytes(b"")

    said = run(tmp_path, command, "models/digts.pb")

    assert (2, "") == (said.status, said.output)
    assert said.complaint.startswith("error[no-such-model]: ")
    assert said.complaint.endswith("\nhelp: did you mean `models/digits.pb`?\n")


@pytest.mark.parametrize("flag", ["--force", "--check"])
def test_what_runs_actions_and_what_runs_none_are_not_asked_for_together(repo: Path, flag: str) -> None:
    said = run(repo, "build", flag, "--remote-only")

    assert (2, "") == (said.status, said.output)
    assert "not allowed with argument" in said.complaint
    assert "--remote-only" in said.complaint
