"""The command line: argv in, one function per command, an exit status out. Only this package prints and exits.

Exit status: 0 success; 1 a target failed; 2 the Ovfile or the command line has an error; 130 interrupted.
Data goes to stdout, all other text to stderr. The modules:

    arguments.py  the parser of the command line
    building.py   commands that run actions: build, report, debug
    observing.py  commands that run no action: status, explain, inspect, clean, gc and so on
    sharing.py    commands about a remote cache: `ovmake cache ...`
    running.py    run one command, or answer a no-op from the stamp
    console.py    shared by commands: open the repo, print text, JSON and errors
    terminal.py   the lines that a build prints
    live.py       the live view of a build on a terminal
    manual.py     pages of the documentation, on a terminal
    narrow.py     lines for narrow terminals
    plain.py      replacements for characters that the terminal's encoding lacks
    timeline.py   `--timeline`: a trace file of a build

This module holds only what a no-op build needs; all other modules are loaded when the command is known.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence

from ovmake.cli.running import if_fresh, known_of, run

TYPE_CHECKING = False  # importing typing takes 2 ms
if TYPE_CHECKING:
    import argparse
    from typing import NoReturn

    from ovmake.project.stamp import Stamp

FAILED = 1
INTERRUPTED = 130
READER_GONE = 141  # as a shell shows a program ended by SIGPIPE


def command() -> NoReturn:
    """Run as the console script. It exits without Python's cleanup, which would take a twentieth of a no-op."""
    status = main()
    sys.stderr.flush()
    os._exit(status)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return the exit status."""
    # A closed stream (`ovmake build >&-`) is None in Python.
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: PTH123, SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: PTH123, SIM115
    _show_all()
    words = sys.argv[1:] if argv is None else list(argv)
    try:
        known = _known_at_once(words)
        status = None if known is None else if_fresh(known, words[1:])
        if status is None:
            status = run(_parsed(words, known))
        sys.stdout.flush()
    except KeyboardInterrupt:
        from ovmake.cli.console import tell

        tell("interrupted; finished actions are stored")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output ended (`ovmake build --json | head -1`). The command is incomplete: not a success.
        _say_no_more()
        return READER_GONE
    except OSError as error:  # `run` reports errors of commands; this one is from `ovmake status > /full/disk/file`
        from ovmake.cli.console import tell

        tell(f"error[cannot-write]: cannot write to stdout: {error.strerror}")
        _say_no_more()
        return FAILED
    return status


def _show_all() -> None:
    """Let both streams write any text: characters that the encoding lacks, and names that are not text at all."""
    for stream in (sys.stdout, sys.stderr):
        if (stream.encoding or "").lower() != "utf-8":
            from ovmake.cli.plain import show_all

            show_all(stream)
        elif stream.errors == "strict" and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _say_no_more() -> None:
    """Discard the rest of stdout."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _known_at_once(words: list[str]) -> Stamp | None:
    """Return the stamp for `ovmake build [TARGET…]`, before argparse runs: that takes as long as the whole answer."""
    plain = words[:1] == ["build"] and not any(word.startswith("-") for word in words)
    return known_of(".", "Ovfile", outside=False) if plain else None


def _parsed(words: list[str], known: Stamp | None) -> argparse.Namespace:
    import signal

    from ovmake.cli import building, observing, sharing
    from ovmake.cli.arguments import parse, parser

    if words[:1] == ["help"] and words[1:] and words[1] not in {"--help", "-h"}:  # `ovmake help --frozen`
        words = ["help", words[1].removeprefix("--"), *words[2:]]
    arguments = parse(parser({**observing.COMMANDS, **building.COMMANDS, **sharing.COMMANDS}), words)
    arguments.known = known
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    return arguments


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt
