"""The command line: argv in, one function per command, an exit status out. The only printer and exiter.

Exit status: 0 all good; 1 a target failed; 2 the Ovfile or the command line is wrong; 130 interrupted.
Data goes to stdout, everything else to stderr.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence

from ovmake.arguments import Command, parser

TYPE_CHECKING = False  # importing typing takes 2 ms
if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from ovmake.diagnostics import Diagnostic
    from ovmake.engine.estimate import Estimate
    from ovmake.engine.events import Event
    from ovmake.session import Session, Where
    from ovmake.terminal import Listener

INTERRUPTED = 130
WRONG_USE = 2
FAILED = 1
READER_GONE = 141  # as a shell shows a program ended by SIGPIPE


def _up_to_date(count: int) -> str:
    return f"up to date: {count} target{'' if count == 1 else 's'}"


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return the exit status."""
    # A closed stream (`ovmake build >&-`) is None in Python.
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: PTH123, SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: PTH123, SIM115
    arguments = parser(COMMANDS).parse_args(argv)
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    try:
        status = _run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        _tell("interrupted; what was finished is kept")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output went away (`ovmake build --json | head -1`). What was not finished is not good.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READER_GONE
    return status


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _run(arguments: argparse.Namespace) -> int:
    command: Command = arguments.command
    try:
        return command(arguments)
    except (BrokenPipeError, KeyboardInterrupt):
        raise
    except Exception as error:
        # Diagnostics are loaded only now: a no-op build has none.
        from ovmake.diagnostics import Diagnostic, OvmakeError

        as_json = getattr(arguments, "json", False)
        if isinstance(error, OvmakeError):
            _tell_diagnostics(error.diagnostics, as_json=as_json)
            return error.exit_status
        if type(error).__module__ == "sqlite3":
            hint = "free space on the disk, or remove .ovmake: everything in it can be made again"
            diagnostic = Diagnostic(code="state", message=f"the state database: {error}", help=hint)
            _tell_diagnostics((diagnostic,), as_json=as_json)
            return FAILED
        if isinstance(error, OSError):
            message = f"{error.strerror or error}" + (f": {error.filename}" if error.filename else "")
            _tell_diagnostics((Diagnostic(code="system", message=message),), as_json=as_json)
            return FAILED
        raise


# commands


def _no_command(arguments: argparse.Namespace) -> int:
    if arguments.version:
        from ovmake import __version__

        print(f"ovmake {__version__}")
        return 0
    arguments.parser.print_help(sys.stderr)
    return WRONG_USE


def _build(arguments: argparse.Namespace) -> int:
    looks = ("dry_run", "force", "json", "no_user_code", "timeline")  # what a stamp cannot answer
    if not any(getattr(arguments, name) for name in looks) and _stamped(arguments):
        return 0
    from ovmake.engine.world import Options
    from ovmake.graph.query import select

    with _session(arguments) as session:
        graph = session.graph(measure=False)
        targets = select(graph, arguments.targets)
        if not arguments.dry_run:
            session.forget_stamp()
        options = Options(
            jobs=arguments.jobs or _default_jobs(),
            keep_going=arguments.keep_going,
            forced=frozenset(action.kind for action in graph.actions.values()) if arguments.force else frozenset(),
            dry_run=arguments.dry_run,
            estimate=arguments.dry_run,
        )
        summary = _Summary(session)
        with _listener(arguments) as listener:
            outcome = session.execute(graph, targets, options, _both(summary, listener))
        if not arguments.json:
            summary.print(dry_run=arguments.dry_run, jobs=options.jobs)
        if outcome.exit_status == 0 and not arguments.dry_run and len(targets) == len(graph.targets):
            session.renew_stamp(graph, settled=set(outcome.targets.values()) == {"fresh"})
        return outcome.exit_status


def _stamped(arguments: argparse.Namespace) -> bool:
    """Whether the stamp of an earlier build says that nothing is to be done; then say so."""
    from ovmake import stamp

    folder, name = os.path.split(os.path.join(arguments.folder, arguments.file))  # noqa: PTH118 - no pathlib yet
    count = stamp.up_to_date(folder, f"{name} {arguments.allow_outside}", arguments.targets)
    if count is not None:
        print(_up_to_date(count))
    return count is not None


