"""What a job reads and writes: its params, and JSON files by role.

params_of(job, GateParams); read(job, "evaluation"), read_if_any(job, "search"), write(job, "verdict", content)
"""

from __future__ import annotations

import json
from typing import TypeVar

from ovmake.engine.job import Job
from ovmake.store.files.beneath import create, take

T = TypeVar("T")


def params_of(job: Job, kind: type[T]) -> T:
    """Return the settings of a job.

    Raises:
        TypeError: they are those of another kind of action.
    """
    if not isinstance(job.action.params, kind):
        raise TypeError(f"{job.action.name}: its params are no {kind.__name__}")
    return job.action.params


def read(job: Job, role: str) -> dict[str, object]:
    """Return a JSON input.

    Raises:
        TypeError: it is no object.
    """
    content = json.loads(take(job.inputs[role]))
    if not isinstance(content, dict):
        raise TypeError(f"{job.action.name}: `{role}` is no JSON object")
    return content


def read_if_any(job: Job, role: str) -> dict[str, object] | None:
    """Return a JSON input, None where the action has none of that role or it is empty."""
    return (read(job, role) or None) if role in job.inputs else None


def write(job: Job, role: str, content: dict[str, object]) -> None:
    """Write a JSON output."""
    create(job.outputs[role], (json.dumps(content, indent=2, allow_nan=False) + "\n").encode())
