"""Shared by commands: open the repo, print text, JSON, events and errors."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence

TYPE_CHECKING = False  # importing typing takes 2 ms
if TYPE_CHECKING:
    import argparse
    from contextlib import AbstractContextManager
    from typing import TextIO

    from ovmake.cli.terminal import Listener
    from ovmake.diagnostics import Diagnostic
    from ovmake.engine.events import Event
    from ovmake.project.repo import Where
    from ovmake.project.session import Session
    from ovmake.project.stamp import Stamp


def where_of(arguments: argparse.Namespace) -> Where:
    """Return the path of the Ovfile from the arguments."""
    from pathlib import Path

    from ovmake.project.repo import Where

    return Where(folder=Path(arguments.folder), file=arguments.file, allow_outside=arguments.allow_outside)


def open_repo(arguments: argparse.Namespace, known: Stamp | None = None) -> AbstractContextManager[Session]:
    """Open the repo for a command that runs actions: all targets, or those that the stamp does not know to be fresh."""
    from ovmake.ovfile.schema.measuring import Limits
    from ovmake.project.opening import open_session
    from ovmake.project.remote import RemoteRequest

    return open_session(
        where_of(arguments),
        wait=not arguments.no_wait,
        tell=tell,
        user_code=not arguments.no_user_code,
        allow_ops=arguments.allow_ops,
        limits=Limits(minutes=arguments.timeout, memory_bytes=arguments.memory),
        remote=RemoteRequest(use=not arguments.no_remote, push=arguments.push),
        known=known,
        asked=arguments.targets,
    )


def read_repo(arguments: argparse.Namespace) -> AbstractContextManager[Session]:
    """Open the repo for a command that only reads: it works during a build, and in a read-only checkout."""
    from ovmake.project.opening import read_session

    return read_session(
        where_of(arguments),
        tell=tell,
        user_code=not getattr(arguments, "no_user_code", False),
        allow_ops=getattr(arguments, "allow_ops", True),
        blank=getattr(arguments, "state_is_torn", False),
    )


def listener_of(arguments: argparse.Namespace) -> Listener:
    """Return the listener of a build: the terminal or `--json`, and a timeline if requested."""
    if file := getattr(arguments, "timeline", None):
        from ovmake.cli.timeline import Timeline

        return Timeline(_shown(arguments), file)
    return _shown(arguments)


def _shown(arguments: argparse.Namespace) -> Listener:
    from ovmake.cli.terminal import JsonLines, Plain

    if arguments.json:
        return JsonLines(print_json)
    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and not getattr(arguments, "dry_run", False):
        from ovmake.cli.live import Live

        return Live(tell, explain=arguments.explain)
    return Plain(tell, explain=arguments.explain)


def both(first: Callable[[Event], None], second: Callable[[Event], None]) -> Callable[[Event], None]:
    """Return a listener that passes events to two listeners."""

    def tell_both(event: Event) -> None:
        first(event)
        second(event)

    return tell_both


def tell(text: str) -> None:
    """Print a message on stderr."""
    _print_fitted(text, sys.stderr)


def show(text: str) -> None:
    """Print data as text on stdout."""
    _print_fitted(text, sys.stdout)


def _print_fitted(text: str, stream: TextIO) -> None:
    """Print lines: on a terminal wrapped to its width, elsewhere unchanged, for programs."""
    if stream.isatty():
        from ovmake.cli.narrow import fit

        text = "\n".join(fit(text.split("\n"), columns(stream)))
    print(text, file=stream, flush=True)


def columns(stream: TextIO) -> int:
    """Return the width of a terminal."""
    if (said := os.environ.get("COLUMNS", "")).isdecimal() and int(said):
        return int(said)
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except OSError:
        return 80


def tell_on_terminal(line: str) -> None:
    """Print a progress message, on a terminal only."""
    if sys.stderr.isatty():
        tell(line)


def width() -> int:
    """Return the width for tables; in a pipe it is always 80, so the output is the same everywhere."""
    return min(columns(sys.stdout), 160) if sys.stdout.isatty() else 80


def print_json(value: dict[str, object]) -> None:
    """Print an object as one line of JSON."""
    import json

    print(json.dumps(value), flush=True)


def tell_diagnostics(diagnostics: Sequence[Diagnostic], *, as_json: bool) -> None:
    """Print diagnostics, as text or as events."""
    from ovmake.diagnostics import render, to_json

    for diagnostic in diagnostics:
        if as_json:
            print_json({"event": "diagnostic", **to_json(diagnostic)})
        else:
            tell(render(diagnostic))
    if len(diagnostics) > 1 and not as_json:
        tell(f"{len(diagnostics)} errors")
