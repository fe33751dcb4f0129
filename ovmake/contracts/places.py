"""Where ovmake keeps what is its own, below the Ovfile's folder.

Standard names of paths, for whoever reads, writes, ignores or refuses them.
"""

from __future__ import annotations

# What is known and made: `.ovmake/state.db`, `.ovmake/cas`.
STATE = ".ovmake"
DATABASE = f"{STATE}/state.db"
STORE = f"{STATE}/cas"
STAMP = f"{STATE}/stamp"
# What is published, where the Ovfile names no other folder.
BUILD = "build"
