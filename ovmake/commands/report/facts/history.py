"""This report beside an earlier one: what got faster, slower, less accurate, and what came between. Pure.

    compare(earlier, now, against=...) -> History      two contents of report.json
    read(text, place) -> dict                          the earlier one, checked

SpeedRatio is compared by the speed-up over TensorFlow, which each report measured on its own machine beside the IR: the
ratio of the two, whose range follows from theirs on the logarithms. That holds for the same machine at another time as
well as it can; a speed-up on another machine is another figure, and is not compared. Two drops differ clearly if their
ranges do not meet.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ovmake.commands.report import words
from ovmake.contracts.speed import SpeedRatio
from ovmake.diagnostics import Diagnostic, OvmakeError

NEWEST = 2
SAME = "no clear difference"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What became of a target since. `speed` is faster, slower, "no clear difference", or "" where it is not known.

    `ratio` is how many times as fast it is now; `sentences` say what is to be said, `between` what came between: tool
    versions, options, sources.
    """

    target: str
    speed: str
    ratio: SpeedRatio | None
    accuracy: str
    sentences: tuple[str, ...]
    between: tuple[str, ...]

    @property
    def weighs(self) -> bool:
        """Whether there is something to tell."""
        return bool(self.between) or self.speed not in {"", SAME} or self.accuracy not in {"", SAME}


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The comparison with an earlier report; `against` says which. `note` holds for all of it, "" if there is none."""

    against: str
    changes: tuple[Change, ...]
    appeared: tuple[str, ...]
    vanished: tuple[str, ...]
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def read(text: str, place: str) -> dict[str, Any]:
    """Return an earlier report.json.

    Raises:
        OvmakeError: it is none, or a newer ovmake's.
    """
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:  # the latter of brackets in each other
        raise _unreadable(place, f"it is no JSON: {error}") from error
    if (
        not isinstance(body, dict)
        or not isinstance(body.get("targets"), list)
        or not isinstance(body.get("format"), int)
    ):
        raise _unreadable(place, "it is no report.json of ovmake")
    if body["format"] > NEWEST:
        raise _unreadable(place, f"it has format {body['format']}, and this ovmake knows {NEWEST}")
    if not all(isinstance(one, dict) and isinstance(one.get("target"), str) for one in body["targets"]):
        raise _unreadable(place, "it is no report.json of ovmake")
    return body


def _unreadable(place: str, why: str) -> OvmakeError:
    message = f"cannot compare with {place}: {why}"
    help_text = "name a report.json that `ovmake report` wrote: `--against FILE` or `--against git:REV`"
    return OvmakeError(Diagnostic(code="bad-report", message=message, help=help_text), exit_status=2)


def compare(earlier: Mapping[str, Any], now: Sequence[Mapping[str, Any]], *, against: str) -> History:
    """Return what changed from the earlier report to these targets."""
    before = {str(one["target"]): one for one in earlier["targets"]}
    after = {str(one["target"]): one for one in now}
    both = [name for name in after if name in before]
    elsewhere = {
        name
        for name in both
        if _machine(before[name]) and _machine(after[name]) and not _same_machine(before[name], after[name])
    }
    note = "It was measured on another machine: speeds are not compared." if elsewhere else ""
    return History(
        against=against,
        changes=tuple(_change(name, before[name], after[name]) for name in both),
        appeared=tuple(name for name in after if name not in before),
        vanished=tuple(name for name in before if name not in after),
        note=note,
    )


def _change(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Change:
    ratio = _ratio(before, after)
    speed = "" if ratio is None else "faster" if ratio.low > 1 else "slower" if ratio.high < 1 else SAME
    accuracy = _accuracy(before, after)
    sentences = (
        *_speed_words(speed, ratio, before, after),
        *_drop_words(accuracy, before, after),
        *_size_words(before, after),
        *_gate_words(before, after),
    )
    return Change(
        target=name,
        speed=speed,
        ratio=ratio,
        accuracy=accuracy,
        sentences=sentences,
        between=tuple(_between(before, after)),
    )


# ----------------------------------------------------------------------------------------------------------------------
# speed


def _machine(target: Mapping[str, Any]) -> str:
    return str((target.get("measured") or {}).get("machine") or "")


def _same_machine(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    return _machine(before) == _machine(after)


def _speedup(target: Mapping[str, Any]) -> tuple[float, float, float] | None:
    found = target.get("speedup") or {}
    values = tuple(found.get(name) for name in ("median", "low", "high"))
    if not all(isinstance(value, int | float) and value > 0 for value in values):
        return None
    median, low, high = (float(str(value)) for value in values)
    return median, low, high


def _ratio(before: Mapping[str, Any], after: Mapping[str, Any]) -> SpeedRatio | None:
    """Return how many times as fast it is now, beside TensorFlow; None where one was not measured, or elsewhere."""
    then, now = _speedup(before), _speedup(after)
    if then is None or now is None or not _same_machine(before, after):
        return None
    middle = math.log(now[0] / then[0])
    below = math.hypot(math.log(now[0] / now[1]), math.log(then[2] / then[0]))
    above = math.hypot(math.log(now[2] / now[0]), math.log(then[0] / then[1]))
    return SpeedRatio(median=math.exp(middle), low=math.exp(middle - below), high=math.exp(middle + above))


def _speed_words(
    speed: str, ratio: SpeedRatio | None, before: Mapping[str, Any], after: Mapping[str, Any]
) -> list[str]:
    then, now = _speedup(before), _speedup(after)
    if ratio is None or then is None or now is None:
        if then is not None and now is not None:
            return [f"speed-up {words.times(then[0])} on another machine, {words.times(now[0])} on this one"]
        return (
            ["its speed was not measured then"]
            if now is not None
            else ["its speed was measured then, and is not now"]
            if then is not None
            else []
        )
    both = [one.get("measured") or {} for one in (before, after)]
    doubts = [label for name, label in words.DOUBTS.items() if any(measured.get(name) for measured in both)]
    doubt = f"; {' and '.join(doubts)}" if doubts else ""
    moved = f"speed-up {words.times(then[0])} → {words.times(now[0])}"
    return [f"{speed}: {words.speed(ratio)} beside TensorFlow, {moved}{doubt}"]


# ----------------------------------------------------------------------------------------------------------------------
# accuracy, size, gate


def _accuracy(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Return more or less accurate where the ranges of the drops do not meet; "" where one is not known."""
    then, now = before.get("drop"), after.get("drop")
    if (
        not isinstance(then, int | float)
        or not isinstance(now, int | float)
        or before.get("metric") != after.get("metric")
    ):
        return ""
    low_then, high_then = _interval(before, then)
    low_now, high_now = _interval(after, now)
    if low_now > high_then:
        return "less accurate"
    return "more accurate" if high_now < low_then else SAME


