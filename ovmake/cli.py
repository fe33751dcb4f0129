"""The command line: argv in, one function per command, an exit status out. The only printer and exiter.

Exit status: 0 all good; 1 a target failed; 2 the Ovfile or the command line is wrong; 130 interrupted.
Data goes to stdout, everything else to stderr.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence

TYPE_CHECKING = False  # importing typing takes 2 ms
if TYPE_CHECKING:
    import argparse
    from contextlib import AbstractContextManager
    from typing import NoReturn

    from ovmake.arguments import Command
    from ovmake.diagnostics import Diagnostic, OvmakeError
    from ovmake.engine.events import Event
    from ovmake.engine.executor import Outcome
    from ovmake.engine.world import Options
    from ovmake.graph.action import Graph
    from ovmake.session import Session, Where
    from ovmake.stamp import Stamp
    from ovmake.terminal import Listener

INTERRUPTED = 130
WRONG_USE = 2
READER_GONE = 141  # as a shell shows a program ended by SIGPIPE


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return the exit status."""
    # A closed stream (`ovmake build >&-`) is None in Python.
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: PTH123, SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: PTH123, SIM115
    words = sys.argv[1:] if argv is None else list(argv)
    try:
        known = _known_at_once(words)
        status = None if known is None else _if_fresh(known, words[1:])
        if status is None:
            status = _run(_parsed(words, known))
        sys.stdout.flush()
    except KeyboardInterrupt:
        _tell("interrupted; what was finished is kept")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output went away (`ovmake build --json | head -1`). What was not finished is not good.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READER_GONE
    return status


def _known_at_once(words: list[str]) -> Stamp | None:
    """Return what is known for `ovmake build [TARGET…]`: reading the command line takes as long as this answer."""
    plain = words[:1] == ["build"] and not any(word.startswith("-") for word in words)
    return _stamp(".", "Ovfile", outside=False) if plain else None


def _parsed(words: list[str], known: Stamp | None) -> argparse.Namespace:
    import signal

    from ovmake.arguments import parser

    arguments = parser(COMMANDS).parse_args(words)
    arguments.known = known
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    return arguments


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _run(arguments: argparse.Namespace, *, again: bool = True) -> int:
    command: Command = arguments.command
    try:
        return command(arguments)
    except (BrokenPipeError, KeyboardInterrupt):
        raise
    except Exception as error:
        # Diagnostics are loaded only now: a no-op build has none.
        from ovmake.diagnostics import of_error

        known = of_error(error)
        if known is None:
            raise
        _tell_diagnostics(known.diagnostics, as_json=getattr(arguments, "json", False))
        if again and _begins_anew(known):
            arguments.known = None
            return _run(arguments, again=False)
        return known.exit_status


def _begins_anew(error: OvmakeError) -> bool:
    """Whether what the command met is out of its way now."""
    from ovmake.session import TornStateError

    return isinstance(error, TornStateError)


# commands


def _no_command(arguments: argparse.Namespace) -> int:
    if arguments.version:
        from ovmake import __version__

        print(f"ovmake {__version__}")
        return 0
    arguments.parser.print_help(sys.stderr)
    return WRONG_USE


def _build(arguments: argparse.Namespace) -> int:
    if arguments.watch:
        _watch(arguments)
    asks_more = arguments.force or arguments.json or arguments.no_user_code or arguments.check or arguments.timeline
    known = arguments.known
    if known is None and not (arguments.dry_run or asks_more):
        known = _stamp(arguments.folder, arguments.file, outside=arguments.allow_outside)
    if known is not None and (status := _if_fresh(known, arguments.targets)) is not None:
        return status
    from ovmake.engine.world import Options
    from ovmake.stamping import Stamping
    from ovmake.terminal import Summary

    with _session(arguments, known) as session:
        graph = session.graph(measure=False)
        targets = session.select(graph, arguments.targets)
        stamping = None if arguments.dry_run else Stamping(session, graph, targets)
        options = Options(
            jobs=arguments.jobs or _default_jobs(),
            keep_going=arguments.keep_going,
            forced=frozenset(action.kind for action in graph.actions.values()) if arguments.force else frozenset(),
            dry_run=arguments.dry_run,
            estimate=arguments.dry_run,
        )
        summary = Summary(session.ovfile.build_dir, known_fresh=session.elsewhere(arguments.targets))
        with _listener(arguments) as listener:
            executor = session.executor(graph, options, _both(summary, listener))
            outcome = executor.build(targets)
        for line in () if arguments.json else summary.lines(dry_run=arguments.dry_run, jobs=options.jobs):
            print(line)
        if stamping is not None:
            stamping.finish(executor, outcome)
        if arguments.check and outcome.exit_status == 0:
            _check(arguments, session, graph, outcome, options)
        return outcome.exit_status


