"""How many examples tests on random data try: a few every day, more in CI, many where `OVMAKE_LONG=1` asks for them.

    tries(daily=15, ci=50, long=1_000)      the number for this run
    LONG                                    whether it is a long run

They differ from run to run, except in CI: there hypothesis tries the same ones each time, so a red run is red again.
`conftest.py` sets what holds for tests that name no number.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

LONG = bool(os.environ.get("OVMAKE_LONG"))
CI = bool(os.environ.get("CI"))


def tries(*, daily: int, ci: int, long: int) -> int:
    """Return one of three numbers of examples."""
    if LONG:
        return long
    return ci if CI else daily


def set_default() -> None:
    """Have tests that name no number try as many as this run has time for. No clock judges: the machine may be busy."""
    settings.register_profile(
        "ovmake",
        settings(),  # CI's, where hypothesis sees that it is in CI
        max_examples=tries(daily=25, ci=100, long=1_000),
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile("ovmake")