def _report(arguments: argparse.Namespace) -> int:
    from ovmake.report.command import Request, report

    with _session(arguments) as session:
        request = Request(
            targets=tuple(arguments.targets),
            jobs=arguments.jobs or _default_jobs(),
            measure=not arguments.no_measure,
            again=arguments.force,
        )
        with _listener(arguments) as listener:
            written = report(session, request, listener)
        if written.exit_status == 0 and request.measure:
            # Measurements went to the store, and the stamp of the last build knows nothing of them.
            session.renew_stamp(session.graph(measure=False), settled=False)
        if arguments.json:
            _print_json({"event": "report-written", "html": written.html, "json": written.json})
        else:
            for line in written.verdicts:
                print(line)
            print(f"report: {written.html}")
        return written.exit_status


def _explain(arguments: argparse.Namespace) -> int:
    from ovmake.engine.world import Options
    from ovmake.graph.query import select
    from ovmake.session import open_session
    from ovmake.terminal import lines_of

    def tell(event: Event) -> None:
        if arguments.json:
            _print_json(event.to_json())
        else:
            for line in lines_of(event, explain=True):
                print(line)

    with open_session(_where(arguments), wait=not arguments.no_wait, tell=_tell) as session:
        graph = session.graph(measure=False)
        targets = select(graph, arguments.targets)
        outcome = session.execute(graph, targets, Options(dry_run=True, keep_going=True), tell)
        if not arguments.json:
            for name, status in outcome.targets.items():
                if status == "fresh":
                    print(f"{name} is up to date")
        return outcome.exit_status


def _debug(arguments: argparse.Namespace) -> int:
    from ovmake.debug.command import Request, debug
    from ovmake.terminal import Plain

    with _session(arguments) as session:
        targets = tuple(arguments.targets)
        request = Request(targets=targets, jobs=arguments.jobs or _default_jobs(), everything=arguments.all)
        # With --json too, progress goes to stderr: stdout holds what was found and nothing else.
        listener = Plain(_tell, explain=arguments.explain) if arguments.json else _listener(arguments)
        with listener:
            debugged = debug(session, request, listener)
    for line in debugged.lines if not arguments.json else ():
        print(line)
    for found in debugged.json if arguments.json else ():
        _print_json(dict(found))
    return debugged.exit_status


def _status(arguments: argparse.Namespace) -> int:
    from ovmake.engine.status import statuses
    from ovmake.session import open_session

    with open_session(_where(arguments), wait=not arguments.no_wait, tell=_tell) as session:
        for line in statuses(session.graph(measure=False), session.database, session.execute, arguments.targets):
            if arguments.json:
                _print_json({"target": line.target, "status": line.status, "message": line.message})
            else:
                print(f"{line.target:<24} {line.status:<12} {line.message}".rstrip())
    return 0


def _inspect(arguments: argparse.Namespace) -> int:
    from ovmake.inspecting.command import inspect
    from ovmake.inspecting.tables import lines_of

    description = inspect(_where(arguments), arguments.model, _tell_on_terminal)
    if arguments.json:
        _print_json(description.to_json())
        return 0
    for line in lines_of(description, width=_width(), all_layers=arguments.all):
        print(line)
    return 0


def _init(arguments: argparse.Namespace) -> int:
    from ovmake.diagnostics import render
    from ovmake.inspecting.command import init

    written = init(_where(arguments), arguments.paths, _tell_on_terminal, lambda found: _tell(render(found)))
    left_out = f", and {written.left_out} as comments" if written.left_out else ""
    print(f"wrote {written.path} with {written.models} model{'' if written.models == 1 else 's'}{left_out}")
    return 0


def _clean(arguments: argparse.Namespace) -> int:
    from ovmake.session import open_session
    from ovmake.store.cleaning import remove_outputs, remove_state

    where = _where(arguments)
    with open_session(where, wait=not arguments.no_wait, tell=_tell) as session:
        graph = session.graph(measure=False)
        places = [out.place for action in graph.actions.values() for out in action.outputs if out.place]
        removed = remove_outputs(session.disk, session.ovfile.build_dir, places)
    if arguments.all:
        remove_state(where.root)
    print(f"removed {removed} files" + (" and the cache" if arguments.all else "; the cache stays (--all removes it)"))
    return 0


