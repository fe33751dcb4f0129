"""What the Ovfile promises of an IR's accuracy, and whether it is kept. Pure, and known to no framework.

verdict.py     an evaluation beside the promise: passed, missed, not measured
dropping.py    the drop of a metric, and whether the samples are enough to tell
"""

from __future__ import annotations

from ovmake.promise.verdict import Verdict, decide, facts_of

__all__ = ["Verdict", "decide", "facts_of"]
