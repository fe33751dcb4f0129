"""Facts of this machine that affect measurements, read from /proc and /sys.

    facts() -> Machine                  all known facts, for the record of a measurement
    processor() -> {"model name": ...}  the first block of /proc/cpuinfo
    instruction_sets(block) -> [...]    instruction sets that select kernels
    int8_instructions(block) -> [...]   instructions for products of 8-bit integers; None: unknown

An unknown fact is None, and `missing` says why. `root` is a different root folder, for tests. Standard library only:
the process that measures time imports it, too.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from pathlib import Path

from ovmake.contracts.files.machine import Machine

# The flags that select kernels in oneDNN and Eigen. All other flags, such as `smap`, do not affect arithmetic.
ISA_PREFIXES = ("sse4", "avx", "fma", "f16c", "amx", "asimd", "sve", "i8mm", "bf16", "neon")
# Instructions for products of 8-bit integers, of x86 and of Arm, by the kernel's names.
INT8_INSTRUCTIONS = ("avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm")
BF16_INSTRUCTIONS = ("avx512_bf16", "amx_bf16", "bf16")


def facts(root: str = "") -> Machine:
    """Return the facts of this machine."""
    block = processor(root)
    found: dict[str, object] = {
        "threads_per_core": _threads_per_core(root),
        "governor": _governor(root),
        "boost": _boost(root),
        "memory_bytes": memory_bytes(root),
        "virtual": _is_virtual(root, block),
        "int8_instructions": int8_instructions(block),
        "bf16_instructions": None if not block else tuple(name for name in BF16_INSTRUCTIONS if name in _flags(block)),
    }
    return Machine(
        processor=block.get("model name") or platform.machine(),
        instruction_sets=tuple(instruction_sets(block)),
        cores=usable_cores(),
        cores_online=os.cpu_count() or 1,
        cpu_limit=cpu_limit(root),
        memory_limit_bytes=_memory_limit(root),
        system=_system(root),
        kernel=platform.release(),
        python=platform.python_version(),
        missing={name: UNKNOWN[name] for name, value in found.items() if value is None},
        **found,  # type: ignore[arg-type]
    )


# Reasons for unknown facts.
UNKNOWN = {
    "threads_per_core": "this system does not report the layout of its cores",
    "governor": "this system reports no frequency governor, which is usual in a virtual machine",
    "boost": "this system does not report frequency boost",
    "memory_bytes": "this system has no /proc/meminfo",
    "virtual": "this system does not report whether it is virtual",
    "int8_instructions": "this system has no /proc/cpuinfo",
    "bf16_instructions": "this system has no /proc/cpuinfo",
}


def usable_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(usable()) or os.cpu_count() or 1


def usable() -> list[int]:
    """Return the numbers of the cores that this process may use; empty if unknown."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def numbers(ranges: str) -> list[int]:
    """Parse a list of cores in the kernel's form, such as "0,4" or "0-1".

    Raises:
        ValueError: the text is not such a list.
    """
    ends = [part.partition("-") for part in ranges.split(",")]
    return [number for first, _, last in ends for number in range(int(first), int(last or first) + 1)]


def processor(root: str = "") -> dict[str, str]:
    """Return the first block of /proc/cpuinfo; empty on systems other than Linux."""
    block = _text(f"{root}/proc/cpuinfo").partition("\n\n")[0]
    return {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in block.splitlines())}


def instruction_sets(block: Mapping[str, str]) -> list[str]:
    """Return the instruction sets that select kernels, sorted."""
    return sorted({flag for flag in _flags(block) if flag.startswith(ISA_PREFIXES)})


def int8_instructions(block: Mapping[str, str]) -> tuple[str, ...] | None:
    """Return the instructions for products of 8-bit integers; None if unknown."""
    return tuple(name for name in INT8_INSTRUCTIONS if name in _flags(block)) if block else None


def cpu_limit(root: str = "") -> float | None:
    """Return the container's CPU quota in cores, None without a quota (cgroup v2, then v1)."""
    quota, _, period = _text(f"{root}/sys/fs/cgroup/cpu.max").strip().partition(" ")
    if not quota:
        quota = _text(f"{root}/sys/fs/cgroup/cpu/cpu.cfs_quota_us").strip()
        period = _text(f"{root}/sys/fs/cgroup/cpu/cpu.cfs_period_us").strip()
    return int(quota) / int(period) if quota.isdecimal() and period.isdecimal() else None


def memory_bytes(root: str = "") -> int | None:
    """Return the installed memory in bytes."""
    line = next((line for line in _text(f"{root}/proc/meminfo").splitlines() if line.startswith("MemTotal:")), "")
    words = line.split()
    return int(words[1]) * 1024 if len(words) > 1 and words[1].isdecimal() else None


def _flags(block: Mapping[str, str]) -> list[str]:
    return (block.get("flags") or block.get("Features") or "").split()


def _memory_limit(root: str) -> int | None:
    for path in ("memory.max", "memory/memory.limit_in_bytes"):
        found = _text(f"{root}/sys/fs/cgroup/{path}").strip()
        # Without a limit, v1 reports nearly 2**63.
        if found.isdecimal() and int(found) < 1 << 60:
            return int(found)
    return None


def _threads_per_core(root: str) -> int | None:
    siblings = _text(f"{root}/sys/devices/system/cpu/cpu0/topology/thread_siblings_list").strip()
    return len(numbers(siblings)) if siblings else None


def _governor(root: str) -> str | None:
    """Return the governors of all cores, usually one."""
    folder = Path(f"{root}/sys/devices/system/cpu")
    found = {_text(str(path)).strip() for path in folder.glob("cpu[0-9]*/cpufreq/scaling_governor")}
    return ", ".join(sorted(found - {""})) or None


def _boost(root: str) -> bool | None:
    cpu = f"{root}/sys/devices/system/cpu"
    boost, no_turbo = _text(f"{cpu}/cpufreq/boost").strip(), _text(f"{cpu}/intel_pstate/no_turbo").strip()
    return boost == "1" if boost else no_turbo == "0" if no_turbo else None


def _is_virtual(root: str, block: Mapping[str, str]) -> bool | None:
    if block.get("flags"):
        return "hypervisor" in _flags(block)
    return True if Path(f"{root}/proc/device-tree/hypervisor").exists() else None


def _system(root: str) -> str:
    for line in _text(f"{root}/etc/os-release").splitlines():
        name, _, value = line.partition("=")
        if name == "PRETTY_NAME":
            return value.strip().strip('"')
    return platform.system()


def _text(path: str) -> str:
    try:
        return Path(path).read_text(errors="replace")
    except OSError:
        return ""
