"""Commands about a remote cache: `ovmake cache trust`, `keygen`, `ls`, `verify`, `push`, `gc`."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping

from ovmake.cli.console import print_json, read_repo, show, tell, tell_on_terminal, where_of

TYPE_CHECKING = False  # importing typing takes 2 ms
if TYPE_CHECKING:
    import argparse

    from ovmake.cli.arguments import Command
    from ovmake.engine.job import Progress

WRONG_USE = 2
TELL_EVERY_S = 3.0


def run_nothing(arguments: argparse.Namespace) -> int:
    """Print the commands of `ovmake cache`."""
    tell(arguments.own.format_help().rstrip())
    return WRONG_USE


def run_trust(arguments: argparse.Namespace) -> int:
    """Accept the Ovfile's remote, or import the state of a different user."""
    if arguments.state:
        return _trust_state(arguments)
    if arguments.remote:
        return _trust_remote(arguments)
    from ovmake.commands.cache.trusting import check_choice, is_new
    from ovmake.project.opening import open_session
    from ovmake.project.session import has_foreign_state

    with open_session(where_of(arguments), wait=not arguments.no_wait, tell=tell) as session:
        state = has_foreign_state(session)
        cache = session.ovfile.cache
        remote = is_new(cache, session.where.root, os.environ)
    check_choice(state=state, remote=remote)
    if not state and not cache.remote:
        print("nothing to trust: the Ovfile names no remote, and .ovmake holds no state of a different user")
        return 0
    return _trust_state(arguments) if state else _trust_remote(arguments)


def _trust_state(arguments: argparse.Namespace) -> int:
    """Import a cache that a different user made."""
    from ovmake.project.opening import open_session
    from ovmake.project.session import trust_state
    from ovmake.units import size_in_words

    with open_session(where_of(arguments), wait=not arguments.no_wait, tell=tell) as session:
        trusted = trust_state(session)
    if trusted is None:
        print("nothing to trust: no state of a different user was set aside here")
        return 0
    print(f"trusted {trusted.taken} results, {size_in_words(trusted.checked_bytes)} of outputs checked", end="")
    print(f"; {trusted.refused} dropped: their outputs are missing or damaged" if trusted.refused else "")
    return 0


def _trust_remote(arguments: argparse.Namespace) -> int:
    """Show the Ovfile's remote and keys, ask, and accept them. Nothing is connected to."""
    from ovmake.commands.cache.trusting import YES, accept_remote, not_confirmed, offered
    from ovmake.project.repo import read_ovfile

    where = where_of(arguments)
    cache = read_ovfile(where).ovfile.cache
    offer = offered(cache, where.root, os.environ)
    if offer is None:
        print("nothing to trust: the Ovfile names no remote")
        return 0
    for line in offer.lines:
        show(line)
    if offer.done:
        show("accepted before, and nothing has changed")
        return 0
    if not arguments.yes:
        if not sys.stdin.isatty():
            raise not_confirmed()
        print("use it here, with your credentials? [y/N] ", end="", flush=True)
        if sys.stdin.readline().strip().lower() not in YES:
            show("not accepted")
            return 1
    accept_remote(cache, where.root)
    show("accepted")
    return 0


def run_keygen(arguments: argparse.Namespace) -> int:
    """Print a new pair of keys."""
    from ovmake.commands.cache.trusting import new_keys

    keys = new_keys()
    if arguments.json:
        print_json({"public_key": keys.public, "signing_key": keys.private})
    for line in () if arguments.json else keys.lines:
        show(line)
    return 0


def run_ls(arguments: argparse.Namespace) -> int:
    """Print how many results the remote has for each target."""
    from ovmake.commands.cache.listing import listed
    from ovmake.commands.cache.reaching import reaching, settings_for
    from ovmake.commands.cache.words import ls_json, ls_lines

    with read_repo(arguments) as session, reaching(settings_for(session, os.environ)) as line:
        listing = listed(session, line, arguments.targets)
    _print(arguments, ls_lines(listing), ls_json(listing))
    return 0


def run_verify(arguments: argparse.Namespace) -> int:
    """Check every result and blob of the targets, or all that can be listed."""
    from ovmake.commands.cache.reaching import reaching, settings_for
    from ovmake.commands.cache.verifying import verified, verified_all
    from ovmake.commands.cache.words import verify_json, verify_lines

    with read_repo(arguments) as session, reaching(settings_for(session, os.environ)) as line:
        told = _now_and_then("checked")
        found = verified_all(line, told) if arguments.all else verified(session, line, arguments.targets, told)
    _print(arguments, verify_lines(found), verify_json(found))
    return 1 if found.wrong else 0


def run_push(arguments: argparse.Namespace) -> int:
    """Upload the results of fresh targets that the remote lacks."""
    from ovmake.commands.cache.pushing import pushed
    from ovmake.commands.cache.reaching import not_uploaded, reaching, settings_for
    from ovmake.commands.cache.words import push_json, push_lines

    with read_repo(arguments) as session, reaching(settings_for(session, os.environ, push=True)) as line:
        done = pushed(session, line, arguments.targets, _now_and_then("uploaded"))
    _print(arguments, push_lines(done), push_json(done))
    if done.traffic.errors or done.traffic.off:
        raise not_uploaded(done.traffic)
    return 1 if done.stale and arguments.targets else 0


def run_gc(arguments: argparse.Namespace) -> int:
    """Drop results by age or size, and blobs that no result needs."""
    from ovmake.commands.cache.collecting import collected
    from ovmake.commands.cache.plan import GRACE_S, Limits
    from ovmake.commands.cache.reaching import reaching, settings_for
    from ovmake.commands.cache.words import gc_json, gc_lines

    grace_s = GRACE_S if arguments.grace is None else arguments.grace
    limits = Limits(age_s=arguments.older_than, size_bytes=arguments.max_size, grace_s=grace_s)
    with read_repo(arguments) as session, reaching(settings_for(session, os.environ)) as line:
        plan = collected(session, line, limits, dry_run=arguments.dry_run)
    dry_run = arguments.dry_run
    _print(arguments, gc_lines(plan, dry_run=dry_run), gc_json(plan, dry_run=dry_run))
    return 0


def _now_and_then(verb: str) -> Callable[[Progress], None]:
    """Return a function that shows progress on a terminal, every few seconds."""
    last_s = time.monotonic()

    def tell_progress(progress: Progress) -> None:
        nonlocal last_s
        if time.monotonic() - last_s >= TELL_EVERY_S:
            last_s = time.monotonic()
            tell_on_terminal(f"{verb} {progress.done:,} of {progress.of:,} {progress.unit}")

    return tell_progress


def _print(arguments: argparse.Namespace, lines: Iterable[str], objects: Iterable[dict[str, object]]) -> None:
    for one in objects if arguments.json else ():
        print_json(one)
    for line in () if arguments.json else lines:
        show(line)


COMMANDS: Mapping[str, Command] = {
    "cache": run_nothing,
    "cache trust": run_trust,
    "cache keygen": run_keygen,
    "cache ls": run_ls,
    "cache verify": run_verify,
    "cache push": run_push,
    "cache gc": run_gc,
}
