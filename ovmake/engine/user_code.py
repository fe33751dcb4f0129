"""The user's function that an action ran when its process died, spoiled its answers, or took too long.

    ran_by(job) -> UserCode | None

A worker notes in the action's folder which function runs (`workers/ipc/user_code.py`). That folder is the function's to
write in, too; so a note counts only if it names a function that the action has.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from ovmake.engine.job import Job
from ovmake.store.files.beneath import take
from ovmake.store.files.handles import ForeignEntryError
from ovmake.workers.ipc.protocol import USER_CODE_NOTE, USER_CODE_RUNNING

METRIC = "accuracy.metric"
LOADER_HELP = "a loader that has no end needs a `limit` in the dataset's table"
DIGITS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class UserCode:
    """A function of the user's: its name, `metrics.py:share`, and whether it ran when its process was last heard of.

    `setting` is what names it in the Ovfile. `samples`, of a loader: how many it had yielded, 0 where nobody knows.
    """

    name: str
    setting: str
    running: bool
    samples: int = 0

    @property
    def code(self) -> str:
        """The code of its failures."""
        return "user-code" if self.setting == METRIC else "loader-failed"

    @property
    def note(self) -> str:
        """What an action that was ended has to say of it."""
        if not self.running:
            return f"`{self.name}` had run to its end"
        yielded = f", and had yielded {self.samples:,} samples so far" if self.samples else ""
        return f"`{self.name}` was running{yielded}"

    @property
    def endless_help(self) -> str:
        """What helps where it does not come to an end; "" where that is not known."""
        return LOADER_HELP if self.running and self.setting != METRIC else ""


def ran_by(job: Job) -> UserCode | None:
    """Return the function of the user's that the job runs, or ran last; None if there was none."""
    known = _functions(job)
    if not (known and job.folder):
        return None
    try:
        said = take(f"{job.folder}/{USER_CODE_NOTE}").decode(errors="replace")
    except (OSError, ForeignEntryError):
        return None
    state, name, samples, *_ = [*said.strip().split("\t"), "", "", ""]
    if name not in known:
        return None
    counted = int(samples[:DIGITS]) if samples.isascii() and samples.isdigit() else 0
    return UserCode(name=name, setting=known[name], running=state == USER_CODE_RUNNING, samples=counted)


def _functions(job: Job) -> dict[str, str]:
    """Return the functions of the user's that a job may run, by what their workers call them, with their settings."""
    settings = job.action.settings
    metric = str(settings.get(METRIC, ""))
    found = {metric: METRIC} if ":" in metric else {}
    for role, path in job.inputs.items():
        if (function := settings.get(f"{role}.loader")) is not None:
            found[f"{os.path.basename(path)}:{function}"] = role  # noqa: PTH119 - a path of any system
    return found
