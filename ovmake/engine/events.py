"""The events of a build, for its listeners: the terminal, `--json`, a test.

`to_json` is public and versioned (FORMAT): keys are added, never renamed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ovmake.contracts.codec import encode_object
from ovmake.diagnostics import Diagnostic
from ovmake.diagnostics import to_json as diagnostic_to_json
from ovmake.engine.forecasting.estimate import Estimate
from ovmake.engine.job import Progress, ResourceUsage
from ovmake.engine.outcomes.scores import Scores
from ovmake.engine.remote import Traffic
from ovmake.graph.action import Action

FORMAT = 1

ActionStatus = Literal["ran", "failed", "restored", "fresh", "skipped", "would-run", "would-restore", "may-run"]
TargetStatus = Literal["built", "fresh", "failed", "skipped", "stale"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildStarted:
    """The first event."""

    targets: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """Return the public form."""
        return {"event": "build-started", "format": FORMAT, "targets": list(self.targets)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionStarted:
    """An action started to run, for these reasons."""

    action: Action
    reasons: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """Return the public form."""
        return {"event": "action-started", **_named(self.action), "reasons": list(self.reasons)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionFinished:
    """An action is finished, whatever its status. `seconds` and `effort` are None if it did not run.

    `remote`: it was restored from the remote cache.

    `estimate_seconds` is an estimate from earlier runs, for an action that would run; None: unknown or not requested.

    `warnings` are those of a successful action; `diagnostic` is the error of a failed one.
    """

    action: Action
    status: ActionStatus
    remote: bool = False
    seconds: float | None = None
    reasons: tuple[str, ...] = ()
    diagnostic: Diagnostic | None = None
    warnings: tuple[Diagnostic, ...] = ()
    effort: ResourceUsage | None = None
    estimate_seconds: float | None = None

    def to_json(self) -> dict[str, object]:
        """Return the public form."""
        fields: dict[str, object] = {"event": "action-finished", **_named(self.action), "status": self.status}
        if self.remote:
            fields["remote"] = True
        if self.seconds is not None:
            fields["seconds"] = round(self.seconds, 3)
        if self.effort is not None and self.effort.peak_bytes is not None:
            fields["peak_bytes"] = self.effort.peak_bytes
        if self.estimate_seconds is not None:
            fields["estimate_seconds"] = round(self.estimate_seconds, 3)
        if self.reasons:
            fields["reasons"] = list(self.reasons)
        if self.diagnostic is not None:
            fields["diagnostic"] = diagnostic_to_json(self.diagnostic)
        if self.warnings:
            told = [diagnostic_to_json(warning) for warning in self.warnings]
            fields |= {"warning": told[0], "warnings": told}  # early format 1 had only the first
        return fields


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionProgressed:
    """The progress of a running action."""

    action: Action
    progress: Progress

    def to_json(self) -> dict[str, object]:
        """Return the public form."""
        return {"event": "action-progressed", **_named(self.action), **_how_far(self.progress)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionDownloading:
    """The result of an action is being downloaded from the remote cache."""

    action: Action
    progress: Progress

    def to_json(self) -> dict[str, object]:
        """Return the public form."""
        return {"event": "action-downloading", **_named(self.action), **_how_far(self.progress)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploading:
    """The build is done, and waits for the last uploads to the remote cache."""

    progress: Progress

    def to_json(self) -> dict[str, object]:
        """Return the public form."""
        return {"event": "uploading", **_how_far(self.progress)}


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildProgressed:
    """The progress of a build: `done` of the actions that run in a worker and are not known to be fresh.

    `seconds_left` is an estimate from earlier runs. It excludes the `unknown` actions, which have no estimate; None: no
    action has one. `most`: it is an upper limit, because some actions may turn out to be fresh.
    """

    done: int
    of: int
    seconds_left: float | None = None
    unknown: int = 0
    most: bool = False

    def to_json(self) -> dict[str, object]:
        """Return the public form."""
        fields: dict[str, object] = {"event": "build-progressed", "done": self.done, "of": self.of}
        if self.seconds_left is not None:
            fields |= {"seconds_left": round(self.seconds_left, 3), "unknown": self.unknown, "at_most": self.most}
        return fields


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetFinished:
    """All actions of a target are finished. `gate` and `drop` are None if they were not measured.

    `why`: the reason if the gate was not measured, else None.
    `chosen`: the precision that `auto` chose; None for fixed precisions.
    `int8_layers` of `layers` stayed in INT8 after a search for layers to revert to float; None without a search.
    `interval`: the 95 % confidence interval of the drop, None if unknown. `decided`: whether the samples are enough to
    decide the gate, None without a drop. `scores`: the two scores whose difference is the drop.
    `needs`: the property, `NAME=value`, that the IR must be compiled with, because the processor's default fails the
    gate; None if it needs none.
    """

    target: str
    status: TargetStatus
    gate: str | None = None
    drop: float | None = None
    chosen: str | None = None
    interval: tuple[float, float] | None = None
    decided: bool | None = None
    int8_layers: int | None = None
    layers: int | None = None
    needs: str | None = None
    scores: Scores | None = None
    why: str | None = None

    def to_json(self) -> dict[str, object]:
        """Return the public form."""
        fields: dict[str, object] = {"event": "target-finished", "target": self.target, "status": self.status}
        if self.gate is not None:
            fields["gate"] = self.gate
        if self.why is not None:
            fields["why"] = self.why
        if self.scores is not None:
            fields |= {"metric": self.scores.metric, "unit": self.scores.unit}
            fields |= {"tensorflow": round(self.scores.tensorflow, 9), "openvino": round(self.scores.openvino, 9)}
        if self.drop is not None:
            fields["drop"] = round(self.drop, 9)  # 0.918 - 0.9138 is 0.0042000000000000925 in binary
        if self.chosen is not None:
            fields["chosen"] = self.chosen
        if self.interval is not None:
            fields["interval"] = [round(end, 9) for end in self.interval]
        if self.decided is not None:
            fields["decided"] = self.decided
        if self.int8_layers is not None:
            fields |= {"int8_layers": self.int8_layers, "layers": self.layers}
        if self.needs is not None:
            fields["needs"] = self.needs
        return fields


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildFinished:
    """The last event. `exit_status` is the exit status of the process.

    `estimate`: the estimated time of the build, if a dry run was asked for it. `traffic`: what the build had of the
    remote cache, None without one.
    """

    exit_status: int
    ran: int
    restored: int
    seconds: float
    estimate: Estimate | None = None
    traffic: Traffic | None = None

    def to_json(self) -> dict[str, object]:
        """Return the public form."""
        fields: dict[str, object] = {
            "event": "build-finished",
            "exit": self.exit_status,
            "ran": self.ran,
            "restored": self.restored,
            "seconds": round(self.seconds, 3),
        }
        if self.estimate is not None:
            fields["estimate_seconds"] = [round(self.estimate.low, 3), round(self.estimate.high, 3)]
            fields["estimate_unknown"] = self.estimate.unknown
        if self.traffic is not None:
            fields["remote"] = encode_object(self.traffic)
        return fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """`build --watch` waits for a change of one of `files` files.

    `warning`: why ovmake may see changes late.
    """

    files: int
    warning: Diagnostic | None = None

    def to_json(self) -> dict[str, object]:
        """Return the public form."""
        warned = {} if self.warning is None else {"warning": diagnostic_to_json(self.warning)}
        return {"event": "watching", "files": self.files, **warned}


Event = (
    BuildStarted
    | ActionStarted
    | ActionProgressed
    | ActionDownloading
    | Uploading
    | ActionFinished
    | BuildProgressed
    | TargetFinished
    | BuildFinished
    | Watching
)


def _named(action: Action) -> dict[str, object]:
    return {"action": action.kind, "target": action.subject}


def _how_far(progress: Progress) -> dict[str, object]:
    return {"done": progress.done, "of": progress.of, "unit": progress.unit}
