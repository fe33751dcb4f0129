"""Every mistake in an Ovfile, as the user sees it: one file per diagnostic code, and a file with the whole output.

`invalid/<code>.ovfile` and `<code>-2.ovfile` ... are run through the command line, in this process: starting Python for
each takes ten times as long; `invalid/<code>.expected` is what it prints. After a deliberate change of a message:

    OVMAKE_BLESS=1 python -m pytest tests/ovfile/test_invalid.py

and read the difference.
"""

from __future__ import annotations

import ast
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import ovmake.ovfile
from ovmake.cli import main
from ovmake.diagnostics import OvmakeError, render
from ovmake.ovfile.parse import decode, parse

INVALID = Path(__file__).parent / "invalid"
CASES = sorted(INVALID.glob("*.ovfile"))
ROOT = Path(__file__).parents[2]

# Files that show positions of carets, not one code.
OTHERS = {"carets"}
# A warning does not stop the command line, so it would build.
WARNINGS = {"unused-precision", "unused-option"}


def _code(case: Path) -> str:
    return re.sub(r"-\d+$", "", case.stem)


def _build_in_a_process(case: Path, folder: Path) -> tuple[int, str, str]:
    """Return exit status, stdout and stderr of `ovmake build` on a copy of `case`."""
    (folder / "Ovfile").write_bytes(case.read_bytes())
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-m", "ovmake", "build", "-C", str(folder)]
    done = subprocess.run(command, capture_output=True, env=environment, check=False, timeout=60)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def _rendered(case: Path) -> str:
    """Return what `parse` has to say, in the same words."""
    try:
        found = parse(decode(case.read_bytes())).warnings
    except OvmakeError as error:
        found = error.diagnostics
    return "".join(f"{render(diagnostic)}\n" for diagnostic in found)


def _compare(actual: str, case: Path) -> None:
    expectation = case.with_suffix(".expected")
    if os.environ.get("OVMAKE_BLESS"):
        expectation.write_text(actual)
    assert expectation.read_text() == actual


@pytest.mark.parametrize("case", [case for case in CASES if _code(case) not in WARNINGS], ids=lambda case: case.stem)
def test_mistake_ends_the_build_with_these_words_and_nothing_else(
    case: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "Ovfile").write_bytes(case.read_bytes())
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}

    try:
        status = main(["build", "-C", str(tmp_path)])
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)

    output, complaint = capsys.readouterr()
    assert (status, output) == (2, "")
    assert not (tmp_path / ".ovmake").exists()
    _compare(complaint, case)


@pytest.mark.parametrize("name", ["carets", "bad-encoding"])
def test_a_process_of_its_own_says_the_same(name: str, tmp_path: Path) -> None:
    case = INVALID / f"{name}.ovfile"

    status, output, complaint = _build_in_a_process(case, tmp_path)

    assert (status, output) == (2, "")
    assert case.with_suffix(".expected").read_text() == complaint


@pytest.mark.parametrize("case", [case for case in CASES if _code(case) in WARNINGS], ids=lambda case: case.stem)
def test_warning_comes_with_an_ovfile_that_can_be_built(case: Path) -> None:
    assert parse(decode(case.read_bytes())).targets
    _compare(_rendered(case), case)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_file_shows_the_code_it_is_named_after_and_no_other(case: Path) -> None:
    expectation = case.with_suffix(".expected").read_text()

    codes = set(re.findall(r"^(?:error|warning)\[(.+?)\]", expectation, flags=re.MULTILINE))

    if _code(case) not in OTHERS:
        assert codes == {_code(case)}


def test_every_code_has_a_file() -> None:
    codes = {code for module in Path(ovmake.ovfile.__file__).parent.rglob("*.py") for code in _codes(module)}

    assert len(codes) > 20
    assert {_code(case) for case in CASES} == codes | OTHERS


def _codes(module: Path) -> Iterator[str]:
    """Yield every string that is given as `code=` in a module; `code` must be given so, and as a string."""
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.keyword) and node.arg == "code":
            if isinstance(node.value, ast.Constant):
                yield str(node.value.value)
            else:
                # `Choice` passes its own code on
                assert ast.unparse(node.value) in {"self.code", "problem.code"}
