"""Memory of the machine and of processes, from /proc and the files of control groups.

    installed_bytes() -> int | None      the limit for a whole build: the machine's memory, or a container's limit
    available_bytes() -> int | None      free memory now, with caches that the kernel would drop
    parents() -> {pid: parent}           all processes
    family(pid, parents) -> [pid]        a process and its descendants
    end_family(family)                   kill them
    Gauge(pid)                           the memory of a worker and its descendants during a job

Memory in use means anonymous and shared memory (RssAnon, RssShmem). Pages of mapped files, such as libraries and
datasets, do not count: the kernel can drop them. Memory that processes share counts for each of them.

Standard library only. On systems other than Linux, sizes are None and no process is listed.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

ROOT = ""
# Written to /proc/PID/clear_refs, this resets the process's peak (VmHWM) to its current use (proc(5), Linux 4.0).
RESET_PEAK = "5"


def installed_bytes(root: str = ROOT) -> int | None:
    """Return the memory that all processes of a build may use together, None if unknown."""
    total = _fields(f"{root}/proc/meminfo").get("MemTotal")
    return None if total is None else min([total, *(group.limit for group in _groups(root))])


def available_bytes(root: str = ROOT) -> int | None:
    """Return the memory that can be allocated without swapping, None if unknown."""
    free = _fields(f"{root}/proc/meminfo").get("MemAvailable")
    return None if free is None else max(0, min([free, *(group.limit - group.used for group in _groups(root))]))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """A control group with a memory limit. `used` excludes cached files that the kernel would drop first."""

    limit: int
    used: int


# Per version of control groups: mount point, files of limit and use, and the names of cached files in memory.stat.
_V2 = ("sys/fs/cgroup", "memory.max", "memory.current", ("inactive_file", "active_file"))
_V1 = (
    "sys/fs/cgroup/memory",
    "memory.limit_in_bytes",
    "memory.usage_in_bytes",
    ("total_inactive_file", "total_active_file"),
)


def _groups(root: str) -> Iterator[_Group]:
    """Yield the groups of this process that have a limit: its own group and all parents."""
    for line in _text(f"{root}/proc/self/cgroup").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number != "0" and "memory" not in controllers.split(","):
            continue
        mount, limit_file, used_file, cached = _V2 if number == "0" else _V1
        # In a container the path may exist on the host only, and the root be the container's group: try every parent.
        own = PurePosixPath(path)
        for part in (own, *own.parents):
            folder = f"{root}/{mount}{part}"
            limit, used = _text(f"{folder}/{limit_file}").strip(), _text(f"{folder}/{used_file}").strip()
            if limit.isdecimal() and used.isdecimal():
                stat = dict(line.split() for line in _text(f"{folder}/memory.stat").splitlines())
                yield _Group(limit=int(limit), used=int(used) - sum(int(stat.get(name, 0)) for name in cached))


# processes


def parents(root: str = ROOT) -> dict[int, int]:
    """Return the parent of every process. A worker's helpers have sessions of their own; only parents link them."""
    try:
        names = os.listdir(f"{root}/proc")  # noqa: PTH208
    except OSError:
        return {}
    found = {}
    for name in names:
        # A program's name, given in brackets, may contain brackets and spaces.
        if name.isdecimal() and (after := _text(f"{root}/proc/{name}/stat").rpartition(") ")[2].split()):
            found[int(name)] = int(after[1])
    return found


def locked_files(root: str = ROOT) -> set[tuple[str, int]]:
    """Return the locks of flock(2): the number of a process, and the inode of the file that it locked."""
    # "1: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF"; a waiting one has "->" before the kind.
    lines = [line.split() for line in _text(f"{root}/proc/locks").splitlines()]
    held = [(line[4], line[5].rpartition(":")[2]) for line in lines if line[1:2] == ["FLOCK"] and len(line) > 5]  # noqa: PLR2004
    return {(process, int(inode)) for process, inode in held if inode.isdecimal()}


def family(pid: int, parents: Mapping[int, int]) -> list[int]:
    """Return a process and its descendants."""
    children: dict[int, list[int]] = {}
    for child, parent in parents.items():
        children.setdefault(parent, []).append(child)
    found = [pid]
    for member in found:  # grows during the loop
        found += children.get(member, [])
    return found


def end_family(members: Collection[int]) -> None:
    """Kill processes and their process groups: processes that they start at the same moment are killed too."""
    groups = set()  # collected first: a worker's helpers die with it, and a dead process has no group
    for member in members:
        with contextlib.suppress(ProcessLookupError):
            groups.add(os.getpgid(member))
    for group in groups - {os.getpgrp()}:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


class Gauge:
    """The memory of a worker and its descendants, from now on. Call `read` at intervals; `peak_bytes` is the maximum.

    A worker that `forks` for the job (`forking.py`) is not counted itself: the fork holds the same memory again.

    Between two reads the kernel records the worker's own peak, if the peak can be reset. That peak includes mapped
    files. Minus the largest size of mapped files seen, it is a lower bound of the true peak. A fork reports its own
    peak at its end: `learn`.
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
        except OSError:  # a different user's process, or a kernel without this file
            return False
        return True

    def read(self, members: Collection[int]) -> int:
        """Return the memory of the family now, in bytes. Ended processes count as 0."""
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
        """Include the peak that a fork reported."""
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
