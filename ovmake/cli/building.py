"""Commands that run actions: build (once, or with --watch), report, debug."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from ovmake.cli.console import both, listener_of, open_repo, print_json, read_repo, show, tell, where_of
from ovmake.cli.running import if_fresh, known_of, run

TYPE_CHECKING = False  # importing typing takes 2 ms
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from typing import NoReturn

    from ovmake.cli.arguments import Command
    from ovmake.commands.locked.promise import Promised
    from ovmake.commands.report.command import Written
    from ovmake.engine.executor import Outcome
    from ovmake.engine.world import Options
    from ovmake.graph.action import Graph
    from ovmake.project.session import Session


def run_build(arguments: argparse.Namespace) -> int:
    """Bring IRs up to date."""
    if arguments.watch:
        _watch(arguments)
    if arguments.frozen or arguments.upgrade_check:
        return _frozen(arguments) if arguments.frozen else _check_upgrade(arguments)
    asks_more = (
        arguments.locked
        or arguments.force
        or arguments.json
        or arguments.no_user_code
        or arguments.check
        or arguments.timeline
    )
    known = arguments.known
    if known is None and not (arguments.dry_run or asks_more):
        known = known_of(arguments.folder, arguments.file, outside=arguments.allow_outside)
    if known is not None and (status := if_fresh(known, arguments.targets)) is not None:
        return status
    from dataclasses import replace

    from ovmake.cli.terminal import Summary
    from ovmake.engine.world import Options
    from ovmake.project.stamping import Stamping
    from ovmake.store.toolchain import default_jobs

    with read_repo(arguments) if arguments.dry_run else open_repo(arguments, known) as session:
        graph = session.graph_to_run(measure=False)
        targets = session.select(graph, arguments.targets)
        stamping = None if arguments.dry_run else Stamping(session, graph, targets)
        options = Options(
            jobs=arguments.jobs or default_jobs(),
            keep_going=arguments.keep_going,
            forced=frozenset(action.kind for action in graph.actions.values()) if arguments.force else frozenset(),
            dry_run=arguments.dry_run,
            estimate=arguments.dry_run,
            progress=not arguments.dry_run,
            only_cached=arguments.remote_only,
        )
        held = _promised(arguments, session, graph, targets)
        options = options if held is None else replace(options, locked=held.files)
        summary = Summary(session.ovfile.build_dir, known_fresh=session.elsewhere(arguments.targets))
        with listener_of(arguments) as listener:
            executor = session.executor(graph, options, both(summary, listener))
            outcome = executor.build(targets)
        if held is not None:
            held.check(graph, outcome)  # before the lines: an IR that is not the lock's must not read as up to date
        for line in () if arguments.json else summary.lines(dry_run=arguments.dry_run, jobs=options.jobs):
            show(line)
        if stamping is not None:
            stamping.finish(executor, outcome)
        if arguments.check and outcome.exit_status == 0:
            _check(arguments, session, graph, outcome, options)
        return outcome.exit_status


def _promised(arguments: argparse.Namespace, session: Session, graph: Graph, targets: Sequence[str]) -> Promised | None:
    """Return what the lock promises of the targets, if the build must keep to it."""
    if not arguments.locked:
        return None
    from ovmake.commands.locked.promise import promised

    return promised(session, graph, targets)


def _frozen(arguments: argparse.Namespace) -> int:
    """Publish what the lock names; run nothing."""
    from ovmake.commands.locked.frozen import frozen
    from ovmake.units import counted, size_in_words

    with open_repo(arguments) as session:
        graph = session.graph(measure=False)
        done = frozen(session, graph, session.select(graph, arguments.targets))
    if arguments.json:
        print_json({"event": "frozen", "published": list(done.published), "fresh": list(done.fresh)})
        return 0
    for target in done.published:
        show(f"{target:<24} published as locked")
    got = f", downloaded {counted(done.downloaded, 'file')} ({size_in_words(done.downloaded_bytes)})"
    if not done.published:
        show(f"up to date: {counted(len(done.fresh), 'target')}")
        return 0
    fresh = f"; {len(done.fresh)} up to date" if done.fresh else ""
    show(f"{counted(len(done.published), 'target')} published as locked{fresh}{got if done.downloaded else ''}")
    return 0


def _check_upgrade(arguments: argparse.Namespace) -> int:
    """Compare what today's tools make with the lock; publish nothing."""
    from ovmake.cli.terminal import Transfers
    from ovmake.commands.locked.upgrade import check_upgrade
    from ovmake.engine.world import Options
    from ovmake.store.toolchain import default_jobs

    with open_repo(arguments) as session:
        graph = session.graph(measure=False)
        options = Options(jobs=arguments.jobs or default_jobs(), progress=True, only_cached=arguments.remote_only)
        targets = session.select(graph, arguments.targets)
        transfers = Transfers()
        with listener_of(arguments) as listener:
            found = check_upgrade(session, graph, targets, options, both(transfers, listener))
        for line in transfers.lines:
            tell(line)
    if arguments.json:
        print_json(found.to_json())
    for line in () if arguments.json else found.lines():
        show(line)
    return found.exit_status


