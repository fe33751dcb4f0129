"""What `--json` prints of each event, whole: the format is public."""

from __future__ import annotations

import pytest

from ovmake.diagnostics import Diagnostic
from ovmake.engine.events import (
    ActionFinished,
    ActionStarted,
    BuildFinished,
    BuildStarted,
    Event,
    TargetFinished,
    Watching,
)
from ovmake.engine.job import ResourceUsage
from ovmake.engine.outcomes.scores import Scores
from tests.engine.small import action

QUANTIZE = action("quantize m:int8", "models/m.pb")
NAMED = {"action": "quantize", "target": "m:int8"}
SLOW = Diagnostic(code="slow", message="it is slow", severity="warning")
SLOW_JSON = {"severity": "warning", "code": "slow", "message": "it is slow"}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (
            BuildStarted(targets=("m:fp32", "m:int8")),
            {"event": "build-started", "format": 1, "targets": ["m:fp32", "m:int8"]},
        ),
        (
            ActionStarted(action=QUANTIZE, reasons=("never built",)),
            {"event": "action-started", **NAMED, "reasons": ["never built"]},
        ),
        (
            ActionFinished(action=QUANTIZE, status="skipped"),
            {"event": "action-finished", **NAMED, "status": "skipped"},
        ),
        (
            ActionFinished(action=QUANTIZE, status="ran", seconds=1.23456, reasons=("never built",), warnings=(SLOW,)),
            {
                "event": "action-finished",
                **NAMED,
                "status": "ran",
                "seconds": 1.235,
                "reasons": ["never built"],
                "warning": SLOW_JSON,
                "warnings": [SLOW_JSON],
            },
        ),
        (
            ActionFinished(action=QUANTIZE, status="failed", diagnostic=SLOW),
            {"event": "action-finished", **NAMED, "status": "failed", "diagnostic": SLOW_JSON},
        ),
        (
            ActionFinished(
                action=QUANTIZE,
                status="ran",
                seconds=2.0,
                effort=ResourceUsage(worker="openvino", pid=7, started=1.0, peak_bytes=300_000_000),
            ),
            {"event": "action-finished", **NAMED, "status": "ran", "seconds": 2.0, "peak_bytes": 300_000_000},
        ),
        (
            ActionFinished(action=QUANTIZE, status="would-run", estimate_seconds=1.23456),
            {"event": "action-finished", **NAMED, "status": "would-run", "estimate_seconds": 1.235},
        ),
        (Watching(files=3), {"event": "watching", "files": 3}),
        (Watching(files=3, warning=SLOW), {"event": "watching", "files": 3, "warning": SLOW_JSON}),
        (
            TargetFinished(target="m:int8", status="skipped"),
            {"event": "target-finished", "target": "m:int8", "status": "skipped"},
        ),
        (
            TargetFinished(
                target="m:auto",
                status="built",
                gate="passed",
                drop=0.918 - 0.9138,
                chosen="int8",
                interval=(0.1 + 0.2, 0.5),
                decided=False,
                int8_layers=0,
                layers=13,
                scores=Scores(metric="accuracy", unit="share", tensorflow=0.1 + 0.2, openvino=0.25),
            ),
            {
                "event": "target-finished",
                "target": "m:auto",
                "status": "built",
                "gate": "passed",
                "metric": "accuracy",
                "unit": "share",
                "tensorflow": 0.3,
                "openvino": 0.25,
                "drop": 0.0042,
                "chosen": "int8",
                "interval": [0.3, 0.5],
                "decided": False,
                "int8_layers": 0,
                "layers": 13,
            },
        ),
        (
            TargetFinished(target="m:fp32", status="built", gate="not-measured", why="nothing to compare"),
            {
                "event": "target-finished",
                "target": "m:fp32",
                "status": "built",
                "gate": "not-measured",
                "why": "nothing to compare",
            },
        ),
        (
            TargetFinished(target="m:fp32", status="built", gate="passed", needs="INFERENCE_PRECISION_HINT=f32"),
            {
                "event": "target-finished",
                "target": "m:fp32",
                "status": "built",
                "gate": "passed",
                "needs": "INFERENCE_PRECISION_HINT=f32",
            },
        ),
        (
            BuildFinished(exit_status=1, ran=2, restored=3, seconds=9.87654),
            {"event": "build-finished", "exit": 1, "ran": 2, "restored": 3, "seconds": 9.877},
        ),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, dict) else "",
)
def test_event_as_json(event: Event, expected: dict[str, object]) -> None:
    actual = event.to_json()

    assert expected == {name: _without_nothing(value) for name, value in actual.items()}


def _without_nothing(value: object) -> object:
    """Return a diagnostic's fields that say something."""
    return {name: field for name, field in value.items() if field} if isinstance(value, dict) else value
