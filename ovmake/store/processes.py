"""Memory: what this machine can give, and what processes hold. Read from /proc and the control groups' files.

    installed_bytes() -> int | None      what a build may have in all: the machine's memory, or a container's limit
    available_bytes() -> int | None      what is free of that now, with what the kernel would drop
    parents() -> {pid: parent}           every process there is
    family(pid, parents) -> [pid]        a process and everything below it
    end_family(family)                   kill them
    Gauge(pid)                           the memory of a worker and of what it started, while it has a job

What counts as held is anonymous memory and shared memory (RssAnon, RssShmem): pages of mapped files, such as libraries
and datasets, are the kernel's to drop. Memory that processes share is counted for each of them.

Standard library only. Elsewhere than on Linux nothing is known: None, and no processes.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

ROOT = ""
# Written to /proc/PID/clear_refs it makes the process's peak, VmHWM, what it holds now (proc(5), since Linux 4.0).
RESET_PEAK = "5"


def installed_bytes(root: str = ROOT) -> int | None:
    """Return the memory that all processes of a build may have together, None where it cannot be told."""
    total = _fields(f"{root}/proc/meminfo").get("MemTotal")
    return None if total is None else min([total, *(group.limit for group in _groups(root))])


def available_bytes(root: str = ROOT) -> int | None:
    """Return what can be had without swapping, None where it cannot be told."""
    free = _fields(f"{root}/proc/meminfo").get("MemAvailable")
    return None if free is None else max(0, min([free, *(group.limit - group.used for group in _groups(root))]))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """A control group with a limit on memory. `used` is less the files that the kernel would drop first."""

    limit: int
    used: int


# Of a version of control groups: where it is mounted, limit, use, and the names in memory.stat of cached files.
_V2 = ("sys/fs/cgroup", "memory.max", "memory.current", ("inactive_file", "active_file"))
_V1 = (
    "sys/fs/cgroup/memory",
    "memory.limit_in_bytes",
    "memory.usage_in_bytes",
    ("total_inactive_file", "total_active_file"),
)


def _groups(root: str) -> Iterator[_Group]:
    """Yield every group with a limit that this process is in: its own, and those around that."""
    for line in _text(f"{root}/proc/self/cgroup").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number != "0" and "memory" not in controllers.split(","):
            continue
        mount, limit_file, used_file, cached = _V2 if number == "0" else _V1
        # A container may see its own group as the root, under a path that only the host has: so all on the way up.
        own = PurePosixPath(path)
        for part in (own, *own.parents):
            folder = f"{root}/{mount}{part}"
            limit, used = _text(f"{folder}/{limit_file}").strip(), _text(f"{folder}/{used_file}").strip()
            if limit.isdecimal() and used.isdecimal():
                stat = dict(line.split() for line in _text(f"{folder}/memory.stat").splitlines())
                yield _Group(limit=int(limit), used=int(used) - sum(int(stat.get(name, 0)) for name in cached))


# processes


def parents(root: str = ROOT) -> dict[int, int]:
    """Return the parent of every process. Siblings of a worker are sessions of their own: only this tells."""
    try:
        names = os.listdir(f"{root}/proc")  # noqa: PTH208
    except OSError:
        return {}
    found = {}
    for name in names:
        # The name of a program, in brackets, may hold brackets and spaces itself.
        if name.isdecimal() and (after := _text(f"{root}/proc/{name}/stat").rpartition(") ")[2].split()):
            found[int(name)] = int(after[1])
    return found


def locked_files(root: str = ROOT) -> set[tuple[str, int]]:
    """Return which processes hold locks of flock(2): a process's number, and the inode of the file that it locked."""
    # "1: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF"; one that waits for another has "->" before the kind.
    lines = [line.split() for line in _text(f"{root}/proc/locks").splitlines()]
    held = [(line[4], line[5].rpartition(":")[2]) for line in lines if line[1:2] == ["FLOCK"] and len(line) > 5]  # noqa: PLR2004
    return {(process, int(inode)) for process, inode in held if inode.isdecimal()}


def family(pid: int, parents: Mapping[int, int]) -> list[int]:
    """Return a process and everything below it."""
    children: dict[int, list[int]] = {}
    for child, parent in parents.items():
        children.setdefault(parent, []).append(child)
    found = [pid]
    for member in found:  # grows meanwhile
        found += children.get(member, [])
    return found


def end_family(members: Collection[int]) -> None:
    """Kill processes with everything in their process groups, so that nothing that they start meanwhile gets away."""
    groups = set()  # all of them first: with a worker its siblings die, and then nobody says what their group was
    for member in members:
        with contextlib.suppress(ProcessLookupError):
            groups.add(os.getpgid(member))
    for group in groups - {os.getpgrp()}:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


class Gauge:
    """The memory of a worker and of what it started, from now on: `read` it now and then; `peak_bytes` is the most.

    One that `forks` for the job (`forking.py`) is not counted itself: what it holds is in the fork, once more.

    Between two reads the kernel notes the worker's own peak, if it may be reset. That counts mapped files as well; less
    the most of those that was seen it is a peak that surely was. A fork says at its end what its own was: `learn`.
    """

    def __init__(self, pid: int, root: str = ROOT, *, forks: bool = False) -> None:
        self._forks = forks
        self.peak_bytes: int | None = None
        self._pid = pid
        self._proc = f"{root}/proc"
        self._mapped = 0
        self._noted = self._reset()

    def _reset(self) -> bool:
        try:
            with open(f"{self._proc}/{self._pid}/clear_refs", "w") as file:  # noqa: PTH123
                file.write(RESET_PEAK)
        except OSError:  # not ours, or a kernel without it
            return False
        return True

    def read(self, members: Collection[int]) -> int:
        """Return what the family holds now, in bytes. Those that have ended hold nothing."""
        status = {pid: _fields(f"{self._proc}/{pid}/status") for pid in members}
        below = [fields for pid, fields in status.items() if pid != self._pid] if self._forks else []
        held = sum(fields.get("RssAnon", 0) + fields.get("RssShmem", 0) for fields in below or status.values())
        own = status.get(self._pid, {})
        if below:
            self.peak_bytes = max(self.peak_bytes or 0, held)
        elif "RssAnon" in own:
            self._mapped = max(self._mapped, own.get("RssFile", 0))
            noted = own.get("VmHWM", 0) - self._mapped if self._noted else 0
            self.peak_bytes = max(self.peak_bytes or 0, held, noted)
        return held

    def learn(self, peak_bytes: int | None) -> None:
        """Take in what a fork says of itself."""
        if peak_bytes is not None:
            self.peak_bytes = max(self.peak_bytes or 0, peak_bytes)


def _fields(path: str) -> dict[str, int]:
    """Return the sizes of /proc/meminfo or /proc/PID/status, in bytes: lines such as `RssAnon:  1234 kB`."""
    lines = (line.split() for line in _text(path).splitlines() if line.endswith("kB"))
    return {words[0].rstrip(":"): int(words[1]) * 1024 for words in lines}


def _text(path: str) -> str:
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - of what is read several times a second
            return file.read().decode(errors="replace")
    except OSError:
        return ""
