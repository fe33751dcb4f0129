"""Run one command, or answer without it where nothing is to be done. Nothing heavy is loaded here.

run(arguments) -> exit status             a command, and its errors told
known_of(folder, file) -> Stamp | None    what the last clean build left
if_fresh(stamp, asked) -> exit status     "everything is up to date", or None
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
    """Run a command; return the exit status. What went wrong is told here, and nowhere else."""
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
    """Whether what the command met is out of its way now."""
    from ovmake.project.session import TornStateError

    return isinstance(error, TornStateError)


def known_of(folder: str, file: str, *, outside: bool) -> Stamp | None:
    """Return what is known of the repo without a look."""
    from ovmake.project import stamp

    at, name = os.path.split(os.path.join(folder, file))  # noqa: PTH118 - no pathlib yet
    return stamp.look(at, f"{name} {outside}")


def if_fresh(known: Stamp, asked: Sequence[str]) -> int | None:
    """Say that nothing is to be done, if that is known; return the exit status then."""
    from ovmake.project import stamp

    count = known.fresh(asked)
    if count is None:
        return None
    print(stamp.up_to_date(count))
    return 0
