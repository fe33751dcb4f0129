"""Names that several rooms share: paths of ovmake, and targets. The no-op build loads it, so it imports nothing."""

from __future__ import annotations

# The state of a repo, below the Ovfile's folder.
STATE = ".ovmake"
DATABASE = f"{STATE}/state.db"
STORE = f"{STATE}/cas"
STAMP = f"{STATE}/stamp"
# Published files, if the Ovfile names no other folder.
BUILD = "build"


def words_for(target: str) -> tuple[str, str, str]:
    """Return the names that select a target: its own, its variant's, its model's (`m@thumb:fp32`, `m@thumb`, `m`)."""
    family = target.partition(":")[0]
    return target, family, family.partition("@")[0]