def _interval(target: Mapping[str, Any], drop: float) -> tuple[float, float]:
    found = target.get("drop_interval") or {}
    low, high = found.get("low"), found.get("high")
    known = isinstance(low, int | float) and isinstance(high, int | float)
    return (float(str(low)), float(str(high))) if known else (drop, drop)


def _drop_words(accuracy: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    if not accuracy or before["drop"] == after["drop"]:
        return []
    unit = str(after.get("unit") or words.SHARE)
    return [f"{accuracy}: drop {words.drop_in(unit, before['drop'])} → {words.drop_in(unit, after['drop'])}"]


def _size_words(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    then, now = ((one.get("openvino") or {}).get("size_bytes") for one in (before, after))
    if then is None or now is None or then == now:
        return []
    return [f"size {words.size(then)} → {words.size(now)}"]


def _gate_words(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    then, now = (str((one.get("gate") or {}).get("result", "")) for one in (before, after))
    return [f"gate {then.replace('-', ' ')} → {now.replace('-', ' ')}"] if then != now else []


# ----------------------------------------------------------------------------------------------------------------------
# what came between


def _between(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    found = []
    for what in ("versions", "options"):
        then, now = (one.get(what) or {} for one in (before, after))
        # Of a target that was not published nothing is known.
        if then and now:
            found += [_edited(name, then, now) for name in sorted({*then, *now}) if then.get(name) != now.get(name)]
    then, now = (one.get("digests") or {} for one in (before, after))
    named = {
        "source": "the source computes something else",
        "xml": "the IR is another one",
        "bin": "its weights are others",
    }
    found += [text for name, text in named.items() if name in then and name in now and then[name] != now[name]]
    return found


def _edited(name: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    old, new = (_shown(values[name]) if name in values else "not set" for values in (then, now))
    return f"{name} {old} → {new}"


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
