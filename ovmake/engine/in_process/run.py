"""Run an action in this process.

run_here(job) -> Success | Failure

An input may be a stranger's: without keys, a remote cache may hold anything under the right digest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ovmake.contracts.codec import ContractError
from ovmake.diagnostics import OTHER_FORM, OTHER_FORM_HELP, OTHER_FORM_NOTE
from ovmake.engine.in_process.check_size import check_size
from ovmake.engine.in_process.check_speed import check_speed
from ovmake.engine.in_process.choose import choose
from ovmake.engine.in_process.gate import gate
from ovmake.engine.in_process.judge import judge
from ovmake.engine.in_process.publish import publish
from ovmake.engine.in_process.require import require
from ovmake.engine.in_process.weigh import weigh
from ovmake.engine.job import Failure, Job, Success

KINDS: Mapping[str, Callable[[Job], Success | Failure]] = {
    "gate": gate,
    "judge": judge,
    "check-speed": check_speed,
    "weigh": weigh,
    "choose": choose,
    "publish": publish,
    "check-size": check_size,
    "require": require,
}


def run_here(job: Job) -> Success | Failure:
    """Run the job. An input of another form than ovmake writes is a failure."""
    try:
        return KINDS[job.action.kind](job)
    except ContractError as error:
        message = f"{OTHER_FORM}: {error}"
        return Failure(code="store-damaged", message=message, notes=(OTHER_FORM_NOTE,), help=OTHER_FORM_HELP)
