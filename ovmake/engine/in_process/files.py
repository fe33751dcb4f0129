"""The inputs and outputs of a job: its params, and JSON files by role.

params_of(job, GateParams)
read(job, "evaluation", Evaluation), read_if_any(job, "search", Search), write(job, "verdict", verdict)
"""

from __future__ import annotations

from typing import TypeVar

from ovmake.contracts.codec import found, from_bytes, to_bytes
from ovmake.engine.job import Job
from ovmake.store.files.own_folders import create_file, read_file

T = TypeVar("T")


def params_of(job: Job, kind: type[T]) -> T:
    """Return the settings of a job.

    Raises:
        TypeError: they belong to a different kind of action.
    """
    if not isinstance(job.action.params, kind):
        raise TypeError(f"{job.action.name}: its params are no {kind.__name__}")
    return job.action.params


def read(job: Job, role: str, cls: type[T]) -> T:
    """Return a JSON input.

    Raises:
        ContractError: the file does not match the dataclass.
    """
    return from_bytes(cls, read_file(job.inputs[role]), f"{job.action.name}: {role}")


def read_if_any(job: Job, role: str, cls: type[T]) -> T | None:
    """Return a JSON input, None if the action has no input of that role, or the file holds `null`."""
    return found(cls, read_file(job.inputs[role]), f"{job.action.name}: {role}") if role in job.inputs else None


def write(job: Job, role: str, content: object) -> None:
    """Write a JSON output: a dataclass, or `null` for None."""
    create_file(job.outputs[role], to_bytes(content))
