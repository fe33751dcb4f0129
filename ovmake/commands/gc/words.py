"""The output of `ovmake gc`: removed files and rows as text and JSON.

lines(plan, limits, dry_run=...) -> text        to_json(plan, dry_run=...) -> the public form, versioned
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ovmake.commands.gc.plan import File, Limits, RemovalPlan, Why
from ovmake.units import counted, size_in_words

FORMAT = 1

REASONS: dict[Why, str] = {
    "unreferenced": "stored, unreferenced",
    "unused": "stored for results that were dropped",
    "scratch": "left by runs that were killed",
    "journals": "journals of finished searches",
    "logs": "logs of actions that no longer exist",
    "set-aside": "databases that could not be read",
}


def lines(plan: RemovalPlan, limits: Limits, *, dry_run: bool) -> list[str]:
    """Return the text, line by line."""
    left = f"left: {_amount(plan.left)} in the store"
    if plan.empty:
        return ["nothing to remove", left, *_too_large(plan, limits)]
    verb = "would remove" if dry_run else "removed"
    files = [file for found in plan.files.values() for file in found]
    by_reason = [f"  {_amount(found)}: {REASONS[why]}" for why, found in plan.files.items() if found]
    return [*by_reason, *_rows(plan, limits), f"{verb} {_amount(files)}", left, *_too_large(plan, limits)]


def _amount(files: Sequence[File]) -> str:
    return f"{counted(len(files), 'file')}, {size_in_words(_bytes(files))}"


def _bytes(files: Iterable[File]) -> int:
    return sum(file.size_bytes for file in files)


def _rows(plan: RemovalPlan, limits: Limits) -> list[str]:
    """Say which rows of the database go."""
    why = "incomplete" if limits == Limits() else "over the limits, or incomplete"
    told = [
        (plan.results, "result", why),
        (plan.traces, "trace", "of actions that no longer exist"),
        (plan.failures, "failure", "of actions that no longer exist"),
        (plan.gone_files, "digest", "of files that no longer exist"),
    ]
    return [f"  {counted(len(keys), noun)}: {reason}" for keys, noun, reason in told if keys]


def _too_large(plan: RemovalPlan, limits: Limits) -> list[str]:
    if not plan.too_large or limits.size_bytes is None:
        return []
    needed, limit = size_in_words(plan.needed_bytes), size_in_words(limits.size_bytes)
    return [f"the targets of the Ovfile need {needed}, more than {limit}; all of that stays"]


def to_json(plan: RemovalPlan, *, dry_run: bool) -> dict[str, object]:
    """Return the public form."""
    return {
        "event": "gc-finished",
        "format": FORMAT,
        "dry_run": dry_run,
        "removed": {why: {"files": len(found), "bytes": _bytes(found)} for why, found in plan.files.items()},
        "rows": {
            "results": len(plan.results),
            "traces": len(plan.traces),
            "failures": len(plan.failures),
            "files": len(plan.gone_files),
        },
        "left": {"files": len(plan.left), "bytes": _bytes(plan.left)},
        "needed_bytes": plan.needed_bytes,
        "too_large": plan.too_large,
    }
