"""Run one command and print its errors, or answer a no-op build from the stamp. No heavy module is loaded here.

run(arguments) -> exit status             run a command, print its errors
known_of(folder, file) -> Stamp | None    the stamp of the last clean build
if_fresh(stamp, asked) -> exit status     print "everything is up to date"; None if that is unknown
"""

from __future__ import annotations

import os
from collections.abc import Sequence

TYPE_CHECKING = False  # importing typing takes 2 ms
if TYPE_CHECKING:
    import argparse

    from ovmake.cli.arguments import Command
    from ovmake.diagnostics import OvmakeError
    from ovmake.project.stamp import Stamp


def run(arguments: argparse.Namespace, *, again: bool = True) -> int:
    """Run a command; return the exit status. Errors are printed only here."""
    command: Command = arguments.command
    try:
        return command(arguments)
    except (BrokenPipeError, KeyboardInterrupt):
        raise
    except Exception as error:
        # Diagnostics are loaded only now: a no-op build has none.
        from ovmake.cli.console import tell_diagnostics
        from ovmake.diagnostics import of_error

        known = of_error(error)
        if known is None:
            raise
        tell_diagnostics(known.diagnostics, as_json=getattr(arguments, "json", False))
        if again and _begins_anew(known):
            arguments.known, arguments.state_is_torn = None, True
            return run(arguments, again=False)
        return known.exit_status


def _begins_anew(error: OvmakeError) -> bool:
    """Whether the command can start again: its error is about state that was set aside."""
    from ovmake.project.session import TornStateError

    return isinstance(error, TornStateError)


def known_of(folder: str, file: str, *, outside: bool) -> Stamp | None:
    """Return the stamp of the repo, without checking any file."""
    from ovmake.project import stamp

    at, name = os.path.split(os.path.join(folder, file))  # noqa: PTH118 - no pathlib yet
    return stamp.look(at, f"{name} {outside}")


def if_fresh(known: Stamp, asked: Sequence[str]) -> int | None:
    """If all targets are known to be fresh, print that, and return the exit status."""
    from ovmake.project import stamp

    count = known.fresh(asked)
    if count is None:
        return None
    print(stamp.up_to_date(count))
    return 0
