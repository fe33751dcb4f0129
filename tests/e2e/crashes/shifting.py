"""Run ovmake under a clock that is wrong: `python shifting.py SECONDS WORDS...`. The kernel's own clock stays."""

from __future__ import annotations

import sys
import time

SHIFT_S = int(sys.argv[1])
REAL_S, REAL_NS = time.time, time.time_ns

if __name__ == "__main__":
    time.time = lambda: REAL_S() + SHIFT_S
    time.time_ns = lambda: REAL_NS() + SHIFT_S * 1_000_000_000
    from ovmake.cli import main

    sys.exit(main(sys.argv[2:]))
