"""A worker ends with whoever started it, also in the middle of a computation, when it does not see its input end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.e2e.processes import alive, wait_for

WORKER = """
import time
from ovmake.workers.ipc.serving import serve
serve({"compute": lambda _: time.sleep(1000)})
"""
PARENT = """
import subprocess, sys, time
from ovmake.workers.ipc.protocol import Request
worker = subprocess.Popen([sys.executable, "-c", sys.argv[1]], stdin=subprocess.PIPE, start_new_session=True)
worker.stdin.write(Request(id=1, kind="compute", log=sys.argv[2]).to_line())
worker.stdin.flush()
print(worker.pid, flush=True)
time.sleep(1000)
"""


def test_worker_in_the_middle_of_a_computation_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    words = [sys.executable, "-c", PARENT, WORKER, str(log)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        try:
            wait_for(log.exists)
            assert alive(worker)

            parent.kill()

            wait_for(lambda: not alive(worker), seconds=10)
        finally:
            parent.kill()
            if alive(worker):
                os.kill(worker, signal.SIGKILL)