def _check(arguments: argparse.Namespace, session: Session, graph: Graph, built: Outcome, options: Options) -> None:
    """Build once more, elsewhere, and compare; what differs is an error."""
    from ovmake.checking import check
    from ovmake.terminal import Plain

    _tell("once more, from nothing, to compare")
    # With --json the events of the first build are told, and of the second what was found.
    with Plain(lambda _: None, explain=False) if arguments.json else _listener(arguments) as listener:
        checked = check(graph, built, session.world(listener), options)
    if arguments.json:
        _print_json(checked.to_json())
    for line in () if arguments.json else checked.lines():
        print(line)


def _watch(arguments: argparse.Namespace) -> NoReturn:
    """Build now and after every change, until the user ends it."""
    from copy import copy

    from ovmake.watching import watch

    once = copy(arguments)
    once.watch, once.known = False, None

    def build() -> None:
        _run(once)
        sys.stdout.flush()
        once.force = False  # it is said of the first build: nobody wants everything anew after each edit

    watch(_where(arguments), arguments.targets, build, _listener(arguments))


def _stamp(folder: str, file: str, *, outside: bool) -> Stamp | None:
    """Return what is known of the repo without a look."""
    from ovmake import stamp

    at, name = os.path.split(os.path.join(folder, file))  # noqa: PTH118 - no pathlib yet
    return stamp.look(at, f"{name} {outside}")


def _if_fresh(known: Stamp, asked: Sequence[str]) -> int | None:
    """Say that nothing is to be done, if that is known; return the exit status then."""
    from ovmake import stamp

    count = known.fresh(asked)
    if count is None:
        return None
    print(stamp.up_to_date(count))
    return 0


def _report(arguments: argparse.Namespace) -> int:
    from ovmake.report.command import Request, report
    from ovmake.stamping import Stamping

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
            graph = session.graph(measure=False)
            Stamping(session, graph, list(graph.targets)).look_again()
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


def _gc(arguments: argparse.Namespace) -> int:
    from ovmake.gc.command import gc
    from ovmake.gc.plan import Limits
    from ovmake.gc.words import lines, to_json
    from ovmake.session import open_session

    limits = Limits(size_bytes=arguments.max_size, age_s=arguments.max_age)
    with open_session(_where(arguments), wait=not arguments.no_wait, tell=_tell) as session:
        done = gc(session, limits, dry_run=arguments.dry_run)
    if arguments.json:
        _print_json(to_json(done, dry_run=arguments.dry_run))
    for line in () if arguments.json else lines(done, limits, dry_run=arguments.dry_run):
        print(line)
    return 0


def _graph(arguments: argparse.Namespace) -> int:
    from ovmake import drawing
    from ovmake.graph.query import select
    from ovmake.session import read_graph

    graph = read_graph(_where(arguments), _tell)
    targets = select(graph, arguments.targets)
    if arguments.format == "json":
        _print_json(drawing.to_json(graph, targets))
    else:
        print((drawing.dot if arguments.format == "dot" else drawing.mermaid)(graph, targets))
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
    "gc": _gc,
    "graph": _graph,
}


def _where(arguments: argparse.Namespace) -> Where:
    from pathlib import Path

    from ovmake.session import Where

    return Where(folder=Path(arguments.folder), file=arguments.file, allow_outside=arguments.allow_outside)


def _session(arguments: argparse.Namespace, known: Stamp | None = None) -> AbstractContextManager[Session]:
    """Open the repo for a command that runs actions: all of it, or what the stamp does not vouch for."""
    from ovmake.ovfile.spec import Limits
    from ovmake.session import open_session

    return open_session(
        _where(arguments),
        wait=not arguments.no_wait,
        tell=_tell,
        user_code=not arguments.no_user_code,
        limits=Limits(minutes=arguments.timeout, memory_bytes=arguments.memory),
        known=known,
        asked=arguments.targets,
    )


def _default_jobs() -> int:
    """Return how many actions to run at a time: as many as there are cores, up to 4.

    Inference, calibration and TensorFlow use all cores by themselves; what gains is the rest, such as reading models
    and writing IRs. A fifth worker would load a framework of its own for little, and hold up to some 300 MB before it
    holds a model: on a first build, of which no estimate keeps memory in bounds.
    """
    from ovmake.store.toolchain import usable_cores

    return min(usable_cores(), 4)


def _listener(arguments: argparse.Namespace) -> Listener:
    if file := getattr(arguments, "timeline", None):
        from ovmake.timeline import Timeline, check_writable

        check_writable(file)
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
