"""The command line: argv in, one function per command, an exit status out. The only printer and exiter.

Exit status: 0 all good; 1 a target failed; 2 the Ovfile or the command line is wrong; 130 interrupted.
Data goes to stdout, everything else to stderr. The modules:

    building.py   commands that run actions: build, report, debug
    observing.py  commands that look, or clear up
    console.py    what they share: the repo opened, what is told and how
    manual.py     pages of the documentation, on a terminal
    plain.py      characters that the terminal lacks

Here is what a no-op needs, and what holds for all commands: nothing else is loaded before a command is known.
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
    """Be the console script. What Python would clear up before it ends, the system does: a twentieth of a no-op."""
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

        tell("interrupted; what was finished is kept")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output went away (`ovmake build --json | head -1`). What was not finished is not good.
        _say_no_more()
        return READER_GONE
    except OSError as error:  # of a command, `run` has told it; this is `ovmake status > /full/disk/file`
        from ovmake.cli.console import tell

        tell(f"error[cannot-write]: cannot write to stdout: {error.strerror}")
        _say_no_more()
        return FAILED
    return status


def _show_all() -> None:
    """Have both streams write what their encoding lacks, or what none has: a file's name may be any bytes."""
    for stream in (sys.stdout, sys.stderr):
        if (stream.encoding or "").lower() != "utf-8":
            from ovmake.cli.plain import show_all

            show_all(stream)
        elif stream.errors == "strict" and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _say_no_more() -> None:
    """Let what is still to be written to stdout go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _known_at_once(words: list[str]) -> Stamp | None:
    """Return what is known for `ovmake build [TARGET…]`: reading the command line takes as long as this answer."""
    plain = words[:1] == ["build"] and not any(word.startswith("-") for word in words)
    return known_of(".", "Ovfile", outside=False) if plain else None


def _parsed(words: list[str], known: Stamp | None) -> argparse.Namespace:
    import signal

    from ovmake.cli import building, observing
    from ovmake.cli.arguments import parse, parser

    arguments = parse(parser({**observing.COMMANDS, **building.COMMANDS}), words)
    arguments.known = known
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    return arguments


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt
