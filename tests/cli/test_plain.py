"""Whatever the terminal's encoding, every line is shown: what the encoding lacks as ASCII."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ovmake.cli.plain import show_all
from tests.e2e.conftest import environment

ROOT = Path(__file__).parents[2]
# The second is a terminal of Python's before it took the C locale for UTF-8, as others than Linux still have it.
ENVIRONMENTS = {
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "strict": {"PYTHONIOENCODING": "ascii:strict"},
    "c": {"LC_ALL": "C"},
    "no-utf8": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "latin-1": {"PYTHONIOENCODING": "latin-1"},
}


def run(folder: Path, variables: dict[str, str], *words: str) -> subprocess.CompletedProcess[bytes]:
    plain = {key: value for key, value in environment().items() if not key.startswith(("LC_", "LANG", "PYTHONIO"))}
    return subprocess.run(
        [sys.executable, "-m", "ovmake", *words],
        cwd=folder,
        env={**plain, "PYTHONPATH": str(ROOT), **variables},
        capture_output=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_mistake_in_a_line_of_other_letters_is_shown(tmp_path: Path, name: str) -> None:
    (tmp_path / "Ovfile").write_text('[models.m]\nsource = "模/é" # →\npreset = 1\n', encoding="utf-8")

    done = run(tmp_path, ENVIRONMENTS[name], "build")

    assert 2 == done.returncode
    assert b"Traceback" not in done.stderr
    assert b"error[wrong-type]: `models.m.preset` is an integer" in done.stderr


@pytest.mark.parametrize("name", ENVIRONMENTS)
@pytest.mark.parametrize(
    "words", [["graph"], ["graph", "--format", "mermaid"], ["explain"], ["build", "-n"], ["status"]]
)
def test_name_of_other_letters_is_shown(tmp_path: Path, name: str, words: list[str]) -> None:
    (tmp_path / "Ovfile").write_text('[models.m]\nsource = "模é→.pb"\n', encoding="utf-8")
    (tmp_path / "模é→.pb").write_bytes(b"not a graph")

    done = run(tmp_path, ENVIRONMENTS[name], *words)

    if name == "no-utf8":
        assert 1 == done.returncode
        assert b"error[system]: the system's encoding, ascii, cannot name the file `" in done.stderr
    else:
        assert 0 == done.returncode
        assert done.stdout
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("encoding", "text", "expected"),
    [
        ("ascii", "3 \u00d7 4 → 12 µs … │ ± é 模 \udcff", rb"3 x 4 -> 12 us ... | +- \xe9 \u6a21 \udcff"),
        ("ascii", "⠋⠙⠹⠸ convert m", b"|/-\\ convert m"),
        ("latin-1", "3 \u00d7 é →", "3 \u00d7 é ->".encode("latin-1")),
        ("cp437", "│ é", "│ é".encode("cp437")),
    ],
)
def test_what_an_encoding_lacks_is_written_in_ascii(encoding: str, text: str, expected: bytes) -> None:
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding=encoding)

    show_all(stream)
    stream.write(text)
    stream.flush()

    assert expected == written.getvalue()


def test_stream_of_another_kind_is_left_alone() -> None:
    show_all(io.StringIO())


def test_name_that_is_no_utf8_is_shown(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/\xff"
    os.mkdir(folder)  # noqa: PTH102 - bytes

    done = subprocess.run(
        [sys.executable, "-m", "ovmake", "graph", "-C", folder],
        env={**environment(), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )

    assert 2 == done.returncode
    assert b"\\xff" in done.stderr or b"\\udcff" in done.stderr