def _check(arguments: argparse.Namespace, session: Session, graph: Graph, built: Outcome, options: Options) -> None:
    """Build a second time in a scratch folder, and compare; a difference is an error."""
    from ovmake.cli.terminal import Plain
    from ovmake.commands.check import check

    tell("building again from nothing, to compare")
    # With --json: the events of the first build, and of the second build only the result.
    with Plain(lambda _: None, explain=False) if arguments.json else listener_of(arguments) as listener:
        checked = check(graph, built, session.world(listener), options)
    if arguments.json:
        print_json(checked.to_json())
    for line in () if arguments.json else checked.lines():
        show(line)


def _watch(arguments: argparse.Namespace) -> NoReturn:
    """Build now and after every change, until the user stops it."""
    from copy import copy

    from ovmake.commands.watch.command import watch

    once = copy(arguments)
    once.watch, once.known = False, None

    def build() -> None:
        run(once)
        sys.stdout.flush()
        once.force = False  # only for the first build: later ones run stale actions only

    watch(where_of(arguments), arguments.targets, build, listener_of(arguments))


def run_report(arguments: argparse.Namespace) -> int:
    """Build, update stale measurements, write the report."""
    if arguments.schema:
        from ovmake.commands.report.render.schema import text

        print(text(), end="")
        return 0
    from ovmake.cli.terminal import Transfers
    from ovmake.commands.report.command import Request, report
    from ovmake.project.stamping import Stamping
    from ovmake.store.toolchain import default_jobs

    with open_repo(arguments) as session:
        request = Request(
            targets=tuple(arguments.targets),
            jobs=arguments.jobs or default_jobs(),
            measure=not arguments.no_measure,
            again=arguments.force,
            against=arguments.against,
            junit=arguments.junit,
        )
        transfers = Transfers()
        with listener_of(arguments) as listener:
            written = report(session, request, both(transfers, listener))
        for line in transfers.lines:
            tell(line)
        if written.exit_status == 0 and request.measure:
            # Measurements changed the store, and the stamp of the last build does not cover them.
            graph = session.graph(measure=False)
            Stamping(session, graph, list(graph.targets)).look_again()
        _tell_written(arguments, written)
        return written.exit_status


def _tell_written(arguments: argparse.Namespace, written: Written) -> None:
    from pathlib import Path

    if arguments.json:
        places = {"html": written.html, "json": written.json, "twin": written.twin} | (
            {"junit": arguments.junit} if arguments.junit else {}
        )
        print_json({"event": "report-written", **places})
    elif arguments.markdown:
        from ovmake.commands.report.render.markdown import to_markdown

        print(to_markdown(written.page), end="")
    else:
        for line in (*written.verdicts, *written.changes):
            show(line)
        show(f"report: {written.html}")
        show(f"to commit, for `--against git:REV`: {written.twin}")
    if arguments.open:
        import webbrowser

        webbrowser.open(Path(arguments.folder, written.html).resolve().as_uri())


def run_debug(arguments: argparse.Namespace) -> int:
    """Print the first layer that differs from TensorFlow's."""
    from ovmake.cli.terminal import Plain, Transfers
    from ovmake.commands.debug.command import Request, debug
    from ovmake.store.toolchain import default_jobs

    with open_repo(arguments) as session:
        targets = tuple(arguments.targets)
        request = Request(targets=targets, jobs=arguments.jobs or default_jobs(), everything=arguments.all)
        # Progress goes to stderr even with --json: stdout holds only the findings.
        listener = Plain(tell, explain=arguments.explain) if arguments.json else listener_of(arguments)
        transfers = Transfers()
        with listener:
            debugged = debug(session, request, both(transfers, listener))
    for line in transfers.lines:
        tell(line)
    for line in debugged.lines if not arguments.json else ():
        show(line)
    for found in debugged.json if arguments.json else ():
        print_json(dict(found))
    return debugged.exit_status


COMMANDS: Mapping[str, Command] = {"build": run_build, "report": run_report, "debug": run_debug}
