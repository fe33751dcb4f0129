"""Commands that run no action: status, explain, inspect, init, graph; lock, clean, gc; help and version."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from ovmake.cli.console import print_json, read_repo, show, tell, tell_on_terminal, where_of, width

TYPE_CHECKING = False  # importing typing takes 2 ms
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from ovmake.cli.arguments import Command
    from ovmake.engine.events import Event
    from ovmake.engine.executor import Outcome
    from ovmake.graph.action import Graph
    from ovmake.project.session import Session

WRONG_USE = 2


def run_nothing(arguments: argparse.Namespace) -> int:
    """Print the list of commands, or the version."""
    if arguments.version:
        from ovmake import __version__

        print(f"ovmake {__version__}")
        return 0
    arguments.parser.print_help(sys.stderr)
    return WRONG_USE


def run_help(arguments: argparse.Namespace) -> int:
    """List commands and topics; or show the help of a command, or the documentation about a word."""
    from ovmake.cli.manual import show_markdown
    from ovmake.commands.help.asked import answer, index, read_more

    if arguments.about is None:
        show(f"{arguments.parser.format_help()}\n{index().rstrip()}")
    elif command := arguments.commands.get(arguments.about.lower()):
        show(command.format_help().rstrip())
        if more := read_more(arguments.about.lower()):
            print()
            show_markdown(more)
    else:
        show_markdown(answer(arguments.about, commands=arguments.commands))
    return 0


def run_explain(arguments: argparse.Namespace) -> int:
    """Print why targets are stale, or that they are up to date."""
    from ovmake.cli.terminal import lines_of
    from ovmake.engine.world import Options
    from ovmake.graph.query import select

    def show_event(event: Event) -> None:
        if arguments.json:
            print_json(event.to_json())
        else:
            for line in lines_of(event, explain=True):
                show(line)

    with read_repo(arguments) as session:
        graph = session.graph(measure=False)
        targets = select(graph, arguments.targets)
        outcome = session.execute(graph, targets, Options(dry_run=True, keep_going=True), show_event)
        if not arguments.json:
            for name, status in outcome.targets.items():
                if status == "fresh":
                    show(f"{name} is up to date")
            for line in _nearest(session, graph, outcome):
                show(line)
        return outcome.exit_status


def _nearest(session: Session, graph: Graph, outcome: Outcome) -> Iterator[str]:
    """Yield how results in the remote cache differ, for the first actions that were never built here."""
    from ovmake.engine.explain import nearest_in_words
    from ovmake.project.remote import AS_WRITTEN, remote_of

    remote = remote_of(session.ovfile.cache, session.where.root, AS_WRITTEN, tell)
    if remote is None:
        return
    try:
        for name, done in outcome.actions.items():
            never = done.decision is not None and any(one.kind == "never-built" for one in done.decision.reasons)
            if never and done.seen is not None and done.seen.known and (nearest := remote.nearest(name)) is not None:
                yield from nearest_in_words(graph.actions[name], done.seen, nearest, session.locate)
    finally:
        remote.close()


def run_status(arguments: argparse.Namespace) -> int:
    """Print a line per target."""
    from ovmake.diagnostics import harmless
    from ovmake.engine.outcomes.status import statuses

    with read_repo(arguments) as session:
        for line in statuses(session.graph(measure=False), session.database, session.execute, arguments.targets):
            if arguments.json:
                print_json({"target": line.target, "status": line.status, "message": line.message})
            else:
                show(harmless(f"{line.target:<24} {line.status:<12} {line.message}".rstrip()))
    return 0


def run_inspect(arguments: argparse.Namespace) -> int:
    """Describe a model."""
    from ovmake.commands.inspect.command import inspect
    from ovmake.commands.inspect.tables import lines_of

    allowed = tuple(op.strip() for op in arguments.allow_ops.split(",") if op.strip())
    description = inspect(where_of(arguments), arguments.model, tell_on_terminal, allowed)
    if arguments.json:
        print_json(description.to_json())
        return 0
    for line in lines_of(description, width=width(), all_layers=arguments.all):
        show(line)
    return 0


def run_init(arguments: argparse.Namespace) -> int:
    """Write a starter Ovfile."""
    if arguments.schema:
        from ovmake.ovfile.schema.json_schema import text

        print(text(), end="")
        return 0
    from contextlib import nullcontext

    from ovmake.commands.inspect.command import init
    from ovmake.commands.inspect.settling import Attempt
    from ovmake.diagnostics import Diagnostic, render

    where = where_of(arguments)

    def attempting() -> AbstractContextManager[Attempt | None]:
        if arguments.no_try:
            return nullcontext()
        from ovmake.commands.inspect.trial import trial

        return trial(where, tell, tell_on_terminal)

    def warn(found: Diagnostic) -> None:
        tell(render(found))

    written = init(where, arguments.paths, tell_on_terminal, warn, attempting)
    left_out = f", and {written.left_out} as comments" if written.left_out else ""
    show(f"wrote {written.path} with {written.models} model{'' if written.models == 1 else 's'}{left_out}")
    for line in written.told_git:
        show(line)
    return 0


def run_clean(arguments: argparse.Namespace) -> int:
    """Remove published files."""
    from ovmake.names import STATE
    from ovmake.project.opening import hold_outputs
    from ovmake.store.files.cleaning import remove_outputs, remove_state

    where = where_of(arguments)
    with hold_outputs(where, wait=not arguments.no_wait, tell=tell) as (disk, build_dir, places):
        removed = remove_outputs(disk, build_dir, places)
        if arguments.all:
            remove_state(disk.ours, STATE)
    show(f"removed {removed} files" + (" and the cache" if arguments.all else "; the cache stays (--all removes it)"))
    return 0


def run_gc(arguments: argparse.Namespace) -> int:
    """Remove unreferenced files, and results over the limits."""
    from ovmake.commands.gc.command import gc
    from ovmake.commands.gc.plan import Limits
    from ovmake.commands.gc.words import lines, to_json
    from ovmake.project.opening import open_session

    limits = Limits(size_bytes=arguments.max_size, age_s=arguments.max_age)
    opened = open_session(where_of(arguments), wait=not arguments.no_wait, tell=tell)
    with read_repo(arguments) if arguments.dry_run else opened as session:
        done = gc(session, limits, dry_run=arguments.dry_run)
    if arguments.json:
        print_json(to_json(done, dry_run=arguments.dry_run))
    for line in () if arguments.json else lines(done, limits, dry_run=arguments.dry_run):
        show(line)
    return 0


def run_lock(arguments: argparse.Namespace) -> int:
    """Write the lock, check it, or merge three files of it for git."""
    if arguments.merge is not None:
        return _merge_lock(arguments)
    from ovmake.commands.lock.command import check_lock, lock
    from ovmake.commands.lock.words import check_lines, check_to_json, lines, to_json

    with read_repo(arguments) as session:
        if arguments.check:
            checked = check_lock(session, arguments.targets)
            said, status = check_lines(checked), 1 if checked.findings else 0
            as_json = check_to_json(checked)
        else:
            written = lock(session, arguments.targets)
            said, status = lines(written), 1 if written.must_build else 0
            as_json = to_json(written)
    if arguments.json:
        print_json(as_json)
    for line in () if arguments.json else said:
        show(line)
    return status


def _merge_lock(arguments: argparse.Namespace) -> int:
    from pathlib import Path

    from ovmake.commands.lock.driver import merge_files

    if arguments.targets:
        tell("ovmake lock: --merge takes three files, and no targets")
        return WRONG_USE
    done = merge_files(*map(Path, arguments.merge))
    if done.unreadable:
        tell(f"the lock stays in conflict as a whole: {done.unreadable}")
    elif done.undecided:
        tell(f"both sides changed {', '.join(done.undecided)}: run `ovmake lock` when the other files are merged")
    return done.exit_status


def run_graph(arguments: argparse.Namespace) -> int:
    """Print the action graph."""
    from ovmake.graph.drawing import draw
    from ovmake.graph.query import select
    from ovmake.project.repo import read_graph

    graph = read_graph(where_of(arguments), tell)
    print(draw(arguments.format, graph, select(graph, arguments.targets)))
    return 0


COMMANDS: Mapping[str, Command] = {
    "": run_nothing,
    "help": run_help,
    "explain": run_explain,
    "status": run_status,
    "inspect": run_inspect,
    "init": run_init,
    "clean": run_clean,
    "gc": run_gc,
    "lock": run_lock,
    "graph": run_graph,
}
