"""The user function that ran when a worker died, gave an invalid answer, or exceeded its time.

    ran_by(job) -> UserCode | None

A worker notes the running function in the action's folder (`workers/ipc/user_code.py`). The function itself may write
to that folder too; so a note counts only if it names a function of the action.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from ovmake.engine.job import Job
from ovmake.store.files.handles import ForeignEntryError
from ovmake.store.files.own_folders import read_file
from ovmake.workers.ipc.protocol import USER_CODE_NOTE, USER_CODE_RUNNING

METRIC = "accuracy.metric"
LOADER_HELP = "a loader that has no end needs a `limit` in the dataset's table"
DIGITS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class UserCode:
    """A user function: its name, `metrics.py:share`, and whether it was running at the last note of its process.

    `setting` is the setting that names it in the Ovfile. `samples`: how many samples a loader had yielded, 0 if
    unknown.
    """

    name: str
    setting: str
    running: bool
    samples: int = 0

    @property
    def code(self) -> str:
        """The diagnostic code of its failures."""
        return "user-code" if self.setting == METRIC else "loader-failed"

    @property
    def note(self) -> str:
        """A note for the failure of an action that was ended."""
        if not self.running:
            return f"`{self.name}` had already returned"
        yielded = f", and had yielded {self.samples:,} samples so far" if self.samples else ""
        return f"`{self.name}` was running{yielded}"

    @property
    def endless_help(self) -> str:
        """The help for a function that does not return; "" if there is none."""
        return LOADER_HELP if self.running and self.setting != METRIC else ""


def ran_by(job: Job) -> UserCode | None:
    """Return the user function that the job runs, or ran last; None if it ran none."""
    known = _functions(job)
    if not (known and job.folder):
        return None
    try:
        said = read_file(f"{job.folder}/{USER_CODE_NOTE}").decode(errors="replace")
    except (OSError, ForeignEntryError):
        return None
    state, name, samples, *_ = [*said.strip().split("\t"), "", "", ""]
    if name not in known:
        return None
    counted = int(samples[:DIGITS]) if samples.isascii() and samples.isdigit() else 0
    return UserCode(name=name, setting=known[name], running=state == USER_CODE_RUNNING, samples=counted)


def _functions(job: Job) -> dict[str, str]:
    """Return the user functions that a job may run: the name that its worker uses -> the setting."""
    settings = job.action.settings
    metric = str(settings.get(METRIC, ""))
    found = {metric: METRIC} if ":" in metric else {}
    for role, path in job.inputs.items():
        if (function := settings.get(f"{role}.loader")) is not None:
            found[f"{os.path.basename(path)}:{function}"] = role  # noqa: PTH119 - a path of any system
    return found
