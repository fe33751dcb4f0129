"""Compare this report with an earlier one: speed, accuracy, size, gate, versions, options and files. Pure.

    compare(earlier, now, against=...) -> History
    read(text, place) -> EarlierReport                 from the text of a report.json
    compared(target) -> ComparedTarget                 from a target of an earlier report.json, or of the new one

Speeds are compared as the ratio of the two speed-ups over TensorFlow. Its range is computed from the ranges of both, on
logarithms. Only speed-ups on the same machine are compared. Two drops clearly differ if their ranges do not overlap.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

from ovmake.commands.report import words
from ovmake.contracts.files.report import NO_CHANGE, Change, History, Report
from ovmake.contracts.files.speed import SpeedRatio
from ovmake.contracts.values import JsonObject
from ovmake.diagnostics import Diagnostic, OvmakeError

# Old names of fields, in reports up to format 3.
_UNTIL_FORMAT_3 = {"high_latency": "apart"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedTarget:
    """The part of a target in a report.json that is compared.

    `machine` is the identity of the machine it was measured on, "" if not measured; `speedup` is over TensorFlow.
    `doubts` are the fields of the measurement that say why it is not reliable. `metric` is "" without one;
    `drop_interval` is None if unknown.
    """

    name: str
    machine: str
    speedup: SpeedRatio | None
    doubts: tuple[str, ...]
    metric: str
    unit: str
    drop: float | None
    drop_interval: tuple[float, float] | None
    size_bytes: float | None
    gate: str
    versions: JsonObject
    options: JsonObject
    digests: JsonObject

    @property
    def interval(self) -> tuple[float, float] | None:
        """The range of the drop. If it is unknown, both ends are the drop itself; None without a drop."""
        return None if self.drop is None else self.drop_interval or (self.drop, self.drop)


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierReport:
    """The title and the targets of an earlier report."""

    title: str
    targets: tuple[ComparedTarget, ...]


def read(text: str, place: str) -> EarlierReport:
    """Return an earlier report.json.

    Raises:
        OvmakeError: it is not a report, or a newer ovmake wrote it.
    """
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:  # RecursionError: deeply nested brackets
        raise _unreadable(place, f"it is not JSON: {error}") from error
    number = body.get("format") if isinstance(body, dict) else None
    targets = body.get("targets") if isinstance(body, dict) else None
    if not isinstance(number, int) or not isinstance(targets, list):
        raise _unreadable(place, "it is not a report.json of ovmake")
    if number > Report.FORMAT:
        raise _unreadable(place, f"it has format {number}, and this ovmake reads formats 1 to {Report.FORMAT}")
    if not all(isinstance(one, dict) and isinstance(one.get("target"), str) for one in targets):
        raise _unreadable(place, "it is not a report.json of ovmake")
    return EarlierReport(title=_text(body.get("title")), targets=tuple(map(compared, targets)))


def _unreadable(place: str, why: str) -> OvmakeError:
    message = f"cannot compare with {place}: {why}"
    help_text = "name a report.json that `ovmake report` wrote: `--against FILE` or `--against git:REV`"
    return OvmakeError(Diagnostic(code="bad-report", message=message, help=help_text), exit_status=2)


def compared(target: JsonObject) -> ComparedTarget:
    """Return the compared part of a target in a report.json of any format.

    A field that is missing or has another type is unknown: reports of older ovmakes have fewer fields.
    """
    measured, gate = _table(target.get("measured")), _table(target.get("gate"))
    drop, interval = _number(target.get("drop")), _table(target.get("drop_interval"))
    low, high = _number(interval.get("low")), _number(interval.get("high"))
    return ComparedTarget(
        name=_text(target.get("target")),
        machine=_text(measured.get("machine")),
        speedup=_speedup(_table(target.get("speedup"))),
        doubts=tuple(
            name for name in words.DOUBTS if measured.get(name) or measured.get(_UNTIL_FORMAT_3.get(name, ""))
        ),
        metric=_text(target.get("metric")),
        unit=_text(target.get("unit")) or words.SHARE,
        drop=drop,
        drop_interval=(low, high) if low is not None and high is not None else None,
        size_bytes=_number(_table(target.get("openvino")).get("size_bytes")),
        gate=_text(gate.get("result")),
        versions=_table(target.get("versions")),
        options=_table(target.get("options")),
        digests=_table(target.get("digests")),
    )


def _speedup(found: JsonObject) -> SpeedRatio | None:
    median, low, high = (_number(found.get(name)) for name in ("median", "low", "high"))
    if median is None or low is None or high is None or not (median > 0 and low > 0 and high > 0):
        return None
    return SpeedRatio(median=median, low=low, high=high)


def _table(value: object) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _number(value: object) -> float | None:
    return value if isinstance(value, int | float) else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def compare(earlier: EarlierReport, now: Sequence[ComparedTarget], *, against: str) -> History:
    """Return what changed from the earlier report to these targets."""
    before = {one.name: one for one in earlier.targets}
    after = {one.name: one for one in now}
    both = [name for name in after if name in before]
    elsewhere = any(
        before[name].machine and after[name].machine and before[name].machine != after[name].machine for name in both
    )
    note = "The earlier report is from another machine, so speeds are not compared." if elsewhere else ""
    return History(
        against=against,
        changes=tuple(_change(before[name], after[name]) for name in both),
        appeared=tuple(name for name in after if name not in before),
        vanished=tuple(name for name in before if name not in after),
        note=note,
    )


def _change(before: ComparedTarget, after: ComparedTarget) -> Change:
    ratio = _ratio(before, after)
    speed = "" if ratio is None else "faster" if ratio.low > 1 else "slower" if ratio.high < 1 else NO_CHANGE
    accuracy = _accuracy(before, after)
    sentences = (
        *_speed_words(speed, ratio, before, after),
        *_drop_words(accuracy, before, after),
        *_size_words(before, after),
        *_gate_words(before, after),
    )
    return Change(
        target=after.name,
        speed=speed,
        ratio=ratio,
        accuracy=accuracy,
        sentences=sentences,
        between=tuple(_between(before, after)),
    )


# ----------------------------------------------------------------------------------------------------------------------
# speed


def _ratio(before: ComparedTarget, after: ComparedTarget) -> SpeedRatio | None:
    """Return the new speed-up divided by the earlier one; None if one is missing, or from another machine."""
    then, now = before.speedup, after.speedup
    if then is None or now is None or before.machine != after.machine:
        return None
    middle = math.log(now.median / then.median)
    below = math.hypot(math.log(now.median / now.low), math.log(then.high / then.median))
    above = math.hypot(math.log(now.high / now.median), math.log(then.median / then.low))
    return SpeedRatio(median=math.exp(middle), low=math.exp(middle - below), high=math.exp(middle + above))


def _speed_words(speed: str, ratio: SpeedRatio | None, before: ComparedTarget, after: ComparedTarget) -> list[str]:
    then, now = before.speedup, after.speedup
    if then is None and now is None:
        return []
    if then is None:
        return ["speed not measured in the earlier report"]
    if now is None:
        return ["speed measured in the earlier report only"]
    if ratio is None:
        return [f"speed-up {words.times(then.median)} on another machine, {words.times(now.median)} on this one"]
    doubts = [label for name, label in words.DOUBTS.items() if name in {*before.doubts, *after.doubts}]
    doubt = f"; {' and '.join(doubts)}" if doubts else ""
    moved = f"speed-up over TensorFlow {words.times(then.median)} → {words.times(now.median)}"
    return [f"{speed}: {words.speed(ratio)}, {moved}{doubt}"]


# ----------------------------------------------------------------------------------------------------------------------
# accuracy, size, gate


def _accuracy(before: ComparedTarget, after: ComparedTarget) -> str:
    """Return "more accurate" or "less accurate" if the ranges of the drops do not overlap; "" if one is unknown."""
    then, now = before.interval, after.interval
    if then is None or now is None or before.metric != after.metric:
        return ""
    if now[0] > then[1]:
        return "less accurate"
    return "more accurate" if now[1] < then[0] else NO_CHANGE


def _drop_words(accuracy: str, before: ComparedTarget, after: ComparedTarget) -> list[str]:
    then, now = before.drop, after.drop
    if not accuracy or then is None or now is None or then == now:
        return []
    return [f"{accuracy}: drop {words.drop_in(after.unit, then)} → {words.drop_in(after.unit, now)}"]


def _size_words(before: ComparedTarget, after: ComparedTarget) -> list[str]:
    then, now = before.size_bytes, after.size_bytes
    if then is None or now is None or then == now:
        return []
    return [f"size {words.size(then)} → {words.size(now)}"]


def _gate_words(before: ComparedTarget, after: ComparedTarget) -> list[str]:
    then, now = (one.gate.replace("-", " ") for one in (before, after))
    return [f"gate {then} → {now}"] if then != now else []


# ----------------------------------------------------------------------------------------------------------------------
# versions, options, files


def _between(before: ComparedTarget, after: ComparedTarget) -> list[str]:
    found = []
    for then, now in ((before.versions, after.versions), (before.options, after.options)):
        # Both are empty for a target that was not published.
        if then and now:
            found += [_edited(name, then, now) for name in sorted({*then, *now}) if then.get(name) != now.get(name)]
    then, now = before.digests, after.digests
    named = {
        "source": "the source changed",
        "xml": "the IR changed",
        "bin": "its weights changed",
    }
    found += [text for name, text in named.items() if name in then and name in now and then[name] != now[name]]
    return found


def _edited(name: str, then: JsonObject, now: JsonObject) -> str:
    old, new = (_shown(values[name]) if name in values else "not set" for values in (then, now))
    return f"{name} {old} → {new}"


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
