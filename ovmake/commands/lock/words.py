"""The output of `ovmake lock`: a line per target, and a summary. Pure.

lines(written), check_lines(checked) -> text        to_json(written), check_to_json(checked) -> the public form
"""

from __future__ import annotations

from collections.abc import Mapping

from ovmake.commands.lock.command import Checked, LockedLine, What, Written
from ovmake.diagnostics import harmless
from ovmake.lockfile.checking import in_words
from ovmake.lockfile.merging import How
from ovmake.units import counted

FORMAT = 1

WORDS: Mapping[What, str] = {
    "locked": "locked",
    "updated": "updated",
    "unchanged": "unchanged",
    "kept": "kept",
    "must build": "must be built",
    "removed": "removed",
}
WHY: Mapping[What, str] = {
    "kept": "not built here; its block matches the Ovfile and the sources",
    "removed": "no longer in the Ovfile",
}
MERGED: Mapping[How, str] = {
    "confirmed": "both sides differ; one matches the Ovfile and the sources",
    "refused": "both sides differ; neither matches the Ovfile and the sources",
}


def lines(written: Written) -> list[str]:
    """Return the text of `ovmake lock`, line by line; an unchanged target has none."""
    said = [_line(line) for line in written.lines if line.what != "unchanged" or line.merged]
    return [*map(harmless, said), _summary(written)]


def _line(line: LockedLine) -> str:
    why = MERGED.get(line.merged) if line.merged else None
    reasons = dict.fromkeys(filter(None, (why, line.why if line.what == "must build" else WHY.get(line.what))))
    return f"{line.target:<24} {WORDS[line.what]:<13} {'; '.join(reasons)}".rstrip()


def _summary(written: Written) -> str:
    count = sum(line.what not in {"must build", "removed"} for line in written.lines)
    state = f"wrote {written.name}" if written.changed else f"{written.name} is unchanged"
    left = len(written.must_build)
    todo = f"; {left} must be built: run `ovmake build`, then `ovmake lock`" if left else ""
    return f"{state}: {counted(count, 'target')}{todo}"


def to_json(written: Written) -> dict[str, object]:
    """Return the JSON form of what was done."""
    return {
        "format": FORMAT,
        "lock": written.name,
        "written": written.changed,
        "targets": {line.target: {"what": line.what, "why": line.why, "merged": line.merged} for line in written.lines},
    }


def check_lines(checked: Checked) -> list[str]:
    """Return the text of `ovmake lock --check`, line by line."""
    if not checked.findings:
        return [f"{checked.name} is up to date: {counted(checked.targets, 'target')}"]
    return [harmless(in_words(finding)) for finding in checked.findings]  # a stranger's Ovfile names the paths


def check_to_json(checked: Checked) -> dict[str, object]:
    """Return the JSON form of what was found."""
    return {
        "format": FORMAT,
        "lock": checked.name,
        "up-to-date": not checked.findings,
        "targets": {
            one.target: {
                "state": one.state,
                "settings": one.settings,
                "changed-settings": list(one.named),
                "sources": {source.path: source.state for source in one.sources},
            }
            for one in checked.findings
        },
    }
