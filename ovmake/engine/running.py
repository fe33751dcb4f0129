"""What a publication warns of: other ways to run the IR than the one that its gate judged. Pure.

    complaints(verdict, evaluation, record)

`promise-needs-property`: compiled without properties it breaks its promise. `depends-on-batch`: TensorFlow's own
answers for a sample depend on its batch, so that the gate speaks of batches as it fed them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ovmake.engine.job import Complaint
from ovmake.promise import depends_by_nature


def complaints(
    verdict: Mapping[str, object], evaluation: Mapping[str, object], record: Mapping[str, object]
) -> Iterator[Complaint]:
    """Yield them, of an IR whose gate passed."""
    default = verdict.get("default")
    if isinstance(default, dict) and default["needs"]:
        yield Complaint(
            code="promise-needs-property",
            message=f"compiled without properties, the IR is executed in {default['precision']} on this processor, "
            f"and its promise is {_broken(default)}: {default['text']}",
            notes=(f"as it was verified: {record['compile']}",),
            help=f"set `{default['needs']}` where the application compiles the IR, or promise less",
            setting="accuracy",
        )
    if verdict.get("result") == "passed" and (by_nature := depends_by_nature(evaluation)):
        yield Complaint(
            code="depends-on-batch",
            message=f"TensorFlow's own answers for a sample depend on what else is in its batch, {by_nature}",
            notes=("the gate compared batches as it fed them, and says nothing of others",),
            help="`batch` fixes how many samples the IR takes",
            setting="batch",
        )


def _broken(default: Mapping[str, object]) -> str:
    return "broken" if default["result"] == "missed" else "not measured"