# helpers of the commands


COMMANDS: Mapping[str, Command] = {
    "": _no_command,
    "build": _build,
    "report": _report,
    "explain": _explain,
    "debug": _debug,
    "status": _status,
    "inspect": _inspect,
    "init": _init,
    "clean": _clean,
}


def _where(arguments: argparse.Namespace) -> Where:
    from pathlib import Path

    from ovmake.session import Where

    return Where(folder=Path(arguments.folder), file=arguments.file, allow_outside=arguments.allow_outside)


def _session(arguments: argparse.Namespace) -> AbstractContextManager[Session]:
    """Open the repo for a command that runs actions."""
    from ovmake.ovfile.spec import Limits
    from ovmake.session import open_session

    wait, user_code = not arguments.no_wait, not arguments.no_user_code
    limits = Limits(minutes=arguments.timeout, memory_bytes=arguments.memory)
    return open_session(_where(arguments), wait=wait, tell=_tell, user_code=user_code, limits=limits)


def _default_jobs() -> int:
    from ovmake.store.toolchain import default_jobs

    return default_jobs()


def _listener(arguments: argparse.Namespace) -> Listener:
    if file := getattr(arguments, "timeline", None):
        from ovmake.timeline import Timeline

        return Timeline(_shown(arguments), file)
    return _shown(arguments)


def _shown(arguments: argparse.Namespace) -> Listener:
    from ovmake.terminal import JsonLines, Live, Plain

    if arguments.json:
        return JsonLines(_print_json)
    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and not getattr(arguments, "dry_run", False):
        return Live(explain=arguments.explain)
    return Plain(_tell, explain=arguments.explain)


def _both(first: Callable[[Event], None], second: Callable[[Event], None]) -> Callable[[Event], None]:
    def tell(event: Event) -> None:
        first(event)
        second(event)

    return tell


_NOT_REACHED = "; the build stopped at a failure, and -k goes on with the rest"


class _Summary:
    """The lines about targets, printed when the build is over."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lines: list[str] = []
        self._stale = 0
        self._skipped = 0
        self._seconds = 0.0
        self._estimate: Estimate | None = None

    def __call__(self, event: Event) -> None:
        from ovmake.engine.events import BuildFinished, TargetFinished
        from ovmake.terminal import target_line

        if isinstance(event, TargetFinished):
            model, _, precision = event.target.partition(":")
            there = event.status in {"built", "fresh"}
            place = f"{self._session.ovfile.build_dir}/{model}/{precision}/{model}.xml" if there else ""
            self._lines.append(target_line(event, place))
            self._stale += event.status != "fresh"
            self._skipped += event.status == "skipped"
        if isinstance(event, BuildFinished):
            self._seconds = event.seconds
            self._estimate = event.estimate

    def print(self, *, dry_run: bool, jobs: int) -> None:
        """Print what became of the targets."""
        if self._stale == 0:
            print(_up_to_date(len(self._lines)))
            return
        for line in self._lines:
            print(line)
        if dry_run:
            from ovmake.engine.estimate import in_words as takes

            print(
                f"{self._stale} of {len(self._lines)} targets are stale; nothing was run{takes(self._estimate, jobs)}"
            )
        else:
            print(f"done in {self._seconds:.1f} s{_NOT_REACHED if self._skipped else ''}")


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _tell_on_terminal(line: str) -> None:
    """Say what takes a while to somebody who waits; in a pipe nobody does."""
    if sys.stderr.isatty():
        _tell(line)


def _width() -> int:
    """Return how wide tables may be: 80 in a pipe, so that they are the same everywhere."""
    import shutil

    return max(80, min(shutil.get_terminal_size().columns, 160)) if sys.stdout.isatty() else 80


def _print_json(value: dict[str, object]) -> None:
    import json

    print(json.dumps(value), flush=True)


def _tell_diagnostics(diagnostics: Sequence[Diagnostic], *, as_json: bool) -> None:
    from ovmake.diagnostics import render, to_json

    for diagnostic in diagnostics:
        if as_json:
            _print_json({"event": "diagnostic", **to_json(diagnostic)})
        else:
            _tell(render(diagnostic))
    if len(diagnostics) > 1 and not as_json:
        _tell(f"{len(diagnostics)} errors")
