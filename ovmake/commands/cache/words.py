"""The output of the cache commands, as text and as JSON.

Names come from an Ovfile, and reasons may come from a remote: `harmless` removes their control characters.
"""

from __future__ import annotations

from collections.abc import Iterator

from ovmake.commands.cache.listing import Held, Listing
from ovmake.commands.cache.plan import DropPlan, Why
from ovmake.commands.cache.pushing import Pushed
from ovmake.commands.cache.verifying import Verified, Wrong
from ovmake.diagnostics import harmless
from ovmake.units import counted, size_in_words

FORMAT = 1
REASONS: dict[Why, str] = {
    "damaged": "that no ovmake can read",
    "incomplete": "whose blobs are missing",
    "old": "over the limit of age",
    "large": "over the limit of size",
}


# ls


def ls_lines(listing: Listing) -> Iterator[str]:
    """Yield a line per target, and the totals."""
    for held in listing.targets:
        yield f"{harmless(held.target):<24} {held.results} of {counted(held.actions, 'result')}{_more(held)}"
    totals = listing.totals
    if totals is None:
        yield f"{harmless(listing.url)} cannot be listed, so there are no totals"
    else:
        objects = counted(totals.results + totals.blobs, "object")
        yield f"{harmless(listing.url)} has {objects}, {size_in_words(totals.size_bytes)}"


def _more(held: Held) -> str:
    size = f", {size_in_words(held.size_bytes)}" if held.results else ""
    refused = "".join(f"; {number} not used: {harmless(why)}" for why, number in sorted(held.refused.items()))
    return size + refused


def ls_json(listing: Listing) -> Iterator[dict[str, object]]:
    """Yield an object per target, and one for the totals."""
    for held in listing.targets:
        yield {
            "target": held.target,
            "actions": held.actions,
            "results": held.results,
            "bytes": held.size_bytes,
            "refused": dict(held.refused),
        }
    totals = listing.totals
    found = None if totals is None else {"results": totals.results, "blobs": totals.blobs, "bytes": totals.size_bytes}
    yield {"event": "cache-listed", "format": FORMAT, "remote": listing.url, "totals": found}


# verify


def verify_lines(found: Verified) -> Iterator[str]:
    """Yield a line for each fault, and the totals."""
    for wrong in found.wrong:
        yield f"wrong: {_of(wrong)}: {harmless(wrong.why)}"
    checked = f"{counted(found.results, 'result')} and {counted(found.blobs, 'blob')}"
    verdict = f"{len(found.wrong)} wrong" if found.wrong else "all whole"
    yield f"checked {checked}, {size_in_words(found.size_bytes)}: {verdict}"
    if found.missing:
        yield f"{counted(found.missing, 'action')} of these targets have no result on the remote"


def _of(wrong: Wrong) -> str:
    folder, _, name = wrong.path.partition("/")
    place = f"{folder}/{name[:12]}"
    return f"{harmless(wrong.action)} ({place})" if wrong.action else place


def verify_json(found: Verified) -> Iterator[dict[str, object]]:
    """Yield an object for each fault, and one for the totals."""
    for wrong in found.wrong:
        yield {"event": "cache-wrong", "path": wrong.path, "action": wrong.action, "why": wrong.why}
    yield {
        "event": "cache-verified",
        "format": FORMAT,
        "results": found.results,
        "blobs": found.blobs,
        "bytes": found.size_bytes,
        "missing": found.missing,
        "wrong": len(found.wrong),
    }


# push


def push_lines(pushed: Pushed) -> Iterator[str]:
    """Yield the totals, and the targets that were not uploaded."""
    traffic = pushed.traffic
    sent = f"{counted(traffic.uploaded, 'result')}, {size_in_words(traffic.uploaded_bytes)}"
    yield f"uploaded {sent}; the remote already had {counted(pushed.there, 'result')}"
    for target in pushed.stale:
        yield f"{harmless(target)} is not up to date and was not uploaded: run `ovmake build` first"


def push_json(pushed: Pushed) -> Iterator[dict[str, object]]:
    """Yield one object."""
    traffic = pushed.traffic
    yield {
        "event": "cache-pushed",
        "format": FORMAT,
        "uploaded": traffic.uploaded,
        "bytes": traffic.uploaded_bytes,
        "there": pushed.there,
        "stale": list(pushed.stale),
        "errors": dict(traffic.errors),
    }


# gc


def gc_lines(plan: DropPlan, *, dry_run: bool) -> Iterator[str]:
    """Yield what was dropped, by reason, and the rest."""
    for why, entries in plan.results.items():
        if results := sum(not entry.note for entry in entries):
            yield f"  {counted(results, 'result')} {REASONS[why]}"
    dropped = [entry for entries in plan.results.values() for entry in entries]
    if notes := sum(entry.note for entry in dropped):
        yield f"  {counted(notes, 'note')} for `explain`"
    if plan.blobs:
        yield f"  {counted(len(plan.blobs), 'blob')} that no result needs, {size_in_words(_blob_bytes(plan))}"
    verb = "would drop" if dry_run else "dropped"
    yield "nothing to drop" if plan.empty else f"{verb} {counted(len(dropped) + len(plan.blobs), 'object')}"
    left = f"{counted(plan.kept_results, 'result')}, {counted(plan.kept_blobs, 'blob')}"
    yield f"left: {left}, {size_in_words(plan.kept_bytes)}"
    if plan.too_large:
        yield "this is over the limit, but the targets of the Ovfile need the rest, or it is newer than --grace"


def _blob_bytes(plan: DropPlan) -> int:
    return sum(one.size_bytes for one in plan.blobs)


def gc_json(plan: DropPlan, *, dry_run: bool) -> Iterator[dict[str, object]]:
    """Yield one object."""
    yield {
        "event": "cache-gc-finished",
        "format": FORMAT,
        "dry_run": dry_run,
        "dropped": {
            "results": {why: sum(not one.note for one in entries) for why, entries in plan.results.items()},
            "notes": sum(one.note for entries in plan.results.values() for one in entries),
            "blobs": len(plan.blobs),
            "bytes": _blob_bytes(plan),
        },
        "left": {"results": plan.kept_results, "blobs": plan.kept_blobs, "bytes": plan.kept_bytes},
        "too_large": plan.too_large,
    }
